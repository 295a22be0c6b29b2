-- busted inside this program: specs see the modules that are compiled in, and nothing has to be set up.

local time_limit = require "mooncrew.time_limit"

local M = {}

local LOAD_LIMIT_S = 10

-- What busted ends the process with is raised instead, so that it comes back here.
local Exit = {}

local function raise_exit(code)
  error(setmetatable({ code = code or 0 }, Exit), 0)
end

local function too_long(place)
  return ("%s: it takes longer than %d s to load: what stands outside of tests must neither loop without end nor wait")
    :format(place, LOAD_LIMIT_S)
end

-- A handler that ends the process would end the specs with it, those that fail unheard: exit code 0, and no report.
local function refuse_exit()
  error("os.exit ends the process, and the specs with it: let the handler return or raise, or stub os.exit", 2)
end

-- The command line has loaded some of the library: specs are to begin with none of it, as they would elsewhere. Its C
-- halves stay.
local function forget_library()
  for name in pairs(package.loaded) do
    if name == "mooncrew" or name:find "^mooncrew%." and not name:find "^mooncrew%.native" then
      package.loaded[name] = nil
    end
  end
end

-- Raises an error in what others have written, until it has unwound; but not in busted and what that stands on.
local function stop_loading(name)
  return function()
    local info = debug.getinfo(2, "S")
    if time_limit.is_foreign(info) and not info.source:find("/share/lua/", 1, true) then
      error(too_long(time_limit.place(2) or name), 0)
    end
  end
end

-- The body of a spec, and of each `describe` in it, runs within a limit of time; not so the tests that it declares,
-- which busted runs afterwards, inside of another call with the same name.
local function limit_loading(busted)
  local safe = busted.safe
  busted.safe = function(descriptor, body, element)
    if descriptor ~= "file" and descriptor ~= "describe" or body ~= element.run then
      return safe(descriptor, body, element)
    end
    local name = tostring(element.name)
    local stop = time_limit.start(LOAD_LIMIT_S, stop_loading(name), "mooncrew test: " .. too_long(name) .. "\n")
    local status = safe(descriptor, body, element)
    stop()
    return status
  end
end

-- Counts the tests that run, the pending ones too, and notes whether all that there is was gone through.
local function watch()
  local seen = { tests = 0, over = false }
  local core = require "busted.core"
  package.loaded["busted.core"] = function(...)
    local busted = core(...)
    limit_loading(busted)
    busted.subscribe({ "test", "start" }, function()
      seen.tests = seen.tests + 1
      return nil, true -- others are told too
    end)
    busted.subscribe({ "exit" }, function()
      seen.over = true
      return nil, true
    end)
    return busted
  end
  return seen
end

local function only_lists(args)
  for _, arg in ipairs(args) do
    if arg == "--list" or arg == "-l" then
      return true
    end
  end
  return false
end

local function prepare(args, folder)
  package.path = ("%s/?.lua;%s/?/init.lua;%s"):format(folder, folder, package.path)
  rawset(_G, "arg", { [0] = "mooncrew test", "--ignore-lua", unpack(args) }) -- .busted may name another interpreter
  require("busted.compatibility").exit = raise_exit
  rawset(os, "exit", refuse_exit)
  forget_library()
end

--- Whether busted can be loaded.
---@return boolean
function M.installed()
  return package.searchpath("busted.runner", package.path) ~= nil
end

--- Runs busted.
---@param args string[]  its arguments
---@param folder string  of the scripts: specs may require the modules that stand there
---@return boolean passed
---@return string? message  when it is not busted that says why
function M.run(args, folder)
  prepare(args, folder)
  local seen = watch()
  local ok, raised = pcall(require "busted.runner", { standalone = false })
  if not ok and getmetatable(raised) ~= Exit then
    error(raised, 0)
  end
  if seen.over and seen.tests == 0 and not only_lists(args) then
    return false, "no test ran: no spec that was found has one, or --filter, --tags and the like leave none"
  end
  return ok or raised.code == 0
end

return M
