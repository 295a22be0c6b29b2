-- Sends letters: to the mail server that MOONCREW_SMTP_URL names (smtp://user:password@host:587, smtps://…), or, while
-- it is not set, into a Maildir in the folder of APP_DATA, where any mail program shows them.
--
--   APP_MAIL_FROM  the sender's address; "crew@example.org" unless set

local crew = require "mooncrew"
local maildir = require "lib.maildir"
local message = require "lib.message"
local storage = require "lib.storage"

local M = {}

local SENDER = "The mooncrew example"

---@class Person
---@field name string any text
---@field email string

---@class Letter
---@field to Person
---@field subject string
---@field text string
---@field html string
---@field id string what the letter is about, the same for all that may be sent of it: a task's id
---@field date integer unix seconds

-- What no later try will change: the address, the text, or that the server says no for good.
local FINAL = { REJECTED = true, INVALID_ADDRESS = true, INVALID_MESSAGE = true }

-- Replies to a login that is missing or wrong. That is ours to mend, and no letter is given up for it.
local LOGIN_REFUSED = "refused: 53[045]"

local function sender()
  return { name = SENDER, email = os.getenv("APP_MAIL_FROM") or "crew@example.org" }
end

-- The inside of a Message-ID. Should a letter go out twice, mail programs see that it is one.
local function message_id(id, from)
  local left = id:gsub("[^%w-]", function(byte)
    return ("=%02X"):format(byte:byte())
  end)
  return ("%s@%s"):format(left, from.email:match("[^@]*$"))
end

local function mailbox(person)
  return { name = person.name, address = person.email }
end

local function send_by_server(letter, from, id)
  local sent, why, code = crew.mail.send {
    from = mailbox(from), to = mailbox(letter.to), subject = letter.subject, date = letter.date, message_id = id,
    text = letter.text, html = letter.html, headers = { ["Auto-Submitted"] = "auto-generated" },
  }
  if not sent then
    return nil, why, FINAL[code] and not why:find(LOGIN_REFUSED)
  end
  return { message_id = id, reply = sent.reply }
end

local function put_into_maildir(letter, from, id)
  local text, unfit = message.render {
    from = from, to = letter.to, subject = letter.subject, date = letter.date, id = id,
    text = letter.text, html = letter.html,
  }
  if not text then
    return nil, unfit, true
  end
  local path, why = maildir.deliver(storage.folder() .. "/Maildir", text)
  return path and { message_id = id, path = path }, why
end

-- Sends a letter and waits until it is taken: by the server (which said `reply`), or by the disk (at `path`, below the
-- Maildir).
---@param letter Letter
---@return { message_id: string, reply: string|nil, path: string|nil }|nil sent
---@return string? message
---@return boolean? final true: trying again is of no use
function M.send(letter)
  local from = sender()
  local send = (os.getenv("MOONCREW_SMTP_URL") or "") ~= "" and send_by_server or put_into_maildir
  return send(letter, from, message_id(letter.id, from))
end

return M
