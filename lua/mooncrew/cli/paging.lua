-- The flags of lists that come in pages.

local M = {}

local function whole(flag, least, most)
  return function(text)
    local number = text:match("^%d+$") and tonumber(text)
    if not number or number < least or number > most then
      return nil, ("%s must be a whole number from %d to %d, not '%s'"):format(flag, least, most, text)
    end
    return number
  end
end

--- Adds --size and --page.
---@param parser table
function M.describe(parser)
  parser:option("--size"):argname("N"):default("30"):convert(whole("--size", 1, 1000))
    :description("how many a page holds, at most 1000")
  parser:option("--page"):argname("N"):convert(whole("--page", 1, 2 ^ 31 - 1)):description("which page, from 1")
end

M.whole = whole

return M
