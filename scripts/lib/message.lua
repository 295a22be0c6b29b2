-- Mail messages: RFC 5322 headers, RFC 2047 encoded words, and a multipart/alternative body of text and HTML.
--
-- Nothing that a user chose can begin a header of its own or end a part: what is not plain ASCII on one line leaves as
-- encoded words, addresses with odd characters are refused, and both parts are quoted-printable, in which "=_", the
-- beginning of the boundary, cannot occur.

local M = {}

local BOUNDARY = "=_alternative"
local LINE = 76 -- columns, without the line end (RFC 2045 and 2047)
local WORD = 60 -- of an encoded word or a plain header value: leaves room for "Subject: "

local function hex(byte)
  return ("=%02X"):format(byte:byte())
end

-- Each character of a UTF-8 text; a byte that belongs to none stands alone.
local function characters(text)
  return text:gmatch("[%z\1-\127\192-\255][\128-\191]*")
end

-- "=?UTF-8?Q?…?=" as often as needed, folded between the words, never inside a character.
local function encoded_words(text)
  local room = WORD - #"=?UTF-8?Q??="
  local words, word = {}, ""
  for character in characters(text) do
    local code = character == " " and "_" or character:gsub("[^%w]", hex)
    if #word + #code > room then
      words[#words + 1], word = word, ""
    end
    word = word .. code
  end
  words[#words + 1] = word
  for i, content in ipairs(words) do
    words[i] = "=?UTF-8?Q?" .. content .. "?="
  end
  return table.concat(words, "\r\n ")
end

local function is_plain(text)
  return #text <= WORD and not text:find("[^\32-\126]") and not text:find("=?", 1, true)
end

local function header_text(text)
  return is_plain(text) and text or encoded_words(text)
end

-- A mailbox: "Ada Lovelace" <ada@example.org>. The address goes to a line of its own when the two are long.
local function mailbox(person)
  local address = "<" .. person.email .. ">"
  if person.name == "" then
    return address
  end
  if not is_plain(person.name) then
    return encoded_words(person.name) .. "\r\n " .. address
  end
  local name = '"' .. person.name:gsub('[\\"]', "\\%0") .. '"'
  return name .. (#name + #address < WORD and " " or "\r\n ") .. address
end

-- No address that needs quoting or another alphabet is accepted: nothing that ends a header or adds a second one.
local function is_address(email)
  local name, domain = email:match("^([^@]+)@([^@]+)$")
  return name and #email <= 254 and not name:find("[^%w.!#$%%&'*+/=?^_`{|}~-]") and not domain:find("[^%w.-]")
end

local function quoted_line(line)
  local out, column = {}, 0
  for byte in line:gmatch(".") do
    local code = byte:find("[ \t\33-\60\62-\126]") and byte or hex(byte)
    if column + #code > LINE - 1 then -- one column stays for the soft line end
      out[#out + 1], column = "=\r\n", 0
    end
    out[#out + 1], column = code, column + #code
  end
  local last = out[#out]
  if last == " " or last == "\t" then -- mail servers drop blanks at the end of a line
    out[#out] = column + 2 <= LINE and hex(last) or "=\r\n" .. hex(last)
  end
  return table.concat(out)
end

-- Text as quoted-printable lines (RFC 2045, 6.7).
---@param text string UTF-8; lines end in LF or CRLF
---@return string
function M.quoted_printable(text)
  local lines = {}
  for line in (text:gsub("\r\n", "\n") .. "\n"):gmatch("(.-)\n") do
    lines[#lines + 1] = quoted_line(line)
  end
  return table.concat(lines, "\r\n")
end

local function part(kind, text)
  return table.concat({
    "--" .. BOUNDARY,
    "Content-Type: " .. kind .. "; charset=utf-8",
    "Content-Transfer-Encoding: quoted-printable",
    "",
    M.quoted_printable(text),
  }, "\r\n")
end

---@class Person
---@field name string any UTF-8 text, or ""
---@field email string

---@class Mail
---@field from Person
---@field to Person
---@field subject string
---@field date integer unix seconds
---@field id string the inside of Message-ID: left@right
---@field text string UTF-8
---@field html string UTF-8

-- The whole message, with lines that end in CRLF.
---@param mail Mail
---@return string|nil message
---@return string? reason an address that cannot stand in a header
function M.render(mail)
  for _, person in ipairs({ mail.from, mail.to }) do
    if not is_address(person.email) then
      return nil, "not a mail address: " .. person.email
    end
  end
  return table.concat({
    "From: " .. mailbox(mail.from),
    "To: " .. mailbox(mail.to),
    "Subject: " .. header_text(mail.subject),
    "Date: " .. os.date("!%a, %d %b %Y %H:%M:%S +0000", mail.date),
    "Message-ID: <" .. mail.id .. ">",
    "Auto-Submitted: auto-generated",
    "MIME-Version: 1.0",
    'Content-Type: multipart/alternative; boundary="' .. BOUNDARY .. '"',
    "",
    part("text/plain", mail.text),
    part("text/html", mail.html),
    "--" .. BOUNDARY .. "--",
    "",
  }, "\r\n")
end

return M
