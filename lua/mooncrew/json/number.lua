-- Numbers as canonical JSON: integers up to 2^53 - 1 by their digits, all others in the fewest digits that read back
-- as the same number. Beyond 2^53 - 1 they carry an exponent: written by its digits alone, a number there would look
-- like an integer that was meant exactly, and decode would refuse it. Minus zero keeps its sign: it is another number.

local int64 = require "mooncrew.json.int64"

local floor, huge = math.floor, math.huge
local MAX_EXACT = int64.MAX_EXACT
local SMALLEST_NORMAL = 2.2250738585072014e-308
local TOSTRING_EXACT = 1e14 -- below this, tostring writes every digit of an integer

local formats = {}
for digits = 1, 17 do
  formats[digits] = { general = "%." .. digits .. "g", exponent = "%." .. (digits - 1) .. "e" }
end

-- Up to 15 digits survive the way into a double and back, so only subnormal numbers need fewer to be tried.
local function shortest(value, style)
  local magnitude = value < 0 and -value or value
  for digits = magnitude < SMALLEST_NORMAL and 1 or 15, 17 do
    local text = formats[digits][style]:format(value)
    if tonumber(text) == value then
      return text
    end
  end
end

-- "9.007199254740990e+15" → "9.00719925474099e+15"; and the decimal comma of a locale is a point
local function tidy(text)
  return (text:gsub(",", "."):gsub("%.?0+e", "e"))
end

--- The text of a finite number; nil for an infinite one and for not-a-number.
---@param value number
---@return string|nil
return function(value)
  if value ~= value or value == huge or value == -huge then
    return nil
  end
  if floor(value) ~= value then
    return (shortest(value, "general"):gsub(",", "."))
  end
  if value == 0 then
    return 1 / value < 0 and "-0" or "0"
  end
  if value < TOSTRING_EXACT and value > -TOSTRING_EXACT then
    return tostring(value)
  end
  if value <= MAX_EXACT and value >= -MAX_EXACT then
    return ("%.0f"):format(value)
  end
  return tidy(shortest(value, "exponent"))
end
