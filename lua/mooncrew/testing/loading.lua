-- Loading what is to be tested: one script, or the whole folder, into an empty registry.

local cron = require "mooncrew.cron"
local load_limit = require "mooncrew.load_limit"
local patience = require "mooncrew.testing.patience"
local place = require "mooncrew.place"
local process = require "mooncrew.testing.process"
local registry = require "mooncrew.registry"

local M = {}

local own_modules = {} ---@type table<string, true>  found beside the scripts: forgotten at the next load

local function path_in(folder, name)
  return package.searchpath(name, folder .. "/?.lua;" .. folder .. "/?/init.lua")
end

-- From now on `require` looks into this folder first.
local function search_folder(folder)
  for name in pairs(own_modules) do
    package.loaded[name] = nil
  end
  own_modules = {}
  process.search = function(name)
    local path = path_in(folder, name)
    if path then
      own_modules[name] = true
      return assert(loadfile(path))
    end
  end
end

local function itself(raised)
  return raised
end

-- Runs a script; raises what it raises, without another place before it.
local function run(path)
  local chunk, message = loadfile(path)
  if not chunk then
    error(message, 0)
  end
  local ok, result = place.run(path, chunk, itself, path)
  if not ok then
    error(result, 0)
  end
  return result
end

-- Calls a function that runs scripts: not for longer than a handler may take. Raises what it raises.
local function within_limit(at, fn, ...)
  local seconds = patience.default()
  if not seconds then
    return fn(...)
  end
  local ok, result = load_limit.call(seconds, at, "testing.give_up_after", fn, ...)
  if not ok then
    error(result, 0)
  end
  return result
end

local function resolve_cron()
  local ok, wrong = cron.resolve()
  if not ok then
    error(wrong, 0)
  end
end

--- Loads a script into an empty registry; raises when it does not load.
---@param path string
---@param folder string|nil  where the modules stand that it requires; the script's own folder unless given
---@return any definition  what the script returned
function M.load(path, folder)
  registry.reset()
  search_folder(folder or path:match("^(.*)/[^/]*$") or ".")
  local result = within_limit(path, run, path)
  resolve_cron()
  return result
end

-- "scripts/image/resize.lua" → "image.resize", as other scripts require it
local function module_name(folder, path)
  return (path:sub(#folder + 2):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
end

local function run_all(folder, paths)
  for _, path in ipairs(paths) do
    local name = module_name(folder, path)
    if not own_modules[name] then -- another script may have required it
      own_modules[name] = true
      local result = run(path)
      if package.loaded[name] == nil then -- a script called string.lua must not replace the library
        package.loaded[name] = result == nil and true or result
      else
        own_modules[name] = nil
      end
    end
  end
end

--- Loads every script of a folder into an empty registry, as a worker does; raises when one does not load.
---@param folder string|nil  "scripts" unless given
function M.load_all(folder)
  folder = (folder or "scripts"):gsub("(.)/+$", "%1")
  local paths, why = require("mooncrew.scripts").find(folder)
  if not paths then
    error(why, 2)
  end
  registry.reset()
  search_folder(folder)
  within_limit(folder, run_all, folder, paths)
  resolve_cron()
end

return M
