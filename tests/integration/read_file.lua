--- All of a file, as bytes; an error when it cannot be read.
---@param path string
---@return string
return function(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read "*a"
  file:close()
  return bytes
end
