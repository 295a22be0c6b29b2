-- Whether a number is a multiple of another one. Decimal fractions count as they are written: 0.0075 is a multiple of
-- 0.0001, though the doubles are not, and 0.30000000000000004 is none of 0.1, though 3 * 0.1 gives that double.

local number_text = require "mooncrew.json.number"

local MAX_FACTOR = 9e14 -- ten times as much, and a digit more, is still exact in a double

-- The digits of a positive number without zeros at either end, and the power of ten that they count.
local function digits_of(number)
  local mantissa, exponent = number_text(number):match("^([^e]+)e?(.*)$")
  local whole, fraction = mantissa:match("^(%d+)%.?(%d*)$")
  local digits, zeros = (whole .. fraction):match("^0*(.-)(0*)$")
  return digits, (tonumber(exponent) or 0) - #fraction + #zeros
end

-- Long division; what stands behind the digits is as many zeros.
local function has_remainder(digits, zeros, factor)
  local rest = 0
  for i = 1, #digits do
    rest = (rest * 10 + digits:byte(i) - 48) % factor
  end
  for _ = 1, zeros do
    if rest == 0 then
      break
    end
    rest = rest * 10 % factor
  end
  return rest ~= 0
end

local function is_decimal_multiple(value, factor)
  local digits, power = digits_of(value)
  local factor_digits, factor_power = digits_of(factor)
  if power < factor_power then
    return false
  end
  local whole = tonumber(factor_digits)
  if whole > MAX_FACTOR then
    return math.fmod(value, factor) == 0
  end
  return not has_remainder(digits, power - factor_power, whole)
end

--- Both are numbers, or both 64-bit integers; the factor is finite and above 0.
---@param value number|ffi.cdata*
---@param factor number|ffi.cdata*
---@return boolean
return function(value, factor)
  if type(value) == "cdata" then
    return value % factor == 0
  elseif value == 0 then
    return true
  elseif value % 1 == 0 and factor % 1 == 0 then
    return math.fmod(value, factor) == 0
  end
  return value - value == 0 and is_decimal_multiple(value < 0 and -value or value, factor)
end
