-- Header fields of a message (RFC 5322): folded, so that lines stay under 78 characters where that is possible, and
-- under 998 in any case; text beyond ASCII as encoded words, in parameters as RFC 2231 has it.

local encoded_words = require "mooncrew.mail.encoded_word"

local M = {}

local LINE = 76
local LONG_WORD = 60 -- a longer one, or a longer name, is encoded, so that it can be folded
local VALUE = 50 -- characters of one piece of a parameter

local function is_ascii(text)
  return not text:find("[^\32-\126]")
end

-- Adds a token behind a blank, on a new line when it does not fit. The first one stays beside the field's name.
local function append(out, column, token)
  if #out > 1 and column + 1 + #token > LINE then
    out[#out + 1] = "\r\n " .. token
    return 1 + #token
  end
  out[#out + 1] = " " .. token
  return column + 1 + #token
end

local function fold_words(name, text)
  local out, column = { name .. ":" }, #name + 1
  for word in text:gmatch("[^ ]+") do
    column = append(out, column, word)
  end
  return table.concat(out)
end

-- Whether a blank could get lost on the way.
local function has_odd_blanks(text)
  return text:find("  ", 1, true) or text:find("^ ") or text:find(" $")
end

local function folds_well(text)
  if not is_ascii(text) or text:find("=?", 1, true) or has_odd_blanks(text) then
    return false
  end
  for word in text:gmatch("[^ ]+") do
    if #word > LONG_WORD then
      return false
    end
  end
  return true
end

--- A field whose value is text for people, such as Subject.
---@param name string
---@param text string  valid UTF-8 on one line
---@return string
function M.text(name, text)
  if folds_well(text) then
    return fold_words(name, text)
  end
  return name .. ": " .. (encoded_words(text, #name + 2))
end

--- A field whose value may be for programs: in ASCII it stays as it is, but for the folding.
---@param name string
---@param value string  one line
---@return string
function M.value(name, value)
  return is_ascii(value) and fold_words(name, value) or M.text(name, value)
end

-- The name before an address: as it is, in quotes, or encoded.
local function phrase(name, column)
  if not is_ascii(name) or #name > LONG_WORD or name:find("=?", 1, true) then
    return encoded_words(name, column)
  elseif name:find("[^%w!#$%%&'*+/=?^_`{|}~ -]") or has_odd_blanks(name) then
    name = '"' .. name:gsub('[\\"]', "\\%0") .. '"'
  end
  return name, column + #name
end

local function add_mailbox(out, column, box, comma)
  local address = "<" .. box.address .. ">" .. comma
  if not box.name then
    return append(out, column, box.address .. comma)
  end
  local name, after = phrase(box.name, column + 1)
  if is_ascii(box.name) and after > LINE then -- encoded words fold themselves
    out[#out + 1] = "\r\n"
    name, after = phrase(box.name, 1)
  end
  out[#out + 1] = " " .. name
  return append(out, after, address)
end

--- A field of addresses.
---@param name string
---@param boxes mooncrew.mail.Mailbox[]
---@return string
function M.mailboxes(name, boxes)
  local out, column = { name .. ":" }, #name + 1
  for i, box in ipairs(boxes) do
    column = add_mailbox(out, column, box, i < #boxes and "," or "")
  end
  return table.concat(out)
end

local function percent(byte)
  return ("%%%02X"):format(byte:byte())
end

-- name*0*=UTF-8''…; name*1*=… (RFC 2231): pieces that no escape is cut by.
local function extended(name, value)
  local pieces, piece = {}, "UTF-8''"
  for byte in value:gmatch(".") do
    local code = byte:find("[%w!#$&+^_`{}~.-]") and byte or percent(byte)
    if #piece + #code > VALUE then
      pieces[#pieces + 1], piece = piece, ""
    end
    piece = piece .. code
  end
  pieces[#pieces + 1] = piece
  if #pieces == 1 then
    return { name .. "*=" .. pieces[1] }
  end
  for i, text in ipairs(pieces) do
    pieces[i] = ("%s*%d*=%s"):format(name, i - 1, text)
  end
  return pieces
end

local function parameter(name, value)
  if is_ascii(value) and #value <= VALUE then
    return { name .. '="' .. value:gsub('[\\"]', "\\%0") .. '"' }
  end
  return extended(name, value)
end

--- A field with parameters, such as Content-Disposition.
---@param name string
---@param value string
---@param parameters string[][]|nil  {name, value} each
---@return string
function M.structured(name, value, parameters)
  local out = { name .. ": " .. value }
  for _, pair in ipairs(parameters or {}) do
    for _, piece in ipairs(parameter(pair[1], pair[2])) do
      out[#out + 1] = piece
    end
  end
  return table.concat(out, ";\r\n ")
end

return M
