-- JSON objects in files of their own.

local crew = require "mooncrew"
local files = require "lib.files"
local uv = require "luv"

local M = {}

local ENOENT = 2

-- The object in a file: nil alone when there is no such file, nil and a message when it cannot be used.
---@param path string
---@return table|nil object
---@return string? message
function M.read(path)
  local file, message, code = io.open(path, "rb")
  if not file then
    return nil, code ~= ENOENT and message or nil
  end
  local text = file:read("*a")
  file:close()
  local ok, value = crew.json.decode(text or "", nil, path)
  if not ok then
    return nil, value
  end
  if type(value) ~= "table" then
    return nil, path .. ": expected a JSON object, got " .. type(value)
  end
  return value
end

local function write(path, object, place)
  local ok, message = files.make_folder(path:match("^(.*)/"))
  if not ok then
    return nil, message
  end
  local aside = ("%s.%d.%d"):format(path, uv.os_getpid(), uv.hrtime())
  return place(aside, path, crew.json.encode(object))
end

-- Writes an object, over the one that is there.
---@param path string
---@param object table
---@return true|nil ok
---@return string? message
function M.write(path, object)
  return write(path, object, files.write_through)
end

-- Writes an object if there is no such file yet.
---@param path string
---@param object table
---@return true|nil ok also when it was there
---@return string? message
function M.write_once(path, object)
  return write(path, object, files.write_once)
end

return M
