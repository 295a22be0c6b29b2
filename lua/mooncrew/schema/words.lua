-- Words for messages.

local M = {}

local LONGEST_LIST = 300

--- "1 item", "2 items"
function M.plural(count, noun, plural)
  return ("%d %s"):format(count, count == 1 and noun or plural or noun .. "s")
end

--- Values in a row, as JSON; of a long row the beginning.
---@param shown string[]
---@return string
function M.list(shown)
  local text = table.concat(shown, ", ", 1, math.min(#shown, LONGEST_LIST))
  if #text <= LONGEST_LIST then
    return text
  end
  local cut = text:sub(1, LONGEST_LIST):match("^(.*), ") or shown[1]:sub(1, LONGEST_LIST):gsub("[\128-\255]", "?")
  return ("%s … (%d in all)"):format(cut, #shown)
end

return M
