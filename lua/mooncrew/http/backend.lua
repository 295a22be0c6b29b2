-- The default backend of mooncrew.http: one request by libcurl.

local headers = require "mooncrew.http.headers"
local transfer = require "mooncrew.transfer"

local UNLIMITED = 2 ^ 53
local IN_MEMORY = 16 * 1024 * 1024 -- of an answer that does not go into the file that it was meant for
local VERIFY_HOST = 2 -- curl's number for "its certificate names it"

local function milliseconds(seconds)
  return seconds and math.min(math.max(1, math.ceil(seconds * 1000)), 2 ^ 31 - 1)
end

-- Curl adds some headers itself; an empty one takes its own away.
local function lines_of(request)
  local given, lines = request.headers, headers.lines(request.headers)
  if not given["expect"] then
    lines[#lines + 1] = "Expect:" -- or a large body would wait for a "100 Continue" first
  end
  if request.body and not given["content-type"] then
    lines[#lines + 1] = "Content-Type:"
  end
  if not given["user-agent"] then
    lines[#lines + 1] = "User-Agent: mooncrew"
  end
  return lines
end

-- A folder opens, but does not read.
local function why_unreadable(path)
  local file, message = io.open(path, "rb")
  if not file then
    return message
  end
  local _, problem = file:read(0)
  file:close()
  return problem and ("%s: %s"):format(path, problem)
end

local function unreadable(parts)
  for _, part in ipairs(parts or {}) do
    if part.file then
      local message = why_unreadable(part.file)
      if message then
        return ("multipart: %s: %s"):format(part.name, message)
      end
    end
  end
end

local function native_request(request)
  local max_size = request.max_size or UNLIMITED
  return {
    protocols = "http,https", url = request.url, method = request.method, headers = lines_of(request),
    body = request.body, parts = request.parts, no_body = request.method == "HEAD" and 1 or nil,
    accept_encoding = not request.headers["accept-encoding"] and "gzip, deflate" or nil,
    timeout_ms = milliseconds(request.timeout), connect_timeout_ms = milliseconds(request.connect_timeout),
    verify_peer = request.verify and 1 or 0, verify_host = request.verify and VERIFY_HOST or 0,
    ca_file = request.ca_file, proxy = request.proxy, to_file = request.to_file, max_file = max_size,
    max_memory = request.to_file and math.min(max_size, IN_MEMORY) or max_size,
  }
end

--- Sends one request and waits for the answer; redirects are not followed.
---@param request mooncrew.http.Request
---@return table|nil answer  {status, headers, body, duration}
---@return string? message
---@return string? code
local function backend(request)
  local missing = unreadable(request.parts)
  if missing then
    return nil, missing, "IO_ERROR"
  end
  local answer, message, code = transfer.run(native_request(request))
  if not answer then
    return nil, message, code
  end
  return { status = answer.status, headers = headers.parse(answer.head), body = answer.body,
    duration = answer.duration }
end

return backend
