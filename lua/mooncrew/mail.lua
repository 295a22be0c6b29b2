-- Mail for handlers: crew.mail.send { from =, to =, subject =, text = }. Other tasks run while one waits for the
-- server.
--
-- What fails is nil, message, code:
--
--   REJECTED         the server refuses it for good (5xx, with its reply in the message), or the login
--   DEFERRED         it refuses it for now (4xx): worth a retry
--   TIMEOUT, RESOLVE, CONNECTION    no server, or not in time: worth a retry
--   TLS              the certificate does not hold, or there is no STARTTLS where it is required
--   INVALID_ADDRESS  of the sender or a recipient
--   INVALID_MESSAGE  a line break in a header (which could begin another one), text that is not UTF-8
--   IO_ERROR         an attachment cannot be read
--   NOT_CONFIGURED   no server is known
--   UNAVAILABLE      libcurl is not installed
--
-- Either all recipients get it, or none. After a TIMEOUT the server may have it: a retry with the same message_id lets
-- the receiver see that. Options that are wrong are errors.

local message_of = require "mooncrew.mail.message"
local options_of = require "mooncrew.mail.options"
local server = require "mooncrew.mail.server"
local smtp = require "mooncrew.mail.smtp"

local M = {}

local TEMPORARY = { DEFERRED = true, TIMEOUT = true, RESOLVE = true, CONNECTION = true }

--- Sends one message, waits, and returns a table or nil, message, code. Tests put another in its place.
---@type fun(message: mooncrew.mail.Message): table|nil, string|nil, string|nil
M.backend = smtp

--- Sets the server to send by, for all mails of this worker that do not name another one; over MOONCREW_SMTP_URL.
---@param options mooncrew.mail.Server
function M.configure(options)
  local checked, message = server.check(options)
  if not checked then
    error("mail.configure: " .. message, 2)
  end
  server.configure(checked)
end

--- Whether a failure with this code may be gone when the task is tried again.
---@param code string
---@return boolean
function M.is_temporary(code)
  return TEMPORARY[code] == true
end

---@class mooncrew.mail.Sent
---@field message_id string  without < and >
---@field recipients string[]
---@field reply string|nil  the server's last one

--- Sends a mail and waits until the server has taken it.
---@param options mooncrew.mail.Options
---@return mooncrew.mail.Sent|nil sent, string? message, string? code
function M.send(options)
  if type(options) ~= "table" then
    error("mail.send: expected table, got " .. type(options), 2)
  end
  local mail, message, code = options_of.read(options)
  if not mail then
    if code then
      return nil, message, code
    end
    error("mail.send: " .. message, 2)
  end
  mail.bytes = message_of.render(mail)
  local answer
  answer, message, code = M.backend(mail)
  if not answer then
    return nil, message, code
  end
  return { message_id = mail.message_id, recipients = mail.recipients,
    reply = type(answer) == "table" and answer.reply or nil }
end

return M
