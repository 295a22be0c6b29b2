-- Loading scripts for the command line: to list what they register, or to enqueue by their rules.

local distribute = require "mooncrew.distribute"
local load_limit = require "mooncrew.load_limit"
local registry = require "mooncrew.registry"
local scripts = require "mooncrew.scripts"

local M = {}

local function refuse()
  error("a script cannot enqueue while it is being loaded: do it in a handler", 0)
end

local function refuse_exit()
  error("a script cannot call os.exit while it is being loaded", 0)
end

local LIMIT_S = 10

-- As scripts.load, but it does not last longer than the limit.
local function load_within(seconds, folder, on_failure)
  local message
  local ok, loaded, late = load_limit.call(seconds, folder, "load_timeout", function()
    local done
    done, message = scripts.load(folder, on_failure)
    return done
  end)
  if late then
    on_failure(loaded)
  end
  if ok then
    return loaded, message
  end
  return nil, loaded
end

-- Loads with the refusals in place; returns what scripts.load does.
local function load_guarded(seconds, folder, on_failure)
  local backend, exit = distribute.backend, os.exit
  distribute.backend = refuse
  rawset(os, "exit", refuse_exit)
  local ok, message = load_within(seconds, folder, on_failure)
  rawset(os, "exit", exit)
  distribute.backend = backend
  return ok, message
end

--- Runs every script of the folder. Nothing reaches Redis: a script that enqueues while it is loaded is an error, and
--- so is one that ends the process, or does not come to its end.
---@param folder string
---@param seconds number|nil  for all of them together; 10 unless given
---@return mooncrew.Definition[]|nil definitions sorted by type
---@return string? message begins with file and line
---@return string[]? messages one for each script that does not load, of which the first is `message`
function M.load(folder, seconds)
  local messages, seen = {}, {}
  local ok, message = load_guarded(seconds or LIMIT_S, folder, function(text)
    if not seen[text] then -- several scripts may require one that fails
      seen[text], messages[#messages + 1] = true, text
    end
  end)
  if not ok then
    return nil, message, #messages > 0 and messages or { message }
  end
  local definitions = {}
  for i, definition in ipairs(registry.all()) do
    definitions[i] = definition
  end
  table.sort(definitions, function(a, b)
    return a.type < b.type
  end)
  return definitions
end

return M
