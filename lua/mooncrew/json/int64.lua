-- 64-bit integers: int64_t in LuaJIT. Plain Lua 5.1 has none, so there only what a number holds exactly.

local has_ffi, ffi = pcall(require, "ffi")

local M = {}

M.MAX_EXACT = 9007199254740991 -- 2^53 - 1: up to here a number is the only one that is written so

local MAX_DIGITS = { ["-"] = "9223372036854775808", [""] = "9223372036854775807" }

local int64 = has_ffi and ffi.typeof("int64_t")
local uint64 = has_ffi and ffi.typeof("uint64_t")
local max_int64 = has_ffi and uint64(2) ^ 63 - 1

local function fits(sign, digits)
  local limit = MAX_DIGITS[sign]
  return #digits < #limit or (#digits == #limit and digits <= limit)
end

--- The integer that a JSON literal such as "-9007199254740993" says.
---@param text string
---@return ffi.cdata*|nil value
---@return string? message
function M.parse(text)
  local sign, digits = text:match("^(%-?)(%d+)$")
  if not fits(sign, digits) then
    return nil, "the integer does not fit into 64 bits"
  end
  if not has_ffi then
    return nil, text .. " needs 64-bit integers, which plain Lua 5.1 does not have; use LuaJIT"
  end
  local value = int64(0)
  for i = 1, #digits do -- downwards, since the lowest int64 has no positive counterpart
    value = value * 10 - (digits:byte(i) - 48)
  end
  return sign == "-" and value or -value
end

--- The decimal digits of an int64_t or uint64_t; nil for anything else.
---@param value any
---@return string|nil
function M.text(value)
  if has_ffi and (ffi.istype(int64, value) or ffi.istype(uint64, value)) then
    return (tostring(value):gsub("U?LL$", ""))
  end
end

--- A value as int64_t (in plain Lua: as it is); nil when it is no integer, or not one that fits.
---@param value any
---@return any|nil
function M.of(value)
  if type(value) == "number" then
    if value % 1 == 0 and value >= -M.MAX_EXACT and value <= M.MAX_EXACT then
      return has_ffi and int64(value) or value + 0
    end
  elseif has_ffi and ffi.istype(int64, value) then
    return value
  elseif has_ffi and ffi.istype(uint64, value) and value <= max_int64 then
    return int64(value)
  end
end

return M
