-- Where an answer says that the thing asked for is elsewhere: the request that follows it.
--
-- What it refuses to do: go to anything but http and https; take Authorization and Cookie to another origin (scheme,
-- host and port), whoever had set them; send a body again to where the answer says to GET.

local copy = require "mooncrew.copy"
local url = require "mooncrew.http.url"

local M = {}

local STATUSES = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }
local SECRETS = { "authorization", "cookie", "proxy-authorization" }
local OF_BODY = { "content-type", "content-encoding", "content-language" }

local function first(value)
  return type(value) == "table" and value[1] or value
end

--- Where the answer redirects to, nil when it does not.
---@param answer table  {status, headers}
---@return string|nil
function M.location(answer)
  local location = STATUSES[answer.status] and answer.headers and first(answer.headers.location)
  return location ~= "" and location or nil
end

-- 301 and 302 make a POST a GET, as all browsers do; 303 makes everything but HEAD one.
local function method_after(method, status)
  if method == "POST" and (status == 301 or status == 302) or method ~= "HEAD" and status == 303 then
    return "GET"
  end
  return method
end

local function remove(headers, names)
  for _, name in ipairs(names) do
    headers[name] = nil
  end
end

--- The next request.
---@param request mooncrew.http.Request  stays as it is
---@param status integer
---@param location string
---@return mooncrew.http.Request|nil next, string|nil message, string|nil code
function M.follow(request, status, location)
  local from = url.parse(request.url)
  local to, reason = url.resolve(from, location)
  if not to then
    local shown = url.show_text(location)
    return nil, ("it redirects to '%s', which is not followed: %s"):format(shown, reason), "INVALID_URL"
  end
  local following = copy(request)
  following.headers = copy(request.headers)
  following.url = url.format(to)
  following.method = method_after(request.method, status)
  if following.method ~= request.method then
    following.body, following.parts = nil, nil
    remove(following.headers, OF_BODY)
  end
  if url.origin(from) ~= url.origin(to) then
    remove(following.headers, SECRETS)
  end
  return following
end

return M
