-- A mail message as its bytes: header fields, then one part or several (RFC 5322, RFC 2045 to 2047, RFC 2231).
--
--   multipart/mixed ─┬─ multipart/alternative ─┬─ text/plain
--                    │                         └─ text/html
--                    └─ attachments            each level only where there is more than one thing in it
--
-- Blind copies have no field.

local body = require "mooncrew.mail.body"
local header = require "mooncrew.mail.header"
local native = require "mooncrew.native"
local sorted_keys = require "mooncrew.sorted_keys"

local M = {}

local DAYS = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" }
local MONTHS = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }

--- "Tue, 24 Nov 2026 07:32:01 +0000", whatever the locale.
---@param seconds number  unix
---@return string
function M.date(seconds)
  local t = os.date("!*t", math.floor(seconds))
  return ("%s, %02d %s %04d %02d:%02d:%02d +0000"):format(DAYS[t.wday], t.day, MONTHS[t.month], t.year, t.hour, t.min,
    t.sec)
end

local function text_part(kind, text)
  local encoding, content = body.text(text)
  return { "Content-Type: text/" .. kind .. "; charset=utf-8", "Content-Transfer-Encoding: " .. encoding, "", content }
end

local function attachment_part(attachment)
  local encoding, content = body.bytes(attachment.content)
  return {
    header.structured("Content-Type", attachment.type),
    header.structured("Content-Disposition", "attachment", { { "filename", attachment.name } }),
    "Content-Transfer-Encoding: " .. encoding, "", content,
  }
end

-- "=_" cannot stand in quoted-printable or base64, and a UUID is in no text by chance.
local function multipart(kind, parts)
  local boundary = "=_" .. native.uuid()
  local lines = { header.structured("Content-Type", "multipart/" .. kind, { { "boundary", boundary } }), "" }
  for _, part in ipairs(parts) do
    lines[#lines + 1] = "--" .. boundary
    for _, line in ipairs(part) do
      lines[#lines + 1] = line
    end
  end
  lines[#lines + 1] = "--" .. boundary .. "--"
  return lines
end

local function one_or_many(kind, parts)
  return #parts == 1 and parts[1] or multipart(kind, parts)
end

local function content_of(mail)
  local bodies, parts = {}, {}
  if mail.text then
    bodies[#bodies + 1] = text_part("plain", mail.text)
  end
  if mail.html then
    bodies[#bodies + 1] = text_part("html", mail.html)
  end
  if #bodies > 0 then
    parts[1] = one_or_many("alternative", bodies)
  end
  for _, attachment in ipairs(mail.attachments) do
    parts[#parts + 1] = attachment_part(attachment)
  end
  return one_or_many("mixed", parts)
end

local function add_mailboxes(fields, name, boxes)
  if #boxes > 0 then
    fields[#fields + 1] = header.mailboxes(name, boxes)
  end
end

local function fields_of(mail)
  local fields = { "Date: " .. M.date(mail.date), header.mailboxes("From", { mail.from }) }
  add_mailboxes(fields, "Reply-To", mail.reply_to)
  add_mailboxes(fields, "To", mail.to)
  add_mailboxes(fields, "Cc", mail.cc)
  fields[#fields + 1] = header.text("Subject", mail.subject)
  fields[#fields + 1] = "Message-ID: <" .. mail.message_id .. ">"
  for _, name in ipairs(sorted_keys(mail.headers)) do
    fields[#fields + 1] = header.value(name, mail.headers[name])
  end
  fields[#fields + 1] = "MIME-Version: 1.0"
  return fields
end

--- The message's bytes; lines end in CRLF.
---@param mail mooncrew.mail.Message  as mooncrew.mail.options makes it
---@return string
function M.render(mail)
  local lines = fields_of(mail)
  for _, line in ipairs(content_of(mail)) do
    lines[#lines + 1] = line
  end
  return table.concat(lines, "\r\n") .. "\r\n"
end

return M
