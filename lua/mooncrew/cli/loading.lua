-- Loading scripts for the command line: to list what they register, or to enqueue by their rules.

local distribute = require "mooncrew.distribute"
local registry = require "mooncrew.registry"
local scripts = require "mooncrew.scripts"

local M = {}

local function refuse()
  error("a script cannot enqueue while it is being loaded: do it in a handler", 0)
end

--- Runs every script of the folder. Nothing reaches Redis: a script that enqueues while it is loaded is an error.
---@param folder string
---@return mooncrew.Definition[]|nil definitions sorted by type
---@return string? message begins with file and line
function M.load(folder)
  local backend = distribute.backend
  distribute.backend = refuse
  local ok, message = scripts.load(folder)
  distribute.backend = backend
  if not ok then
    return nil, message
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
