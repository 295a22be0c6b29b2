-- What a script asks for, checked and made plain for a backend. One table of names, each with its reader; nothing else
-- knows the names.

local base64 = require "mooncrew.base64"
local duration = require "mooncrew.duration"
local form = require "mooncrew.http.form"
local headers = require "mooncrew.http.headers"
local json = require "mooncrew.json"
local multipart = require "mooncrew.http.multipart"
local read_options = require "mooncrew.read_options"
local unknown = require "mooncrew.unknown"
local url = require "mooncrew.http.url"

local M = {}

M.TIMEOUT = 60 -- seconds
M.CONNECT_TIMEOUT = 10 -- seconds
M.REDIRECTS = 5
M.MAX_SIZE = 16 * 1024 * 1024 -- bytes, of what is kept in memory

---@class mooncrew.http.Options
---@field method string|nil  GET unless given
---@field url string
---@field headers table<string, string|string[]>|nil
---@field query table<string, any>|nil  added to that of the url; an array repeats its name
---@field json any  sent as canonical JSON; of json, form, body and multipart at most one
---@field form table<string, any>|nil  sent as application/x-www-form-urlencoded
---@field body string|nil  sent as it is
---@field multipart table|nil  fields and files, see mooncrew.http.multipart
---@field to_file string|nil  path: the body of a 2xx answer goes there, and the file appears when it is whole
---@field timeout number|string|nil  for all of it, redirects included; 60 s unless given; 0: none
---@field connect_timeout number|string|nil  10 s unless given
---@field redirects integer|nil  how many are followed; 5 unless given; 0: none
---@field max_size integer|nil  bytes; 16 MB in memory unless given, no limit for to_file
---@field verify boolean|nil  false: the server's certificate is not checked
---@field ca_file string|nil  path: the certificates to trust instead of the system's
---@field auth table|nil  {user=, password=} or {bearer=}
---@field proxy string|false|nil  its URL; that of http_proxy, https_proxy and no_proxy unless given; false: none

---@class mooncrew.http.Request  what a backend gets
---@field method string
---@field url string  without user, password and fragment
---@field headers table<string, string|string[]>  names in lower case
---@field body string|nil
---@field parts mooncrew.http.Part[]|nil  instead of body
---@field to_file string|nil
---@field timeout number|nil  seconds
---@field connect_timeout number|nil  seconds
---@field max_size integer|nil  bytes
---@field verify boolean
---@field ca_file string|nil
---@field proxy string|nil  "": none, nil: by the environment

-- Readers: (value) → plain value | nil, what is wrong.

local function text(value)
  if type(value) ~= "string" then
    return nil, "expected string, got " .. type(value)
  elseif value == "" or value:find("[%z\r\n]") then
    return nil, "must be one line, and not empty"
  end
  return value
end

local function bytes(value)
  if type(value) ~= "string" then
    return nil, "expected string, got " .. type(value)
  end
  return value
end

local function method(value)
  if not headers.is_token(value) then
    return nil, ("%q is no HTTP method"):format(tostring(value))
  end
  return value:upper()
end

local function seconds(value)
  return duration.seconds(value)
end

local function count(value)
  if type(value) ~= "number" or value < 0 or value ~= math.floor(value) or value > 2 ^ 53 then
    return nil, ("expected a whole number from 0, got %s"):format(tostring(value))
  end
  return value
end

local function flag(value)
  if type(value) ~= "boolean" then
    return nil, "expected boolean, got " .. type(value)
  end
  return value
end

local function query(value)
  return form.encode(value, "%20")
end

local function proxy(value)
  if value == false then
    return ""
  end
  return text(value)
end

local function basic(user, password)
  local ok = type(user) == "string" and type(password or "") == "string" and not user:find(":", 1, true)
  if not ok then
    return nil, "user (without a colon) and password must be strings"
  end
  return "Basic " .. base64(user .. ":" .. (password or ""))
end

-- The value of the Authorization header. A message never holds a secret.
local function auth(value)
  local known = { user = true, password = true, bearer = true }
  if type(value) ~= "table" then
    return nil, "expected table, got " .. type(value)
  end
  for name in pairs(value) do
    if not known[name] then
      return nil, (unknown("field", name, known))
    end
  end
  if value.bearer == nil then
    return basic(value.user, value.password)
  elseif type(value.bearer) ~= "string" or value.bearer:find("[^\33-\126]") or value.user then
    return nil, "bearer must be a token in ASCII, and stand alone"
  end
  return "Bearer " .. value.bearer
end

local READERS = {
  method = method, url = bytes, headers = headers.check, query = query, body = bytes, multipart = multipart,
  to_file = text, timeout = seconds, connect_timeout = seconds, redirects = count, max_size = count, verify = flag,
  ca_file = text, auth = auth, proxy = proxy,
  form = function(value)
    return form.encode(value, "+")
  end,
  json = function(value)
    return json.encode(value, "json")
  end,
}

local BODIES = { json = "application/json", form = "application/x-www-form-urlencoded", body = false,
  multipart = false }
local EXPECT_BODY = { POST = true, PUT = true, PATCH = true }

local function the_body(read)
  local found
  for _, name in ipairs { "json", "form", "body", "multipart" } do
    if read[name] ~= nil then
      if found then
        return nil, ("%s and %s are both given: leave one out"):format(found, name)
      end
      found = name
    end
  end
  return found or false
end

-- Authorization: what auth says, or else what stands in the url; a header of the script's own wins over that.
local function authorize(request, read, parsed)
  local from_url = parsed.user and basic(parsed.user, parsed.password)
  request.headers.authorization = read.auth or request.headers.authorization or from_url
end

local function plain_request(read, parsed, body)
  local request = {
    method = read.method or "GET", url = url.format(parsed), headers = read.headers or {}, to_file = read.to_file,
    timeout = read.timeout or M.TIMEOUT, connect_timeout = read.connect_timeout or M.CONNECT_TIMEOUT,
    max_size = read.max_size or not read.to_file and M.MAX_SIZE or nil, verify = read.verify ~= false,
    ca_file = read.ca_file, proxy = read.proxy, parts = read.multipart,
    body = body and body ~= "multipart" and read[body] or nil,
  }
  if request.timeout == 0 then
    request.timeout = nil
  end
  if not body and EXPECT_BODY[request.method] then
    request.body = ""
  end
  if body and BODIES[body] then
    request.headers["content-type"] = request.headers["content-type"] or BODIES[body]
  elseif request.parts then
    request.headers["content-type"] = nil -- it names the boundary
  end
  authorize(request, read, parsed)
  return request
end

--- Checks the options of a request.
---@param options mooncrew.http.Options
---@return mooncrew.http.Request|nil request
---@return integer|string redirects_or_message  how many redirects to follow
---@return string|nil code  INVALID_URL at run time; nil: misuse
function M.read(options)
  local read, message = read_options(options, READERS)
  if not read then
    return nil, message
  elseif not read.url then
    return nil, "url is missing"
  end
  local body
  body, message = the_body(read)
  if body == nil then
    return nil, message
  end
  local parsed, reason = url.parse(read.url)
  if parsed and parsed.user and parsed.user:find(":", 1, true) then
    parsed, reason = nil, "its user has a colon"
  end
  if not parsed then
    return nil, ("'%s' is no address to send a request to: %s"):format(url.show_text(read.url), reason), "INVALID_URL"
  end
  url.add_query(parsed, read.query or "")
  return plain_request(read, parsed, body), read.redirects or M.REDIRECTS
end

return M
