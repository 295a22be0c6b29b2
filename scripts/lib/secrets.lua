-- Secrets that stand for somebody: 32 characters that fit into a link, with 192 bits of chance.

local uv = require "luv"

local M = {}

local SIZE = 32
-- 64 letters, so that a random byte picks each of them equally often (256 is four times 64).
local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

---@return string
function M.new()
  return (uv.random(SIZE):gsub(".", function(byte)
    local letter = byte:byte() % #ALPHABET + 1
    return ALPHABET:sub(letter, letter)
  end))
end

-- Whether a text, which may be anything, has the form of one.
---@param text string
---@return boolean
function M.is_one(text)
  return #text == SIZE and not text:find("[^%w_-]")
end

return M
