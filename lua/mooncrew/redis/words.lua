-- Commands of Redis as lists of strings, and those that a connection shared by many tasks cannot take.

local int64 = require "mooncrew.json.int64"
local number_text = require "mooncrew.json.number"

local M = {}

local MAX_INTEGER = 2 ^ 63 -- of Redis

-- What a command would do to everybody else on the same connection.
local BLOCKS = "would block the commands of all other tasks"
local STATEFUL = "would change the connection for all other tasks"

local REFUSED = {}
for reason, names in pairs {
  [BLOCKS] = "BLPOP BRPOP BRPOPLPUSH BLMOVE BLMPOP BZPOPMIN BZPOPMAX BZMPOP WAIT WAITAOF",
  [STATEFUL] = "MULTI EXEC DISCARD WATCH UNWATCH SELECT AUTH RESET QUIT READONLY READWRITE ASKING",
} do
  for name in names:gmatch("%S+") do
    REFUSED[name] = reason
  end
end

-- What answers more than once, or in another protocol: not for any connection of a handler.
local NEVER = {}
for name in ("SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE MONITOR SYNC PSYNC HELLO")
  :gmatch("%S+") do
  NEVER[name] = true
end

local function has_word(command, wanted)
  for i = 2, #command do
    if command[i]:upper() == wanted then
      return true
    end
  end
  return false
end

-- Options that make a harmless command one of the above: {option, reason}.
local BY_OPTION = {
  XREAD = { "BLOCK", BLOCKS },
  XREADGROUP = { "BLOCK", BLOCKS },
}

-- CLIENT LIST and the like are fine.
local CLIENT_NEVER = { REPLY = true, TRACKING = true, CACHING = true }

--- Why the command cannot be sent; nil when it can.
---@param command string[]
---@param exclusive boolean|nil  whether the connection is the caller's alone
---@return string|nil reason
function M.refusal(command, exclusive)
  local name = command[1]:upper()
  if NEVER[name] or (name == "CLIENT" and CLIENT_NEVER[(command[2] or ""):upper()]) then
    return ("%s is not supported: its answers are not one per command"):format(name)
  elseif exclusive then
    return nil
  end
  local option = BY_OPTION[name]
  local reason = REFUSED[name] or (option and has_word(command, option[1]) and option[2])
  if reason then
    local way = (name == "MULTI" or name == "EXEC") and "use r:transaction{…}, or" or "use"
    return ("%s %s on this shared connection: %s a connection of its own, "
      .. "crew.redis.open(url, { exclusive = true })"):format(name, reason, way)
  end
end

local function number_word(value)
  if value % 1 == 0 and value >= -MAX_INTEGER and value < MAX_INTEGER then
    return ("%d"):format(value) -- also where JSON would have an exponent, which INCRBY and the like refuse
  end
  return number_text(value)
end

--- A word as bytes; nil and a message when it cannot be one.
---@param value any  string, number, or int64_t
---@return string|nil word
---@return string? message
function M.word(value)
  if type(value) == "string" then
    return value
  elseif type(value) == "number" then
    local text = number_word(value)
    return text, not text and ("%s is no number that Redis knows"):format(tostring(value)) or nil
  end
  local text = int64.text(value)
  if text then
    return text
  end
  return nil, ("expected string or number, got %s; booleans and tables are for you to write as text (crew.json.encode)")
    :format(value == nil and "nil" or type(value))
end

--- A command as words; nil and a message that names the argument which cannot be one.
---@param command table  name and arguments
---@param count integer  of both
---@return string[]|nil words
---@return string? message
function M.of(command, count)
  if type(command[1]) ~= "string" or command[1] == "" then
    return nil, "the name of a command (string) comes first"
  end
  local words = {}
  for i = 1, count do
    local word, message = M.word(command[i])
    if not word then
      return nil, ("%s, argument %d: %s"):format(command[1], i - 1, message)
    end
    words[i] = word
  end
  return words
end

return M
