-- HTTP for handlers: crew.http.get(url), crew.http.request { … }. Other tasks run while one waits for an answer.
--
-- An answer is a response, whatever its status says; what failed before there was one is nil, message, code:
--
--   TIMEOUT             no whole answer within `timeout`, or no connection within `connect_timeout`
--   RESOLVE             the host's (or the proxy's) name is not known
--   CONNECTION          no connection, or it broke
--   TLS                 the certificate does not hold, or no encrypted connection came about
--   TOO_LARGE           the answer is larger than max_size, its headers than 256 KB (one of them: 100 KB), or the
--                       request's address and headers than 1 MB
--   TOO_MANY_REDIRECTS  more than `redirects`
--   INVALID_URL         no address of http or https; also one that a redirect names
--   INVALID_RESPONSE    the answer is no HTTP, or its gzip is broken; of response:json(): it is no JSON
--   IO_ERROR            a file (to_file, multipart) cannot be read or written
--   UNAVAILABLE         libcurl is not installed
--
-- A message names method and address, never a query, a user or a password. Options that are wrong are errors.

local backend = require "mooncrew.http.backend"
local options_of = require "mooncrew.http.options"
local redirect = require "mooncrew.http.redirect"
local response = require "mooncrew.http.response"
local url = require "mooncrew.http.url"

local M = {}

--- Sends one request, waits, and returns {status, headers, body, duration} or nil, message, code. Tests put another in
--- its place. Redirects are followed above it.
---@type fun(request: mooncrew.http.Request): table|nil, string|nil, string|nil
M.backend = backend

--- Escapes a text for a path segment: crew.http.escape("a/b") is "a%2Fb".
---@param text string|number
---@return string
function M.escape(text)
  if type(text) ~= "string" and type(text) ~= "number" then
    error(("crew.http.escape: expected string, got %s"):format(type(text)), 2)
  end
  return url.escape(tostring(text))
end

local function describe(request, message)
  return ("%s %s: %s"):format(request.method, url.show(assert(url.parse(request.url))), message)
end

-- The time that is left of the whole; false when it is over.
local function remaining(request, duration)
  if not request.timeout then
    return nil
  end
  local left = request.timeout - duration
  return left > 0 and left
end

-- Sends the request and those it is redirected to.
local function send(request, redirects)
  local spent = 0
  for followed = 0, redirects do
    local answer, message, code = M.backend(request)
    if not answer then
      return nil, describe(request, message), code
    end
    spent = spent + (answer.duration or 0)
    local location = redirects > 0 and redirect.location(answer)
    if not location then
      return response.new(answer, request, spent)
    elseif followed == redirects then
      return nil, describe(request, ("more than %d redirects"):format(redirects)), "TOO_MANY_REDIRECTS"
    end
    local following
    following, message, code = redirect.follow(request, answer.status, location)
    if not following then
      return nil, describe(request, message), code
    end
    following.timeout = remaining(request, answer.duration or 0)
    if following.timeout == false then
      return nil, describe(request, "no time was left to follow a redirect"), "TIMEOUT"
    end
    request = following
  end
end

local function perform(options, caller)
  local request, redirects, code = options_of.read(options)
  if request then
    return send(request, redirects)
  elseif code then
    return nil, redirects, code
  end
  error(("%s: %s"):format(caller, redirects), 3)
end

--- Sends a request and waits for the answer, redirects followed.
---@param options mooncrew.http.Options
---@return mooncrew.http.Response|nil response, string? message, string? code
function M.request(options)
  if type(options) ~= "table" then
    error("http.request: expected table, got " .. type(options), 2)
  end
  local answer, message, code = perform(options, "http.request")
  return answer, message, code
end

local function merged(method, address, options)
  local whole = { method = method, url = address }
  for name, value in pairs(options or {}) do
    if whole[name] ~= nil then
      return nil, name .. " is said already"
    end
    whole[name] = value
  end
  return whole
end

local function shortcut(method)
  local caller = "http." .. method:lower()
  return function(address, options)
    if type(address) ~= "string" then
      error(("%s: url: expected string, got %s"):format(caller, type(address)), 2)
    elseif options ~= nil and type(options) ~= "table" then
      error(("%s: options: expected table, got %s"):format(caller, type(options)), 2)
    end
    local whole, wrong = merged(method, address, options)
    if not whole then
      error(("%s: %s"):format(caller, wrong), 2)
    end
    local answer, message, code = perform(whole, caller)
    return answer, message, code
  end
end

---@alias mooncrew.http.Shortcut
---| fun(url: string, options?: mooncrew.http.Options): mooncrew.http.Response|nil, string|nil, string|nil

---@type mooncrew.http.Shortcut
M.get = shortcut "GET"
---@type mooncrew.http.Shortcut
M.head = shortcut "HEAD"
---@type mooncrew.http.Shortcut
M.post = shortcut "POST"
---@type mooncrew.http.Shortcut
M.put = shortcut "PUT"
---@type mooncrew.http.Shortcut
M.patch = shortcut "PATCH"
---@type mooncrew.http.Shortcut
M.delete = shortcut "DELETE"

return M
