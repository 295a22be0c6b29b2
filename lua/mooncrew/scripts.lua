-- Task scripts: finding and loading every `.lua` file of a folder.
--
-- A script may `require` the modules that stand beside it, other scripts among them: a file is run once, whether it is
-- first met as a script or as a module. Loading registers what the scripts declare in `mooncrew.registry`.

local cron = require "mooncrew.cron"
local describe = require("mooncrew.execute").describe
local place = require "mooncrew.place"
local sources = require "mooncrew.sources"
local uv = require "luv"

local M = {}

-- A folder may be reached through links (that is how volumes are mounted in containers), so the kind is asked of the
-- file behind the link, and folders are remembered by device and inode, because links can form a ring.
local function collect(folder, prefix, seen, found, skipped)
  local info, why = uv.fs_stat(folder)
  if not info then
    return nil, why
  end
  local identity = info.dev .. ":" .. info.ino
  if seen[identity] then
    return true
  end
  seen[identity] = true
  local scan
  scan, why = uv.fs_scandir(folder)
  if not scan then
    return nil, why
  end
  for name in uv.fs_scandir_next, scan do
    local path = folder .. "/" .. name
    local entry = name:sub(1, 1) ~= "." and uv.fs_stat(path)
    local script = name:sub(1, 1) ~= "." and name:match("%.lua$")
    if script and (not entry or entry.type ~= "file") then
      skipped[#skipped + 1] = { path = path, kind = entry and entry.type or "link to nothing" }
    end
    if entry and entry.type == "directory" then
      local ok
      ok, why = collect(path, prefix .. name .. "/", seen, found, skipped)
      if not ok then
        return nil, why
      end
    elseif script and entry and entry.type == "file" then
      found[#found + 1] = prefix .. name
    end
  end
  return true
end

local function strip_slash(folder)
  return #folder > 1 and folder:gsub("/+$", "") or folder
end

--- The scripts in a folder and the folders in it, sorted; what begins with a dot is left out.
---@param folder string
---@return string[]|nil paths each begins with the folder
---@return string? message
---@return { path: string, kind: string }[]? skipped what is called like a script and is none: "directory", "fifo", …
function M.find(folder)
  folder = strip_slash(folder)
  local names, skipped = {}, {}
  local info = uv.fs_stat(folder)
  if not info or info.type ~= "directory" then
    return nil, ("there is no scripts folder '%s': make it, or name another with --scripts"):format(folder)
  end
  local ok, why = collect(folder, "", {}, names, skipped)
  if not ok then
    return nil, ("cannot read the scripts folder '%s': %s"):format(folder, why)
  end
  table.sort(names)
  local paths = {}
  for i, name in ipairs(names) do
    paths[i] = folder .. "/" .. name
  end
  return paths, nil, skipped
end

--- What to say of a folder in which nothing was found.
---@param folder string
---@return string
function M.none(folder)
  return ("there is no script in '%s': no task type is served"):format(folder)
end

---@class mooncrew.scripts.Loader runs each file of one folder once
---@field folder string
---@field done table<string, any> path → what the file returned, or RUNNING
local Loader = {}
Loader.__index = Loader
local RUNNING = {}

-- An error's text, in one line that begins with file and line; most do, but not those raised with level 0 or after a
-- tail call. The list of all places where a module was looked for says less than its length costs.
local function place_error(raised, where)
  local message = describe(raised)
  message = message:gsub("(module '[^']*' not found):\n.*", "%1, neither in the scripts folder nor elsewhere")
  return message:find("^[^\n:]+:%d+: ") and message or ("%s: %s"):format(where, message)
end

-- Runs the file unless it was run; errors carry the place.
function Loader:run(path, module_name)
  local result = self.done[path]
  if result == RUNNING then
    error(("%s: requires itself, by way of what it requires"):format(path), 0)
  end
  if result ~= nil then
    return result
  end
  local chunk, why = sources.compile(path)
  if not chunk then
    error(why, 0)
  end
  self.done[path] = RUNNING
  local ok
  ok, result = place.run(path, chunk, place_error, module_name)
  self.done[path] = nil
  if not ok then
    error(result, 0)
  end
  self.done[path] = result == nil and true or result
  return self.done[path]
end

-- For package.loaders: finds a module in the folder.
function Loader:search(module_name)
  local base = self.folder .. "/" .. module_name:gsub("%.", "/")
  local tried = {}
  for i, path in ipairs { base .. ".lua", base .. "/init.lua" } do
    if sources.exists(path) then
      return function()
        return self:run(path, module_name)
      end
    end
    tried[i] = ("\n\tno file '%s'"):format(path)
  end
  return table.concat(tried)
end

local function loader_new(folder)
  local self = setmetatable({ folder = folder, done = {} }, Loader)
  table.insert(package.loaders, 2, function(module_name) -- behind package.preload, before everything else
    return self:search(module_name)
  end)
  return self
end

-- "scripts/image/resize.lua" → "image.resize", as other scripts require it
local function module_name_of(folder, path)
  return (path:sub(#folder + 2):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
end

--- Runs every script of the folder, in the order of `find`. From then on `require` also looks into the folder.
---@param folder string
---@param on_failure? fun(message: string) is told of each script that does not load; without it, the first one ends the
--- loading
---@return true|nil
---@return string? message of the first failure; begins with file and line
function M.load(folder, on_failure)
  folder = strip_slash(folder)
  local paths, why = sources.paths(), nil
  if not paths then
    paths, why = M.find(folder)
  end
  if not paths then
    return nil, why
  end
  local loader, first = loader_new(folder), nil
  for _, path in ipairs(paths) do
    local name = module_name_of(folder, path)
    local ok, result = pcall(loader.run, loader, path, name)
    if not ok then
      if not on_failure then
        return nil, result
      end
      first = first or result
      on_failure(result)
    elseif package.loaded[name] == nil then -- a script called string.lua must not replace the library
      package.loaded[name] = result
    end
  end
  if first then
    return nil, first
  end
  return cron.resolve() -- only now all the types are known
end

return M
