-- Retry-After of HTTP (RFC 9110, 10.2.3): a number of seconds, or a date in one of the three forms that HTTP knows.

local M = {}

local MONTHS = { Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9, Oct = 10, Nov = 11,
  Dec = 12 }

-- Each with the names of what its captures are.
local FORMS = {
  { "^%a+, (%d%d) (%a%a%a) (%d%d%d%d) (%d%d):(%d%d):(%d%d) GMT$", "day", "month", "year", "hour", "minute", "second" },
  { "^%a+, (%d%d)%-(%a%a%a)%-(%d%d) (%d%d):(%d%d):(%d%d) GMT$", "day", "month", "year", "hour", "minute", "second" },
  { "^%a+ (%a%a%a) +(%d%d?) (%d%d):(%d%d):(%d%d) (%d%d%d%d)$", "month", "day", "hour", "minute", "second", "year" },
}

-- Days from 1970-01-01 in the Gregorian calendar. A year is counted from March on, so that its odd day is the last.
local function days(year, month, day)
  if month <= 2 then
    year, month = year - 1, month + 12
  end
  return 365 * year + math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
    + math.floor((153 * (month - 3) + 2) / 5) + day - 1 - 719468
end

local function read_form(form, text)
  local values = { text:match(form[1]) }
  if #values == 0 then
    return nil
  end
  local date = {}
  for i, value in ipairs(values) do
    date[form[i + 1]] = MONTHS[value] or tonumber(value)
  end
  return date.month and date
end

-- Two digits mean the year that is nearest.
local function whole_year(year, now)
  if year > 99 then
    return year
  end
  local this_year = math.floor(now / 86400 / 365.2425) + 1970
  return this_year + (year - this_year + 50) % 100 - 50
end

local function read_date(text, now)
  for _, form in ipairs(FORMS) do
    local date = read_form(form, text)
    if date then
      return days(whole_year(date.year, now), date.month, date.day) * 86400
        + date.hour * 3600 + date.minute * 60 + date.second
    end
  end
end

-- How long to wait; nil when there is no such header, or it makes no sense.
---@param text string|nil the header's value
---@param now integer unix seconds
---@return integer|nil seconds 0 for a date that is over
function M.seconds(text, now)
  if not text then
    return nil
  end
  if text:find("^%d+$") then
    return tonumber(text)
  end
  local date = read_date(text, now)
  return date and math.max(0, date - now)
end

return M
