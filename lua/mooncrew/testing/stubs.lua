-- What handlers reach the world by, in a test: the modules with a `backend`, which is replaced while the world is
-- entered. A module is patched when it is there already, else when the handler first asks for it.

local copy = require "mooncrew.copy"
local session = require "mooncrew.testing.session"
local sorted_keys = require "mooncrew.sorted_keys"

local stubs = {}

-- By the name under which it is stubbed. Each says which module it is, in which list of a run its calls are recorded,
-- what can be given as a stub, and makes the backend.
local KINDS = {
  http = require "mooncrew.testing.stub.http",
  mail = require "mooncrew.testing.stub.mail",
  exec = require "mooncrew.testing.stub.exec",
  redis = require "mooncrew.testing.stub.redis",
  postgres = require "mooncrew.testing.stub.postgres",
}

-- Puts the backend for tests into a module; returns what takes it out.
local function patch(clock, name, module)
  local kind, original = KINDS[name], module.backend
  local function stub_of()
    return clock:run_of().stubs[name] or session.stubs[name]
  end
  local function record(request)
    local list = clock:run_of()[kind.list]
    local entry = copy(request)
    list[#list + 1] = entry
    return entry
  end
  module.backend = kind.backend(clock, original, stub_of, record)
  return function()
    module.backend = original
  end
end

-- The module as if we were not there: what comes behind package.preload finds it.
local function load_module(name, ...)
  local tried = {}
  for i = 2, #package.loaders do
    local loader = package.loaders[i](name)
    if type(loader) == "function" then
      return loader(name, ...)
    end
    tried[i] = loader or ""
  end
  error(("module '%s' not found:%s"):format(name, table.concat(tried, "", 2)), 0)
end

-- Waits for a module to be asked for; returns what ends that.
local function watch(clock, name, undo)
  local module_name = KINDS[name].module
  package.preload[module_name] = function(...)
    local module = load_module(...)
    undo[#undo + 1] = patch(clock, name, module)
    return module
  end
  return function()
    package.preload[module_name] = nil
  end
end

--- Replaces the backends; returns what puts them back.
---@param clock mooncrew.testing.Clock
---@return fun() undo
function stubs.install(clock)
  local undo = {}
  for name, kind in pairs(KINDS) do
    local module = package.loaded[kind.module]
    undo[#undo + 1] = type(module) == "table" and patch(clock, name, module) or watch(clock, name, undo)
  end
  return function()
    for i = #undo, 1, -1 do
      undo[i]()
    end
  end
end

--- The names of what can be stubbed.
---@return string[]
function stubs.names()
  return sorted_keys(KINDS)
end

--- The lists of a run in which calls are recorded, empty.
---@return table<string, table>
function stubs.lists()
  local lists = {}
  for _, kind in pairs(KINDS) do
    lists[kind.list] = {}
  end
  return lists
end

--- What is wrong with a stub, or nothing.
---@param name string
---@param stub any
---@return string|nil
function stubs.wrong(name, stub)
  local kind = KINDS[name]
  if not kind.usable(stub) then
    return ("expected %s, got %s"):format(kind.expected, type(stub))
  end
end

--- Puts a stub in place until the test ends.
---@param name string
---@param stub any
---@param caller string  the function to blame, two levels up
function stubs.set(name, stub, caller)
  local wrong = stubs.wrong(name, stub)
  if wrong then
    error(("testing.%s: %s"):format(caller, wrong), 3)
  end
  session.stubs[name] = stub
end

return stubs
