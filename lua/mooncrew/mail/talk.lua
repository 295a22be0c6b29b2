-- What is said to an SMTP server to send one message (RFC 5321), once curl has greeted it and logged in.
--
--   MAIL FROM ──▶ RCPT TO, for each ──▶ DATA ──▶ the message ──▶ its reply
--        └────────────┴──────────────────┴─ the first refusal ends it: nobody gets the message

local MAX_REPLY = 64 * 1024 -- bytes

local M = {}

---@class mooncrew.mail.Reply
---@field code string  "250"
---@field text string  on one line, with the code

-- The last line has a blank where the others have a hyphen.
local function is_whole(text)
  return text:find("^%d%d%d[ \r][^\n]*\n") or text:find("\n%d%d%d[ \r][^\n]*\n")
end

local function parse(text)
  local texts, code = {}, nil
  for line in text:gmatch("[^\r\n]+") do
    code = line:match("^(%d%d%d)")
    if not code then
      return nil
    end
    texts[#texts + 1] = line:sub(5)
  end
  return { code = code, text = (code .. " " .. table.concat(texts, " ")):gsub("%c", "?") }
end

-- Says something and hears the whole reply.
local function ask(exchange, bytes)
  local heard = ""
  repeat
    local piece, message, code = exchange(bytes)
    if not piece then
      return nil, message, code
    end
    heard, bytes = heard .. piece, ""
  until is_whole(heard) or #heard > MAX_REPLY
  local reply = is_whole(heard) and parse(heard)
  if not reply then
    return nil, "what the server says is no SMTP", "CONNECTION"
  end
  return reply
end

-- SIZE lets the server refuse a message before it is sent.
local function sender_line(message, greeting, size)
  local knows_size = ("\n" .. greeting:upper()):find("\n250[ -]SIZE")
  return ("MAIL FROM:<%s>%s\r\n"):format(message.from.address, knows_size and " SIZE=" .. size or "")
end

-- A line that begins with a dot gets another one.
local function stuffed(bytes)
  return (("\n" .. bytes):gsub("\n%.", "\n.."):sub(2))
end

-- Each {what is said, the first digit of the reply that goes on}.
local function steps_of(message, greeting)
  local steps = { { sender_line(message, greeting, #message.bytes), "2" } }
  for _, address in ipairs(message.recipients) do
    steps[#steps + 1] = { ("RCPT TO:<%s>\r\n"):format(address), "2" }
  end
  steps[#steps + 1] = { "DATA\r\n", "3" }
  steps[#steps + 1] = { stuffed(message.bytes) .. ".\r\n", "2" }
  return steps
end

--- Sends the message.
---@param exchange fun(bytes: string): string|nil, string|nil, string|nil  says, waits, and gives what was heard
---@param message mooncrew.mail.Message
---@param greeting string  what the server has said so far
---@return mooncrew.mail.Reply|nil reply  the last one; it may be a refusal: its code does not begin with 2
---@return string? message
---@return string? code
function M.send(exchange, message, greeting)
  local reply, wrong, code
  for _, step in ipairs(steps_of(message, greeting)) do
    reply, wrong, code = ask(exchange, step[1])
    if not reply then
      return nil, wrong, code
    elseif reply.code:sub(1, 1) ~= step[2] then
      return reply.code:find("^[45]") and reply, "the server's reply is out of place: " .. reply.text, "CONNECTION"
    end
  end
  return reply
end

return M
