-- HMAC-SHA256 by OpenSSL, which mooncrew itself is linked with.

local ffi = require "ffi"

local M = {}

ffi.cdef [[
const void *EVP_sha256(void);
unsigned char *HMAC(const void *kind, const void *key, int key_size, const char *text, size_t text_size,
                    unsigned char *out, unsigned *out_size);
]]

local SIZE = 32 -- bytes of a SHA-256
local crypto = ffi.load("libcrypto.so.3")

-- In hexadecimal, lower case.
---@param key string
---@param text string
---@return string
function M.sha256(key, text)
  local out = ffi.new("unsigned char[?]", SIZE)
  if crypto.HMAC(crypto.EVP_sha256(), key, #key, text, #text, out, nil) == nil then
    error("OpenSSL cannot compute an HMAC", 2)
  end
  return (ffi.string(out, SIZE):gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end))
end

return M
