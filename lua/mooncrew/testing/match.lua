-- Whether something is as a test expects it, as far as the test says something about it.

local M = {}

local function is_matcher(value)
  local found, match = pcall(require, "luassert.match")
  return found and match.is_matcher(value)
end

-- A list is to be matched from its first to its last item; of other tables only what is named.
local function fields_match(expected, actual)
  if #expected > 0 and #expected ~= #actual then
    return false
  end
  for name, value in pairs(expected) do
    if not M.matches(value, actual[name]) then
      return false
    end
  end
  return true
end

--- Values are to be equal; tables are to hold at least what is expected, in depth; a matcher of luassert decides by
--- itself.
---@param expected any
---@param actual any
---@return boolean
function M.matches(expected, actual)
  if type(expected) ~= "table" then
    return expected == actual
  elseif is_matcher(expected) then
    return expected(actual)
  end
  return rawequal(expected, actual) or type(actual) == "table" and fields_match(expected, actual)
end

--- Whether a text holds another one, or fits it as a pattern of Lua.
---@param text string|nil
---@param wanted string
---@return boolean
function M.text(text, wanted)
  if not text then
    return false
  elseif text:find(wanted, 1, true) then
    return true
  end
  local ok, at = pcall(string.find, text, wanted)
  return ok and at ~= nil
end

return M
