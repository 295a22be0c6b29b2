-- What a script wants to send, checked and made plain. One table of names, each with its reader; nothing else knows
-- the names. What a payload may have brought along (an address, a line break in a subject) is a failure with a code; a
-- wrong name or type is misuse.

local address = require "mooncrew.mail.address"
local host = require "mooncrew.host"
local native = require "mooncrew.native"
local server = require "mooncrew.mail.server"
local types = require "mooncrew.mail.types"
local unknown = require "mooncrew.unknown"

local M = {}

---@alias mooncrew.mail.Address string|{name: string|nil, address: string}  "Zoë Müller <zoe@example.com>"

---@class mooncrew.mail.Options
---@field from mooncrew.mail.Address
---@field to mooncrew.mail.Address|mooncrew.mail.Address[]|nil  of to, cc and bcc at least one
---@field cc mooncrew.mail.Address|mooncrew.mail.Address[]|nil
---@field bcc mooncrew.mail.Address|mooncrew.mail.Address[]|nil  they get it, and nobody sees them
---@field reply_to mooncrew.mail.Address|mooncrew.mail.Address[]|nil
---@field subject string
---@field text string|nil  of text, html and attachments at least one
---@field html string|nil
---@field attachments {name: string, content: string|nil, path: string|nil, type: string|nil}[]|nil
---@field headers table<string, string>|nil
---@field message_id string|nil  "left@right"; a new one unless given. One that stays shows receivers the doubles
---@field date number|nil  unix seconds; now unless given
---@field smtp mooncrew.mail.Server|nil  over what crew.mail.configure and MOONCREW_SMTP_URL say

---@class mooncrew.mail.Message  what a backend gets
---@field from mooncrew.mail.Mailbox
---@field to mooncrew.mail.Mailbox[]
---@field cc mooncrew.mail.Mailbox[]
---@field bcc mooncrew.mail.Mailbox[]
---@field reply_to mooncrew.mail.Mailbox[]
---@field subject string
---@field text string|nil
---@field html string|nil
---@field attachments {name: string, type: string, content: string}[]
---@field headers table<string, string>
---@field message_id string  without < and >
---@field date number
---@field smtp mooncrew.mail.Server|nil
---@field recipients string[]  addresses, each once: to, cc and bcc
---@field bytes string  the whole message

local MAX_VALUE = 900 -- bytes of a header's value that has no blank to fold at

-- Readers: (value) → plain value | nil, what is wrong, code (none: misuse).

local function check_type(value, wanted)
  if type(value) == wanted then
    return true
  end
  return nil, ("expected %s, got %s"):format(wanted, type(value))
end

local function body_text(value)
  local ok, message = check_type(value, "string")
  if not ok then
    return nil, message
  elseif not native.utf8_valid(value) then
    return nil, "is not valid UTF-8", "INVALID_MESSAGE"
  end
  return value
end

local function line(value)
  local text, message, code = body_text(value)
  if text and text:find("[%c\127]") then
    return nil, "has a line break or control character, which could begin another header", "INVALID_MESSAGE"
  end
  return text, message, code
end

-- Headers that have an option of their own.
local OF_OPTIONS = { from = "from", to = "to", cc = "cc", bcc = "bcc", subject = "subject", date = "date",
  ["reply-to"] = "reply_to", ["message-id"] = "message_id" }

-- Headers that nobody sets: they follow from the content, or the servers on the way write them.
local OWN = { sender = true, ["mime-version"] = true, ["return-path"] = true, received = true }

local function check_header(name, value)
  if type(name) ~= "string" or not name:find("^[%w-]+$") then
    return nil, ("%q is no name of a header"):format(tostring(name))
  elseif OF_OPTIONS[name:lower()] then
    return nil, ("%s is set by the option %s"):format(name, OF_OPTIONS[name:lower()])
  elseif OWN[name:lower()] or name:lower():find("^content%-") then
    return nil, name .. " cannot be set: it follows from the content, or the servers on the way write it"
  end
  local text, message, code = line(value)
  if text and text:find(("[^ ]"):rep(MAX_VALUE)) then
    return nil, name .. " is too long to be folded", "INVALID_MESSAGE"
  end
  return text, message and name .. " " .. message, code
end

local function headers(value)
  local ok, message, code = check_type(value, "table")
  local checked = {}
  for name, text in pairs(ok and value or {}) do
    checked[name], message, code = check_header(name, text)
    if not checked[name] then
      return nil, message, code
    end
  end
  return ok and checked, message, code
end

-- A character, also one of several bytes, as it can be shown.
local function first_character(text)
  return text:match("^[%z\1-\127\194-\244][\128-\191]*") or text:sub(1, 1)
end

-- What is wrong with a Message-ID, nil for nothing.
local function wrong_id(text)
  if #text > MAX_VALUE then
    return ("is %d bytes long; %d are possible"):format(#text, MAX_VALUE)
  end
  local left, right = text:match("^(.+)@([^@]+)$")
  if not left then
    return ("'%s' is not of the form left@right, such as 'order-7@example.org'"):format(text)
  end
  local bad = left:match("[^%w.!#$%%&'*+/=?^_`{|}~-].*") or right:match("[^%w.%[%]:-].*")
  if bad then
    return ("'%s' has %s in it, which a Message-ID must not hold: put '-' in its place, say"):format(text,
      bad:sub(1, 1) == " " and "a blank" or "'" .. first_character(bad) .. "'")
  end
end

local function message_id(value)
  local text, message, code = line(value)
  if not text then
    return nil, message, code
  end
  text = text:match("^<(.*)>$") or text
  message = wrong_id(text)
  if message then
    return nil, message, "INVALID_MESSAGE"
  end
  return text
end

local ATTACHMENT = { name = true, content = true, path = true, type = true }

local function content_of(given)
  if given.content ~= nil then
    return given.content
  end
  local file, message = io.open(given.path, "rb")
  local content = file and file:read("*a")
  if file then
    file:close()
  end
  return content, message or given.path .. ": it cannot be read", "IO_ERROR"
end

local function check_fields(given)
  for name, value in pairs(given) do
    if not ATTACHMENT[name] then
      return nil, (unknown("field", name, ATTACHMENT))
    elseif type(value) ~= "string" then
      return nil, ("%s: expected string, got %s"):format(name, type(value))
    end
  end
  if (given.content == nil) == (given.path == nil) then
    return nil, "an attachment has either content or path"
  end
  return true
end

local function attachment(given)
  local code
  local ok, message = check_type(given, "table")
  if ok then
    ok, message = check_fields(given)
  end
  if not ok then
    return nil, message
  end
  local name = given.name or given.path and given.path:match("[^/]*$") or "attachment"
  local kind = given.type or types.of(name)
  ok, message, code = line(name)
  if ok and not types.is(kind) then
    return nil, ("type: '%s' is no content type"):format((kind:gsub("%c", "?")))
  elseif not ok then
    return nil, "name " .. message, code
  end
  local content
  content, message, code = content_of(given)
  if not content then
    return nil, message, code
  end
  return { name = name, type = kind, content = content }
end

local function attachments(value)
  local ok, message, code = check_type(value, "table")
  local list = {}
  for i, given in ipairs(ok and value or {}) do
    list[i], message, code = attachment(given)
    if not list[i] then
      return nil, ("%d: %s"):format(i, message), code
    end
  end
  return ok and list, message, code
end

local function number(value)
  local ok, message = check_type(value, "number")
  return ok and value, message
end

local READERS = {
  from = address.read, to = address.read_all, cc = address.read_all, bcc = address.read_all,
  reply_to = address.read_all, subject = line, text = body_text, html = body_text, attachments = attachments,
  headers = headers, message_id = message_id, date = number, smtp = server.check,
}

local function read_all(options)
  local read = {}
  for name, value in pairs(options) do
    local reader = READERS[name]
    if not reader then
      return nil, (unknown("option", name, READERS))
    end
    local plain, message, code = reader(value)
    if not plain then
      return nil, ("%s: %s"):format(name, message), code
    end
    read[name] = plain
  end
  return read
end

local function recipients_of(mail)
  local list, known = {}, {}
  for _, field in ipairs { "to", "cc", "bcc" } do
    for _, box in ipairs(mail[field]) do
      if not known[box.address] then
        known[box.address] = true
        list[#list + 1] = box.address
      end
    end
  end
  return list
end

local function complete(mail)
  for _, field in ipairs { "to", "cc", "bcc", "reply_to", "attachments", "headers" } do
    mail[field] = mail[field] or {}
  end
  mail.date = mail.date or host.now()
  mail.message_id = mail.message_id or native.uuid() .. mail.from.address:match("@.*$")
  mail.recipients = recipients_of(mail)
end

--- Checks the options of a mail.
---@param options mooncrew.mail.Options
---@return mooncrew.mail.Message|nil message  without bytes
---@return string|nil message
---@return string|nil code  nil: misuse
function M.read(options)
  local mail, message, code = read_all(options)
  if not mail then
    return nil, message, code
  elseif not mail.from or not mail.subject then
    return nil, (mail.from and "subject" or "from") .. " is missing"
  end
  complete(mail)
  if #mail.recipients == 0 then
    return nil, "nobody gets it: to, cc and bcc are empty"
  elseif not mail.text and not mail.html and #mail.attachments == 0 then
    return nil, "it is empty: text, html and attachments are missing"
  end
  return mail
end

return M
