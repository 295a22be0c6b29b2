-- An error of Redis among the replies of a pipeline.

local M = {}

---@class mooncrew.redis.Error
---@field message string  "WRONGTYPE Operation against a key holding the wrong kind of value"
---@field code string     its first word
local Error = { __name = "mooncrew.redis.error" }

function Error:__tostring()
  return self.message
end

M.metatable = Error

---@param text string  as Redis sends it: "ERR no such thing"
---@return mooncrew.redis.Error
function M.new(text)
  return setmetatable({ message = text, code = text:match("^%S*") }, Error)
end

---@param reply any
---@return boolean
function M.is(reply)
  return type(reply) == "table" and getmetatable(reply) == Error
end

return M
