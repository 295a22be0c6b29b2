-- Where the text of scripts comes from: the disk, or, in a worker, the copy of them that its supervisor made, so that
-- what is edited later does not reach it.

local sorted_keys = require "mooncrew.sorted_keys"

local M = {}

local copied ---@type table<string, string>|nil  path → text; nil: they are read from the disk

--- From now on scripts are read from these texts, and those that are not there do not exist.
---@param texts table<string, string>|nil
function M.use(texts)
  copied = texts
end

--- The paths of all that were copied; nil when scripts are read from the disk.
---@return string[]|nil
function M.paths()
  if not copied then
    return nil
  end
  return sorted_keys(copied)
end

---@param path string
function M.exists(path)
  if copied then
    return copied[path] ~= nil
  end
  local info = require("luv").fs_stat(path) -- only here: the worker's luv is made of what is made of this
  return info ~= nil and info.type == "file"
end

---@param path string
---@return string|nil text
---@return string? message begins with the path
function M.read(path)
  if copied and copied[path] then
    return copied[path]
  end
  local file, why = io.open(path, "rb")
  if not file then
    return nil, why
  end
  local text
  text, why = file:read "*a"
  file:close()
  return text, why and ("%s: %s"):format(path, why)
end

--- As loadfile: a first line that begins with # is none of Lua. By load, since the library's own loadstring would give
--- scripts the library's globals (mooncrew.globals).
---@param path string
---@return function|nil chunk
---@return string? message begins with file and line
function M.compile(path)
  local text, why = M.read(path)
  if not text then
    return nil, why
  end
  return load((text:gsub("^#[^\n]*", "", 1)), "@" .. path)
end

return M
