-- Base64 (RFC 4648, the plain alphabet, padded).

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
local CHUNK = 3 * 1024 -- bytes that are turned into one text at a time

local pairs_of = {} -- two characters for each 12 bits
for i = 0, 4095 do
  local high, low = math.floor(i / 64) + 1, i % 64 + 1
  pairs_of[i] = ALPHABET:sub(high, high) .. ALPHABET:sub(low, low)
end

local floor = math.floor

local function encode_chunk(bytes, first, last)
  local out, n = {}, 0
  for at = first, last, 3 do
    local a, b, c = bytes:byte(at, at + 2)
    b, c = b or 0, c or 0
    out[n + 1] = pairs_of[a * 16 + floor(b / 16)]
    out[n + 2] = pairs_of[b % 16 * 256 + c]
    n = n + 2
  end
  return table.concat(out, "", 1, n)
end

--- The bytes as base64, on one line.
---@param bytes string
---@return string
local function base64(bytes)
  local chunks = {}
  for first = 1, #bytes, CHUNK do
    chunks[#chunks + 1] = encode_chunk(bytes, first, math.min(first + CHUNK - 1, #bytes))
  end
  local text, missing = table.concat(chunks), -#bytes % 3
  return missing == 0 and text or text:sub(1, -missing - 1) .. ("="):rep(missing)
end

return base64
