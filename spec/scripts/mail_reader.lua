-- Reads a mail message back, as a mail program would: headers unfolded and decoded, parts split and decoded. It shares
-- nothing with the code that writes them, and stops with an error at what RFC 2045 to 2047 and 5322 do not allow.

local M = {}

local function unhex(code)
  return string.char(tonumber(code, 16))
end

-- The text of a quoted-printable body.
function M.decode_quoted_printable(body)
  for line in (body .. "\n"):gmatch("(.-)\n") do
    assert(#line <= 76, "a line of " .. #line .. " columns: " .. line)
    assert(not line:find("[ \t]$"), "a blank at the end of a line")
    assert(not line:find("[^\t\32-\126]"), "a byte that is not printable ASCII")
  end
  return (body:gsub("=\n", ""):gsub("=(%x%x)", unhex))
end

-- A header's value with its encoded words decoded; blanks between two of them do not count.
function M.decode_words(value)
  local joined = value:gsub("(%?=)%s+(=%?)", "%1%2")
  return (joined:gsub("=%?UTF%-8%?Q%?(.-)%?=", function(word)
    assert(#word <= 63, "an encoded word of more than 75 characters")
    assert(not word:find("[^%w!*+/=_-]"), "a character that no phrase may hold: " .. word)
    return (word:gsub("_", " "):gsub("=(%x%x)", unhex))
  end))
end

local function read_headers(text)
  local headers = {}
  for line in (text .. "\n"):gmatch("(.-)\n") do
    assert(#line <= 78, "a header line of " .. #line .. " columns: " .. line)
    assert(not line:find("[^\32-\126]"), "a header byte that is not printable ASCII")
  end
  for line in (text:gsub("\n ", " ") .. "\n"):gmatch("(.-)\n") do
    local name, value = line:match("^([%w-]+): (.+)$")
    assert(name, "not a header: " .. line)
    assert(not headers[name:lower()], "two headers " .. name)
    headers[name:lower()] = value
  end
  return headers
end

local function read_entity(text)
  local head, body = text:match("^(.-)\n\n(.*)$")
  assert(head, "no empty line after the headers")
  return { headers = read_headers(head), body = body }
end

-- message: with lines that end in LF. Returns headers by lower-case name (values raw), and the parts in order, each
-- with headers and text.
function M.read(message)
  local mail = read_entity(message)
  local boundary = mail.headers["content-type"]:match('^multipart/alternative; boundary="([^"]+)"$')
  assert(boundary, "no boundary")
  local rest = "\n" .. mail.body
  local mark = "\n--" .. boundary
  local at = assert(rest:find(mark .. "\n", 1, true), "no first part") + #mark + 1
  mail.parts = {}
  while true do
    local stop = assert(rest:find(mark, at, true), "a part that does not end")
    local part = read_entity(rest:sub(at, stop - 1))
    assert(part.headers["content-transfer-encoding"] == "quoted-printable")
    part.text = M.decode_quoted_printable(part.body)
    mail.parts[#mail.parts + 1] = part
    at = stop + #mark + 1
    if rest:sub(stop + #mark, at) == "--" then
      return mail
    end
  end
end

return M
