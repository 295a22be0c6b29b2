-- The SMTP server to send by: what a call, crew.mail.configure and MOONCREW_SMTP_URL say, in this order.

local duration = require "mooncrew.duration"
local read_options = require "mooncrew.read_options"
local url = require "mooncrew.http.url"

local M = {}

M.TIMEOUT = 60 -- seconds
M.CONNECT_TIMEOUT = 10 -- seconds

local PORTS = { smtp = 25, smtps = 465 }
local STARTTLS = { require = true, try = true, never = true }

---@class mooncrew.mail.Server
---@field url string|nil  smtp://host:port, smtps://host, with user:password@ where they are needed
---@field username string|nil
---@field password string|nil
---@field starttls "require"|"try"|"never"|nil  of smtp://; "require" unless given where there is a username, else "try"
---@field timeout number|string|nil  for all of it; 60 s unless given; 0: none
---@field connect_timeout number|string|nil  10 s unless given
---@field verify boolean|nil  false: the server's certificate is not checked
---@field ca_file string|nil  path: the certificates to trust instead of the system's

local function text(value)
  if type(value) ~= "string" or value:find("[%c\127]") then
    return nil, "expected a string on one line"
  end
  return value
end

local function flag(value)
  if type(value) ~= "boolean" then
    return nil, "expected boolean, got " .. type(value)
  end
  return value
end

local function starttls(value)
  if not STARTTLS[value] then
    return nil, ('expected "require", "try" or "never", got %s'):format(tostring(value))
  end
  return value
end

-- The message does not show the address: a malformed one may have its password anywhere.
local function address(value)
  local given, message = text(value)
  if not given then
    return nil, message
  end
  local parsed, reason = url.parse(given, PORTS)
  if not parsed then
    return nil, "this is no address of an SMTP server: " .. reason
  end
  return given
end

local function seconds(value)
  return duration.seconds(value)
end

local READERS = { url = address, username = text, password = text, starttls = starttls, timeout = seconds,
  connect_timeout = seconds, verify = flag, ca_file = text }

--- Checks what a script says of a server.
---@param given mooncrew.mail.Server
---@return mooncrew.mail.Server|nil checked, string|nil message
function M.check(given)
  if type(given) ~= "table" then
    return nil, "expected table, got " .. type(given)
  end
  return read_options(given, READERS)
end

local configured = {}

--- Puts defaults in place; what is not named has none again.
---@param checked mooncrew.mail.Server
function M.configure(checked)
  configured = checked
end

local function from_environment()
  local value = os.getenv("MOONCREW_SMTP_URL")
  if not value or value == "" then
    return nil, "no SMTP server is known: set MOONCREW_SMTP_URL, call crew.mail.configure { url = … } or pass "
      .. "smtp = { url = … }"
  end
  local checked, message = address(value)
  return checked, message and "MOONCREW_SMTP_URL: " .. message
end

local function merged(given)
  local whole = {}
  for _, layer in ipairs { configured, given or {} } do
    for name, value in pairs(layer) do
      whole[name] = value
    end
  end
  return whole
end

--- The server to send by, everything said: url without secrets, username, password, starttls, …
---@param given mooncrew.mail.Server|nil
---@return table|nil server, string|nil message, string|nil code  NOT_CONFIGURED
function M.resolve(given)
  local whole = merged(given)
  if not whole.url then
    local message
    whole.url, message = from_environment()
    if not whole.url then
      return nil, message, "NOT_CONFIGURED"
    end
  end
  local parsed = assert(url.parse(whole.url, PORTS))
  whole.username = whole.username or parsed.user
  whole.password = whole.password or parsed.password
  whole.url, whole.secure = url.format(parsed), parsed.scheme == "smtps"
  whole.shown = url.origin(parsed)
  whole.starttls = whole.starttls or whole.username and "require" or "try"
  return whole
end

return M
