-- The default backend of mooncrew.mail: one message to one SMTP server, by libcurl.

local server_of = require "mooncrew.mail.server"
local transfer = require "mooncrew.transfer"

local VERIFY_HOST = 2 -- curl's number for "its certificate names it"
local USE_SSL = { never = 0, try = 1, require = 3 } -- curl's CURLUSESSL_NONE, _TRY and _ALL
local MAX_REPLIES = 1024 * 1024 -- bytes

local function milliseconds(seconds)
  return math.min(math.max(0, math.ceil(seconds * 1000)), 2 ^ 31 - 1)
end

local function bracketed(addresses)
  local list = {}
  for i, address in ipairs(addresses) do
    list[i] = "<" .. address .. ">"
  end
  return list
end

-- Curl would hand on a connection that STARTTLS encrypted without a look at how its certificate was checked.
local function is_for_once(server)
  return not server.secure and server.starttls ~= "never" and 1 or 0
end

local function native_request(message, server)
  local verify, once = server.verify ~= false, is_for_once(server)
  return {
    protocols = "smtp,smtps", url = server.url, sender = "<" .. message.from.address .. ">",
    recipients = bracketed(message.recipients), mail = message.bytes, username = server.username,
    password = server.password, use_ssl = server.secure and USE_SSL.require or USE_SSL[server.starttls],
    timeout_ms = milliseconds(server.timeout or server_of.TIMEOUT),
    connect_timeout_ms = milliseconds(server.connect_timeout or server_of.CONNECT_TIMEOUT),
    verify_peer = verify and 1 or 0, verify_host = verify and VERIFY_HOST or 0, ca_file = server.ca_file,
    fresh = once, once = once, proxy = "", max_file = 0, max_memory = MAX_REPLIES,
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

-- What a failure is once the server has said no: for now (4) or for good (5).
local REFUSALS = { ["4"] = "DEFERRED", ["5"] = "REJECTED" }
local OWN_CODES = { TIMEOUT = true, TLS = true, RESOLVE = true, UNAVAILABLE = true }

local function failure(server, message, code, head)
  local reply, class = last_reply(head)
  if reply and REFUSALS[class] and not OWN_CODES[code] then
    return nil, ("%s: the server refused: %s"):format(server.shown, reply), REFUSALS[class]
  end
  return nil, ("%s: %s"):format(server.shown, message), code
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
  local answer, _, head
  answer, wrong, code, _, head = transfer.run(native_request(message, server))
  if not answer then
    return failure(server, wrong, code, head)
  end
  return { reply = last_reply(answer.head) }
end

return backend
