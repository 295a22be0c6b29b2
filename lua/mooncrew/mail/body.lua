-- Contents of a message and their transfer encodings (RFC 2045): text as it is where it is plain and short in its
-- lines, else quoted-printable or, where most of it is beyond ASCII, base64; attachments as base64. All lines end in
-- CRLF and have 76 characters at most.

local base64 = require "mooncrew.base64"

local M = {}

local LINE = 76
local BASE64_FROM = 0.18 -- share of bytes beyond ASCII from which base64 is shorter

local function hex(byte)
  return ("=%02X"):format(byte:byte())
end

-- One line of text, in lines of 76 with "=" at the end of all but the last.
local function quoted_line(line)
  local codes = line:gsub("[^\t\32-\60\62-\126]", hex):gsub("[ \t]$", hex):gsub("^From ", "=46rom ")
  if #codes <= LINE then
    return codes
  end
  local out, at = {}, 1
  while #codes - at + 1 > LINE do
    local last = at + LINE - 2
    local cut = codes:sub(last - 1, last):find("=", 1, true) -- not inside of "=3D"
    if cut then
      last = last - 3 + cut
    end
    out[#out + 1] = codes:sub(at, last) .. "="
    at = last + 1
  end
  out[#out + 1] = codes:sub(at)
  return table.concat(out, "\r\n")
end

local function each_line(text, fn)
  local lines = {}
  for line in (text .. "\r\n"):gmatch("(.-)\r\n") do
    lines[#lines + 1] = fn(line)
  end
  return table.concat(lines, "\r\n")
end

local function wrapped(text)
  return (text:gsub(("."):rep(LINE), "%0\r\n"):gsub("\r\n$", ""))
end

local function is_plain(text)
  if text:find("[^\r\n\t\32-\126]") or text:find("[ \t]\r\n") or text:find("[ \t]$") then
    return false
  end
  for line in text:gmatch("[^\r\n]+") do
    if #line > LINE or line:find("^From ") then -- old mailboxes put a ">" before it
      return false
    end
  end
  return true
end

--- Every line end as CRLF.
---@param text string
---@return string
function M.normalize(text)
  return (text:gsub("\r\n", "\n"):gsub("\r", "\n"):gsub("\n", "\r\n"))
end

--- A text, encoded.
---@param text string  UTF-8
---@return string encoding
---@return string content
function M.text(text)
  text = M.normalize(text)
  if is_plain(text) then
    return "7bit", text
  end
  local _, beyond = text:gsub("[\128-\255]", "")
  if beyond > #text * BASE64_FROM then
    return "base64", wrapped(base64(text))
  end
  return "quoted-printable", each_line(text, quoted_line)
end

--- Any bytes, encoded.
---@param bytes string
---@return string encoding
---@return string content
function M.bytes(bytes)
  return "base64", wrapped(base64(bytes))
end

return M
