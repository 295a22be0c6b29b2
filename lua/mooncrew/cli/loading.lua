-- Loading scripts for the command line: to list what they register, or to enqueue by their rules.

local distribute = require "mooncrew.distribute"
local registry = require "mooncrew.registry"
local scripts = require "mooncrew.scripts"

local M = {}

local function refuse()
  error("a script cannot enqueue while it is being loaded: do it in a handler", 0)
end

local function refuse_exit()
  error("a script cannot call os.exit while it is being loaded", 0)
end

-- Loads with the refusals in place; returns what scripts.load does.
local function load_guarded(folder, on_failure)
  local backend, exit = distribute.backend, os.exit
  distribute.backend = refuse
  rawset(os, "exit", refuse_exit)
  local ok, message = scripts.load(folder, on_failure)
  rawset(os, "exit", exit)
  distribute.backend = backend
  return ok, message
end

--- Runs every script of the folder. Nothing reaches Redis: a script that enqueues while it is loaded is an error, and
--- so is one that ends the process.
---@param folder string
---@return mooncrew.Definition[]|nil definitions sorted by type
---@return string? message begins with file and line
---@return string[]? messages one for each script that does not load, of which the first is `message`
function M.load(folder)
  local messages, seen = {}, {}
  local ok, message = load_guarded(folder, function(text)
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
