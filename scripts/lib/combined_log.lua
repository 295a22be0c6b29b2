-- Lines of a web server's access log in the combined format (Apache, nginx):
--
--   host ident user [day/month/year:hour:minute:second zone] "request" status bytes "referer" "user agent"
--
-- Further fields at the end are allowed. Inside quotes a backslash escapes the next character.

local M = {}

---@class LogLine
---@field hour string "00" to "23", as the server's clock had it
---@field path string|nil without the query; nil when the request line made no sense, as on a 400
---@field status string three digits
---@field bytes integer of the response's body; 0 for "-"

-- The text between the quotes that open at `at`, and where it goes on behind them; nil when they do not close.
local function quoted(line, at)
  if line:sub(at, at) ~= '"' then
    return nil
  end
  local from = at + 1
  local stop = from
  while true do
    stop = line:find('["\\]', stop)
    if not stop then
      return nil
    end
    if line:sub(stop, stop) == '"' then
      return line:sub(from, stop - 1), stop + 1
    end
    stop = stop + 2
  end
end

-- Servers write odd bytes as \xHH; some let those above 127 pass, which no JSON may hold.
local function printable(text)
  return (text:gsub("[^\32-\126]", function(byte)
    return ("\\x%02X"):format(byte:byte())
  end))
end

local function path_of(request)
  local target = request:match("^%u+ (.+) HTTP/[%d.]+$") or request:match("^%u+ (%S+)$")
  return target and printable(target:match("^[^?]*"))
end

local TIME = "^%d%d/%a%a%a/%d%d%d%d:(%d%d):%d%d:%d%d [+-]%d%d%d%d$"

---@param line string without its line end
---@return LogLine|nil
function M.parse(line)
  local time, at = line:match("^%S+ %S+ .- %[([^%]]+)%] ()")
  local hour = time and time:match(TIME)
  if not hour then
    return nil
  end
  local request, after_request = quoted(line, at)
  if not request then
    return nil
  end
  local status, bytes, referer_at = line:match("^ ([1-5]%d%d) ([%d-]+) ()", after_request)
  bytes = bytes == "-" and 0 or tonumber(bytes)
  if not status or not bytes then
    return nil
  end
  local _, after_referer = quoted(line, referer_at)
  if not after_referer or line:sub(after_referer, after_referer) ~= " " or not quoted(line, after_referer + 1) then
    return nil
  end
  return { hour = hour, path = path_of(request), status = status, bytes = bytes }
end

return M
