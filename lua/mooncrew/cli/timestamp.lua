-- Points in time as people write them: 2030-01-31T12:00:00Z, 2030-01-31T13:00:00+01:00, or unix seconds.

local M = {}

-- Days since 1970-01-01 of a date in the Gregorian calendar, counted in years that begin in March.
local function days_of(year, month, day)
  if month <= 2 then
    year, month = year - 1, month + 12
  end
  return 365 * year + math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
    + math.floor((153 * (month - 3) + 2) / 5) + day - 719469
end

local function offset_of(zone)
  if zone == "Z" or zone == "z" then
    return 0
  end
  local sign, hours, minutes = zone:match("^([+-])(%d%d):?(%d%d)$")
  if not sign or tonumber(hours) > 23 or tonumber(minutes) > 59 then
    return nil
  end
  local seconds = hours * 3600 + minutes * 60
  return sign == "-" and -seconds or seconds
end

local function parse_iso(text)
  local year, month, day, hour, minute, second, zone = text:match(
    "^(%d%d%d%d)-(%d%d)-(%d%d)[Tt ](%d%d):(%d%d):(%d%d)(.+)$")
  local offset = zone and offset_of(zone)
  if not offset then
    return nil
  end
  local clock = hour * 3600 + minute * 60 + second
  local seconds = days_of(tonumber(year), tonumber(month), tonumber(day)) * 86400 + clock - offset
  -- What the calendar does not have (the 30th of February, 25 o'clock) comes back as something else.
  if os.date("!%Y-%m-%dT%H:%M:%S", seconds + offset) ~= text:sub(1, 10) .. "T" .. text:sub(12, 19) then
    return nil
  end
  return seconds
end

--- Unix seconds.
---@param text string
---@return number|nil seconds
---@return string? message
function M.parse(text)
  local seconds = text:match("^%d+%.?%d*$") and tonumber(text) or parse_iso(text)
  if not seconds then
    return nil, ("'%s' is no time: write 2030-01-31T12:00:00Z or unix seconds"):format(text)
  end
  return seconds
end

--- The time in UTC, to the second.
---@param seconds number
---@return string
function M.format(seconds)
  return os.date("!%Y-%m-%dT%H:%M:%SZ", seconds)
end

--- The same for a time that there may not be: nil for nil and for 0.
---@param seconds number|nil
---@return string|nil
function M.known(seconds)
  return seconds and seconds > 0 and M.format(seconds) or nil
end

return M
