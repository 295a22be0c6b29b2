-- A raised value as text for people. Handlers may raise anything, and what they raise may fail to show itself.

local json = require "mooncrew.json"

-- A raised value in words. Strings have their place in them already.
local function describe(value)
  local kind = type(value)
  if kind == "string" then
    return value ~= "" and value or "an error without a message (the string is empty)"
  elseif value == nil then
    return "an error without a message (nil was raised)"
  elseif kind ~= "table" or (getmetatable(value) or {}).__tostring then
    local text = tostring(value)
    return kind == "table" and text or ("a %s was raised as an error: %s"):format(kind, text)
  elseif type(value.message) == "string" then
    return value.message
  end
  return "a table was raised as an error: " .. (json.encode(value) or "it cannot be shown as JSON")
end

--- A raised value as text for people.
---@param value any
---@return string
return function(value)
  local ok, text = pcall(describe, value) -- it calls the user's __tostring
  return ok and tostring(text) or "an error whose text cannot be read"
end
