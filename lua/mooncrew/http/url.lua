-- Addresses of HTTP: taken apart, put together, resolved (RFC 3986), and shown without what may be secret in them.

local M = {}

local DEFAULT_PORTS = { http = 80, https = 443 }
local MAX_SHOWN = 300 -- bytes

---@class mooncrew.http.Url
---@field scheme "http"|"https"
---@field host string  lower case; an IPv6 address in brackets
---@field port integer
---@field path string  begins with "/"
---@field query string  "" or begins with "?"
---@field user string|nil  decoded
---@field password string|nil  decoded

local function percent(byte)
  return ("%%%02X"):format(byte:byte())
end

--- Escapes a text for a path segment or a query: all but letters, digits and "-._~".
---@param text string
---@return string
function M.escape(text)
  return (text:gsub("[^%w%-._~]", percent))
end

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(code)
    return string.char(tonumber(code, 16))
  end))
end

local function parse_port(text, default)
  if text == "" or text == ":" then
    return default
  end
  local port = tonumber(text:match("^:(%d+)$"))
  return port and port >= 1 and port <= 65535 and port or nil
end

-- "host:port" → host, port
local function parse_place(text, default_port)
  local host, port = text:match("^(%[[%x:.]+%])(.*)$")
  if not host then
    host, port = text:match("^([^:%[%]]+)(.*)$")
  end
  port = host and parse_port(port, default_port)
  if port and not host:find("[<>\"'`{}|^%%]") then
    return host:lower(), port
  end
end

-- "user:password@" → both, decoded
local function parse_user(text)
  if text == "" then
    return nil
  end
  local user, password = text:match("^([^:]*):(.*)@$")
  return unescape(user or text:sub(1, -2)), password and unescape(password) or nil
end

local function names_of(ports)
  local names = {}
  for scheme in pairs(ports) do
    names[#names + 1] = scheme .. "://"
  end
  table.sort(names)
  return table.concat(names, " or ")
end

--- Takes an absolute address apart. Its fragment is dropped; bytes beyond ASCII in path and query are escaped.
---@param text string
---@param ports table<string, integer>|nil  the schemes that may be, and their ports; http and https unless given
---@return mooncrew.http.Url|nil url, string|nil reason
function M.parse(text, ports)
  ports = ports or DEFAULT_PORTS
  local bad = text:match("[%c \\\127]")
  if bad then
    return nil, bad == "\\" and "it has a backslash" or "it has a blank or control character: escape it"
  end
  local scheme, authority, path, query = text:match("^(%a[%w+.-]*)://([^/?#]*)([^?#]*)([^#]*)")
  scheme = scheme and scheme:lower()
  if not ports[scheme] then
    return nil, "it does not begin with " .. names_of(ports)
  end
  local before, place = authority:match("^(.*@)([^@]*)$")
  local host, port = parse_place(place or authority, ports[scheme])
  if not host then
    return nil, "its host or port is malformed"
  end
  local user, password = parse_user(before or "")
  return { scheme = scheme, host = host, port = port, path = (path == "" and "/" or path):gsub("[\128-\255]", percent),
    query = query:gsub("[\128-\255]", percent), user = user, password = password }
end

--- Scheme, host and port, the port only where it is not the default: "https://example.com:8443".
---@param url mooncrew.http.Url
---@return string
function M.origin(url)
  local port = url.port ~= DEFAULT_PORTS[url.scheme] and ":" .. url.port or ""
  return url.scheme .. "://" .. url.host .. port
end

--- The address, without user and password.
---@param url mooncrew.http.Url
---@return string
function M.format(url)
  return M.origin(url) .. url.path .. (url.query == "?" and "" or url.query)
end

--- For messages: also without the query, where keys and tokens stand, and of a bearable length.
---@param url mooncrew.http.Url
---@return string
function M.show(url)
  local text = M.origin(url) .. url.path
  return #text <= MAX_SHOWN and text or text:sub(1, MAX_SHOWN) .. "…"
end

-- What stands where a port should may be a password, if it is no number.
local function hide_port(text)
  return (text:gsub("^([^/:]*):([^/]*)", function(host, port)
    return host .. ":" .. (port:find("^%d*$") and port or "…")
  end))
end

--- For messages about what could not be taken apart: nothing of it that may be a user, a password or a query.
---@param text string
---@return string
function M.show_text(text)
  local scheme, rest = text:match("^(%a[%w+.-]*://)(.*)$")
  scheme, rest = scheme or "", rest or text
  local head, tail = rest:match("^([^?#]*)(.*)$")
  if head:find("@", 1, true) then
    head = hide_port(head:gsub("^.*@", ""))
  elseif tail:find("@", 1, true) then -- what stands before may be a password with a question mark
    head = "…"
  else
    head = hide_port(head)
  end
  text = (scheme .. head):gsub("[%c\127]", "?")
  return #text <= MAX_SHOWN and text or text:sub(1, MAX_SHOWN) .. "…"
end

local function remove_dots(path)
  local kept = {}
  for segment in path:gmatch("/([^/]*)") do
    local back = segment == ".."
    if back then
      kept[#kept] = nil
    elseif segment ~= "." then
      kept[#kept + 1] = segment
    end
  end
  local folder = path:find("/%.%.?$") and (#kept > 0 and "/" or "") or ""
  return "/" .. table.concat(kept, "/") .. folder
end

--- The absolute address that a reference (a Location header) means.
---@param base mooncrew.http.Url
---@param reference string
---@return mooncrew.http.Url|nil url, string|nil reason
function M.resolve(base, reference)
  reference = reference:gsub(" ", "%%20")
  if reference:find("^%a[%w+.-]*:") then
    return M.parse(reference)
  elseif reference:find("^//") then
    return M.parse(base.scheme .. ":" .. reference)
  end
  local path, query = reference:match("^([^?#]*)(%??[^#]*)")
  if path == "" then
    path, query = base.path, query ~= "" and query or base.query
  elseif path:sub(1, 1) ~= "/" then
    path = base.path:match("^.*/") .. path
  end
  return M.parse(M.origin(base) .. remove_dots(path) .. query)
end

--- The address with more in its query.
---@param url mooncrew.http.Url
---@param more string  "a=1&b=2"
function M.add_query(url, more)
  if more ~= "" then
    local joint = (url.query == "" or url.query == "?") and "?" or url.query .. "&"
    url.query = joint .. more
  end
end

return M
