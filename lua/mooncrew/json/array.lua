-- The mark that tells an array from an object, and null.

local cjson = require "cjson"

local M = {}

M.metatable = { __name = "mooncrew.array" }
M.null = cjson.null

--- Marks the table; nil and a message when it has another metatable.
function M.mark(items)
  local other = getmetatable(items)
  if other ~= nil and other ~= M.metatable then
    return nil, "the table has a metatable of its own"
  end
  return setmetatable(items, M.metatable)
end

function M.is(value)
  return type(value) == "table" and (getmetatable(value) == M.metatable or rawget(value, 1) ~= nil)
end

return M
