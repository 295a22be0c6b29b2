-- Texts inside of C: string literals and comments.

local M = {}

--- A string literal of these bytes.
---@param text string
---@return string
function M.literal(text)
  return '"' .. text:gsub('[%c"\\?\127-\255]', function(char)
    return (char == '"' or char == "\\") and "\\" .. char or ("\\%03o"):format(char:byte())
  end) .. '"'
end

--- A text that can stand in a comment.
---@param text string
---@return string
function M.comment(text)
  return (text:gsub("[%s%c]+", " "):gsub("%*/", "* /"):gsub("/%*", "/ *"))
end

return M
