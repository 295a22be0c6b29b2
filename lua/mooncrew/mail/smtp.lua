-- The default backend of mooncrew.mail: one message to one SMTP server, by libcurl.

local base64 = require "mooncrew.base64"
local server_of = require "mooncrew.mail.server"
local talk = require "mooncrew.mail.talk"
local transfer = require "mooncrew.transfer"

local SHORTEST_SECRET = 4 -- characters; a shorter one would be found in every number
local VERIFY_HOST = 2 -- curl's number for "its certificate names it"
local USE_SSL = { never = 0, try = 1, require = 3 } -- curl's CURLUSESSL_NONE, _TRY and _ALL

local function milliseconds(seconds)
  return math.min(math.max(0, math.ceil(seconds * 1000)), 2 ^ 31 - 1)
end

local function native_request(server)
  local verify = server.verify ~= false
  return {
    protocols = "smtp,smtps", url = server.url, connect_only = true, username = server.username,
    password = server.password, use_ssl = server.secure and USE_SSL.require or USE_SSL[server.starttls],
    timeout_ms = milliseconds(server.timeout or server_of.TIMEOUT),
    connect_timeout_ms = milliseconds(server.connect_timeout or server_of.CONNECT_TIMEOUT),
    verify_peer = verify and 1 or 0, verify_host = verify and VERIFY_HOST or 0, ca_file = server.ca_file,
    proxy = "", max_file = 0, max_memory = 0,
  }
end

-- The server's last reply, on one line: "550 5.1.1 no such user"; and its first digit.
local function last_reply(head)
  local lines = {}
  for line in (head or ""):gmatch("[^\r\n]+") do
    lines[#lines + 1] = line
  end
  local code = lines[#lines] and lines[#lines]:match("^(%d%d%d)[ -]?")
  if not code then
    return nil
  end
  local texts = {}
  for i = #lines, 1, -1 do
    if lines[i]:sub(1, 3) ~= code or (i < #lines and lines[i]:sub(4, 4) ~= "-") then
      break
    end
    table.insert(texts, 1, lines[i]:sub(5))
  end
  return code .. " " .. table.concat(texts, " "), code:sub(1, 1)
end

-- What the server says may repeat what it was told.
local function hide_password(server, text)
  local password = server.password
  if not password or #password < SHORTEST_SECRET then
    return text
  end
  local plain = ("\0%s\0%s"):format(server.username or "", password)
  for _, secret in ipairs { base64(plain), base64(password), password } do
    text = text:gsub(secret:gsub("%p", "%%%0"), "xxxxxx")
  end
  return text
end

-- What a failure is once the server has said no: for now (4) or for good (5).
local REFUSALS = { ["4"] = "DEFERRED", ["5"] = "REJECTED" }
local OWN_CODES = { TIMEOUT = true, TLS = true, RESOLVE = true, UNAVAILABLE = true }

local function refusal(server, reply, class)
  reply = hide_password(server, reply)
  return nil, ("%s: the server refused: %s"):format(server.shown, reply), REFUSALS[class]
end

-- Why there is no connection, or no login.
local function connect_failure(server, message, code, head)
  local reply, class = last_reply(head)
  if reply and REFUSALS[class] and not OWN_CODES[code] then
    return refusal(server, reply, class)
  elseif code == "INVALID_RESPONSE" then
    code = "CONNECTION"
  end
  return nil, ("%s: %s"):format(server.shown, message), code
end

-- The connection is closed in any case.
local function finish(handle, ok, reply, ...)
  transfer.close(handle, ok and reply and "QUIT\r\n" or "")
  if not ok then
    error(reply, 0)
  end
  return reply, ...
end

--- Sends the message; all recipients get it, or none.
---@param message mooncrew.mail.Message
---@return table|nil answer  {reply=}
---@return string? message
---@return string? code
local function backend(message)
  local server, wrong, code = server_of.resolve(message.smtp)
  if not server then
    return nil, wrong, code
  end
  local connected, reply, head, _
  connected, wrong, code, _, head = transfer.run(native_request(server))
  if not connected then
    return connect_failure(server, wrong, code, head)
  end
  local function exchange(bytes)
    return transfer.exchange(connected.handle, bytes)
  end
  reply, wrong, code = finish(connected.handle, pcall(talk.send, exchange, message, connected.head))
  if not reply then
    return nil, ("%s: %s"):format(server.shown, wrong), code
  elseif reply.code:sub(1, 1) ~= "2" then
    return refusal(server, reply.text, reply.code:sub(1, 1))
  end
  return { reply = reply.text }
end

return backend
