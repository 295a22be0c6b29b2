-- File names for texts that may hold anything ("..", "/", capitals of other scripts), different ones for different
-- texts: what is no plain letter, digit, "_" or "-" is written as %XX.

local M = {}

---@param text string
---@return string
function M.of(text)
  return (text:gsub("[^%w_-]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end))
end

-- What of() made the name from.
---@param name string
---@return string
function M.text(name)
  return (name:gsub("%%(%x%x)", function(code)
    return string.char(tonumber(code, 16))
  end))
end

return M
