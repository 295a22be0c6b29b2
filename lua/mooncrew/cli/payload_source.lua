-- A payload as the command line takes it: the text itself, @FILE, or - for standard input.

local json = require "mooncrew.json"

local M = {}

M.DESCRIPTION = "JSON, or @FILE to read it from a file, or - to read it from standard input"

local function read_all(file, name)
  local text, message = file:read("*a")
  if not text then
    return nil, ("cannot read %s: %s"):format(name, message)
  end
  return text
end

--- The bytes that the argument stands for.
---@param argument string
---@return string|nil bytes
---@return string? message
function M.read(argument)
  if argument == "-" then
    return read_all(io.stdin, "standard input")
  end
  local path = argument:match("^@(.*)")
  if not path then
    return argument
  elseif path == "" then
    return nil, "cannot read the payload: behind @ comes the name of a file"
  end
  local file, message = io.open(path, "rb")
  if not file then
    return nil, "cannot read the payload: " .. message
  end
  local text
  text, message = read_all(file, path)
  file:close()
  return text, message
end

--- JSON in the form that equal payloads share.
---@param bytes string
---@return string|nil bytes
---@return string? message
function M.canonical(bytes)
  local ok, value = json.decode(bytes)
  if not ok then
    return nil, value
  end
  return json.encode(value)
end

return M
