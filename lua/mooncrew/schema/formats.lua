-- The formats of texts, each as strict as its standard: RFC 3339 for dates, 5321 for addresses of mails, 3986 for URIs,
-- 4291 for IPv6. Nothing here is looked up on a network. `M.text` has a function of the text for each.
--
-- For the formats that are common in payloads a regular expression accepts what nearly all of them look like, which is
-- quick. It decides nothing else: what it does not match is looked at in full.

local native = require "mooncrew.native"

local M = {}

-- ---- dates ----

local DAYS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

local function days_in(year, month)
  local is_leap = year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
  return month == 2 and is_leap and 29 or DAYS[month] or 0
end

local function is_date(text)
  local year, month, day = text:match("^(%d%d%d%d)%-(%d%d)%-(%d%d)$")
  return year ~= nil and tonumber(day) >= 1 and tonumber(day) <= days_in(tonumber(year), tonumber(month))
end

-- Minutes from UTC; nil when it is no offset.
local function offset_minutes(text)
  if text == "Z" or text == "z" then
    return 0
  end
  local sign, hours, minutes = text:match("^([+-])(%d%d):(%d%d)$")
  if not sign or tonumber(hours) > 23 or tonumber(minutes) > 59 then
    return nil
  end
  return (sign == "-" and -1 or 1) * (hours * 60 + minutes)
end

local function is_time(text)
  local hour, minute, second, rest = text:match("^(%d%d):(%d%d):(%d%d)(.*)$")
  local offset = rest and offset_minutes((rest:gsub("^%.%d+", "")))
  if not offset or tonumber(hour) > 23 or tonumber(minute) > 59 then
    return false
  elseif tonumber(second) == 60 then -- a leap second is the last of its day in UTC
    return (hour * 60 + minute - offset) % 1440 == 1439
  end
  return tonumber(second) < 60
end

local function is_date_time(text)
  return text:find("^[Tt]", 11) ~= nil and is_date(text:sub(1, 10)) and is_time(text:sub(12))
end

-- ---- addresses ----

local function is_ipv4(text)
  local parts = { text:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$") }
  for _, part in ipairs(parts) do
    if #part > 3 or tonumber(part) > 255 or part:find("^0%d") then
      return false
    end
  end
  return #parts == 4
end

-- How many groups of 16 bits stand between colons; nil when something else does. The last may be an IPv4 address.
local function count_groups(text, may_end_in_ipv4)
  if text == "" then
    return 0
  end
  local count = 0
  for part, colon in (text .. ":"):gmatch("([^:]*)(:)") do
    count = count + #colon
    if not part:find("^%x%x?%x?%x?$") then
      local is_last = may_end_in_ipv4 and text:sub(-#part - 1) == ":" .. part or text == part
      return is_last and may_end_in_ipv4 and is_ipv4(part) and count + 1 or nil
    end
  end
  return count
end

local function is_ipv6(text)
  local head, tail = text:match("^(.-)::(.*)$")
  if not head then
    return count_groups(text, true) == 8
  end
  local before, after = count_groups(head, false), count_groups(tail, true)
  return before ~= nil and after ~= nil and before + after <= 7
end

local function is_domain(text)
  if #text == 0 or #text > 253 then
    return false
  end
  for label in (text .. "."):gmatch("([^.]*)%.") do
    if #label > 63 or not label:find("^%w[%w-]*$") or label:sub(-1) == "-" then
      return false
    end
  end
  return true
end

local function is_address_literal(text)
  local ipv6 = text:match("^[Ii][Pp][Vv]6:(.*)$")
  if ipv6 then
    return is_ipv6(ipv6)
  end
  return is_ipv4(text)
end

local ATOM = "^[%w!#$%%&'*+/=?^_`{|}~-]+$"

local function is_dotted_atoms(text)
  for atom in (text .. "."):gmatch("([^.]*)%.") do
    if not atom:find(ATOM) then
      return false
    end
  end
  return true
end

local function is_quoted(text)
  local inside = text:match('^"(.*)"$')
  if not inside then
    return false
  end
  inside = inside:gsub("\\[\32-\126]", "")
  return not inside:find('[^\32-\126]') and not inside:find('["\\]')
end

local function is_email(text)
  local mailbox, domain = text:match("^(.+)@([^@]+)$")
  if not mailbox or #mailbox > 64 or #text > 254 then
    return false
  end
  local literal = domain:match("^%[(.*)%]$")
  local is_place = literal and is_address_literal(literal) or not literal and is_domain(domain)
  return is_place and (is_dotted_atoms(mailbox) or is_quoted(mailbox)) or false
end

-- ---- URIs ----

-- Whether a part has but the characters that may stand unescaped everywhere, those named, and escapes.
local function consists_of(part, more)
  if part:find("%%") then
    part = part:gsub("%%%x%x", "")
  end
  return not part:find("[^%w%-._~!$&'()*+,;=" .. more .. "]")
end

local function is_ip_literal(text)
  return is_ipv6(text) or (text:find("^[vV]%x+%..") ~= nil and consists_of(text, ":") and not text:find("%%"))
end

local function is_authority(text)
  local user, place = text:match("^(.*)@(.*)$")
  if user and not consists_of(user, ":") then
    return false
  end
  place = place or text
  local literal, port = place:match("^%[(.*)%](.*)$")
  if literal then
    return is_ip_literal(literal) and (port == "" or port:find("^:%d*$") ~= nil)
  end
  local host
  host, port = place:match("^(.-):(.*)$")
  return consists_of(host or place, "") and (not port or not port:find("%D"))
end

-- What follows the scheme, without query and fragment.
local function is_hierarchy(text)
  local authority, path = text:match("^//([^/]*)(.*)$")
  if authority and not is_authority(authority) then
    return false
  end
  return consists_of(path or text, ":@/")
end

local function is_uri(text)
  local rest, fragment = text:match("^([^#]*)#(.*)$")
  local hierarchy, query = (rest or text):match("^([^?]*)%?(.*)$")
  local scheme, place = (hierarchy or rest or text):match("^([%w+.-]+):(.*)$")
  return scheme ~= nil and scheme:find("^%a") ~= nil and is_hierarchy(place)
    and (not query or consists_of(query, ":@/?")) and (not fragment or consists_of(fragment, ":@/?"))
end

-- ---- others ----

local UUID = "^" .. ("%x"):rep(8) .. ("%-" .. ("%x"):rep(4)):rep(3) .. "%-" .. ("%x"):rep(12) .. "$"

local function is_uuid(text)
  return #text == 36 and text:find(UUID) ~= nil
end

local DAY = [[\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])]] -- those that every month has
local CLOCK, SECOND = [[(?:[01]\d|2[0-3]):[0-5]\d]], [[:[0-5]\d(?:\.\d+)?]]

local function quickly(pattern, in_full)
  local regex = assert(native.regex(pattern))
  return function(text)
    return regex:matches(text) or in_full(text)
  end
end

M.text = {
  date = quickly("^" .. DAY .. "$", is_date),
  time = is_time,
  ["date-time"] = quickly("^" .. DAY .. "T" .. CLOCK .. SECOND .. "(?:Z|[+-]" .. CLOCK .. ")$", is_date_time),
  email = quickly([[^[A-Za-z0-9_+-]{1,32}(?:\.[A-Za-z0-9_+-]{1,30})?@(?:[a-z0-9]{1,63}\.){1,2}[a-z]{2,20}$]], is_email),
  ipv4 = is_ipv4,
  ipv6 = is_ipv6,
  uri = quickly([[^https?://[a-z0-9.-]+(?::\d+)?(?:/[A-Za-z0-9._~/-]*)?$]], is_uri),
  uuid = quickly([[^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$]], is_uuid),
}

return M
