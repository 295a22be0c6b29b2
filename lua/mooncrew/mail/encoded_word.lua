-- Text beyond ASCII in header fields (RFC 2047): "=?UTF-8?B?…?=" as often as needed, none longer than 75 characters,
-- lines no longer than 76, no character cut in two.

local base64 = require "mooncrew.base64"

local LINE = 76
local FRAME = #"=?UTF-8?B??="
local MAX_WORD = 75
local LEAST = 4 -- bytes of UTF-8 that a word must have room for: one character

-- How many bytes a word may hold that begins at this column. Base64 makes four characters of three bytes.
local function room_at(column)
  local characters = math.min(MAX_WORD, LINE - column) - FRAME
  return math.floor(characters / 4) * 3
end

-- The most whole characters, from `at` on, that fit into `room` bytes: where they end.
local function last_that_fits(text, at, room)
  local last = math.min(at + room - 1, #text)
  while last < #text and text:find("^[\128-\191]", last + 1) do
    last = last - 1
  end
  return last
end

--- Encodes a text of valid UTF-8.
---@param text string
---@param column integer  where it begins in its line
---@return string encoded  with line ends between the words
---@return integer column  where it ends
local function encoded_words(text, column)
  local out, at = {}, 1
  while at <= #text do
    if room_at(column) < LEAST then
      out[#out + 1], column = "\r\n ", 1
    elseif at > 1 then
      out[#out + 1], column = "\r\n ", 1
    end
    local last = last_that_fits(text, at, room_at(column))
    local word = "=?UTF-8?B?" .. base64(text:sub(at, last)) .. "?="
    out[#out + 1], column, at = word, column + #word, last + 1
  end
  return table.concat(out), column
end

return encoded_words
