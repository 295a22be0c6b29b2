-- How deep a value of the caller's is nested. A schema that refers to itself would follow a table that contains itself
-- for ever; JSON could not hold it either.

local native = require "mooncrew.native"

local M = {}

local next = native.next
local MAX_DEPTH = native.json_max_depth

local function too_deep(value, left)
  if left == 0 then
    return true
  end
  for _, field in next, value do
    if type(field) == "table" and too_deep(field, left - 1) then
      return true
    end
  end
  return false
end

--- Nothing when all is well, else the steps to what is wrong, and a message.
---@param value any
---@return string|nil steps, string|nil message
function M.check(value)
  if type(value) == "table" and too_deep(value, MAX_DEPTH) then
    return "", ("nested deeper than %d levels, or contains itself"):format(MAX_DEPTH)
  end
end

return M
