-- Durations as people write them: "1h30m", "10s", "250ms", "1.5h", "2d", or a number of seconds. The same grammar as
-- the runtime's own (runtime/base/duration.h): each unit at most once, in any order; nothing negative.

local M = {}

local UNITS_MS = { ms = 1, s = 1000, m = 60000, h = 3600000, d = 86400000 }
local MAX_MS = 3.15e14 -- ten thousand years

local function refuse(value)
  if type(value) == "number" and value < 0 or type(value) == "string" and value:find "^%s*%-[%d.]" then
    return nil, ("a duration must not be negative, as '%s' is"):format(value)
  end
  return nil, ('%s is no duration: write seconds or units such as "90s", "1h30m", "250ms"'):format(
    type(value) == "string" and ("'%s'"):format(value) or tostring(value))
end

local function to_seconds(ms, value)
  if not (ms >= 0 and ms <= MAX_MS) then
    return refuse(value)
  end
  return (ms > 0 and math.max(1, math.floor(ms + 0.5)) or 0) / 1000 -- what is short must not become 0, which is none
end

-- One "1.5h" at position `at`: its milliseconds, its unit and where the next one begins.
local function read_part(text, at)
  local digits, unit, rest = text:match("^([%d.]+)([^%d.]*)()", at)
  local number = digits and tonumber(digits)
  if unit == "" and at == 1 then
    unit = "s" -- a bare number means seconds
  end
  if number and UNITS_MS[unit] then
    return number * UNITS_MS[unit], unit, rest
  end
end

local function parse(text)
  local total, seen, at = 0, {}, 1
  repeat
    local ms, unit, rest = read_part(text, at)
    if not ms or seen[unit] then
      return refuse(text)
    end
    seen[unit], total, at = true, total + ms, rest
  until at > #text
  return to_seconds(total, text)
end

--- Seconds, to the millisecond; more than 0 is at least one.
---@param value number|string  seconds, or a text with units
---@return number|nil seconds
---@return string? message
function M.seconds(value)
  if type(value) == "number" then
    return to_seconds(value * 1000, value)
  elseif type(value) == "string" then
    return parse(value)
  end
  return nil, ("a duration is a number of seconds or a text such as \"1h30m\", not a %s"):format(type(value))
end

return M
