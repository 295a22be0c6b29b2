-- A receiver of webhooks: luajit demo/receiver.lua LOG
--
-- Listens on a free port of 127.0.0.1, prints it, and appends every request to LOG, a line of JSON each:
-- {"path":…,"status":…,"headers":{…},"body":…}. The path says what it answers:
--
--   /gone    410, always              /busy    503 with Retry-After in seconds, once; then 200
--   /moved   307 to /hook             /later   503 with Retry-After as a date, once; then 200
--   /silent  nothing, ever            /big     200 and a megabyte
--   others   200

local cjson = require "cjson"
local uv = require "luv"

local log = assert(io.open(arg[1], "a"))
local seen = {} -- requests by path

local ANSWERS = {
  ["/gone"] = function()
    return 410
  end,
  ["/moved"] = function()
    return 307, "Location: /hook\r\n"
  end,
  ["/busy"] = function(count)
    return count == 1 and 503 or 200, count == 1 and "Retry-After: 1\r\n" or ""
  end,
  ["/later"] = function(count)
    local date = os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() + 3)
    return count == 1 and 503 or 200, count == 1 and ("Retry-After: %s\r\n"):format(date) or ""
  end,
  ["/big"] = function()
    return 200, "", ("x"):rep(2 ^ 20)
  end,
}

local function ok()
  return 200
end

local function note(path, status, headers, body)
  log:write(cjson.encode({ path = path, status = status, headers = headers, body = body }), "\n")
  log:flush()
end

local function answer(client, path, headers, body)
  seen[path] = (seen[path] or 0) + 1
  if path == "/silent" then
    return note(path, 0, headers, body)
  end
  local status, more, text = (ANSWERS[path] or ok)(seen[path])
  text = text or "noted\n"
  note(path, status, headers, body)
  local head = ("HTTP/1.1 %d Whatever\r\n%sContent-Length: %d\r\nConnection: close\r\n\r\n"):format(
    status, more or "", #text)
  client:write(head .. text, function()
    if not client:is_closing() then
      client:close()
    end
  end)
end

-- A whole request: its path, its headers by lower-case name, its body; nothing while it is not whole.
local function parse(text)
  local head, at = text:match("^(.-\r\n)\r\n()")
  if not head then
    return nil
  end
  local headers = {}
  for name, value in head:gmatch("\r\n([^:\r\n]+): *([^\r\n]*)") do
    headers[name:lower()] = value
  end
  local size = tonumber(headers["content-length"] or 0)
  if #text < at - 1 + size then
    return nil
  end
  return head:match("^%S+ (%S+)"), headers, text:sub(at, at - 1 + size)
end

local server = uv.new_tcp()
assert(server:bind("127.0.0.1", 0))
assert(server:listen(64, function()
  local client, text = uv.new_tcp(), ""
  server:accept(client)
  client:read_start(function(_, chunk)
    if not chunk then
      return client:is_closing() or client:close()
    end
    text = text .. chunk
    local path, headers, body = parse(text)
    if path then
      client:read_stop()
      answer(client, path, headers, body)
    end
  end)
end))
print(server:getsockname().port)
io.stdout:flush()
uv.run()
