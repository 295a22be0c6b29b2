-- crew.redis: a handler's own commands to any Redis, waiting without blocking.
--
--   local r = crew.redis.open("redis://cache:6379/2")
--   assert(r:set("greeting", "hello"))
--   local greeting = r:get("greeting")
--
-- The connection is shared by all tasks of the worker that name the same address, is made when it is first used and
-- comes back by itself when it was lost. Commands that would hold up or change it for others are refused; they have
-- their place on a connection of one's own: crew.redis.open(url, { exclusive = true }).

local array = require "mooncrew.json.array"
local duration = require "mooncrew.duration"
local reply_error = require "mooncrew.redis.reply_error"
local scope = require "mooncrew.scope"
local unknown = require "mooncrew.unknown"
local words = require "mooncrew.redis.words"

local redis = {}

local DEFAULT_TIMEOUT_S = 5
local null = array.null

---@class mooncrew.redis.Session
---@field url string
---@field timeout number  seconds
---@field exclusive boolean
---@field scope mooncrew.Scope|nil  of the task whose end closes it

---@class mooncrew.Redis
---@field session mooncrew.redis.Session
local Redis = {}

local OPTIONS = { timeout = true, exclusive = true }

--- What talks to Redis. `pipeline(session, commands)` sends lists of strings and returns the list of their replies, or
--- nil, message, code; a session has url, timeout (seconds) and exclusive. `close(session)` ends an exclusive one.
--- Among the replies nil is crew.null, and an error is what redis.error(text) makes. It may wait.
redis.backend = {
  pipeline = function(session, commands)
    return require("mooncrew.redis.connections").pipeline(session, commands)
  end,
  close = function(session)
    return require("mooncrew.redis.connections").close(session)
  end,
}

--- An error as Redis sends it, for backends of tests.
redis.error = reply_error.new

--- Whether a reply of a pipeline is an error; it then has a message and a code.
redis.is_error = reply_error.is

-- A reply as what a call returns.
local function unwrap(reply)
  if redis.is_error(reply) then
    return nil, reply.message, reply.code
  elseif reply == null then
    return nil
  end
  return reply
end

local function check_command(self, command, count, place, level)
  local list, message = words.of(command, count)
  message = message or words.refusal(list, self.session.exclusive)
  if message then
    error(("crew.redis: %s%s"):format(place, message), level + 1)
  end
  return list
end

local function call(self, level, ...)
  local command = check_command(self, { ... }, select("#", ...), "", level + 1)
  local replies, message, code = redis.backend.pipeline(self.session, { command })
  if not replies then
    return nil, message, code
  end
  return unwrap(replies[1])
end

--- Sends one command and waits for its reply.
---
--- Status and bulk strings are strings, integers are numbers (int64_t where a number would round), arrays are tables
--- with crew.null for nil. A reply of nil is nil, without a message.
---@param ... string|number  the command's name and arguments
---@return any reply
---@return string? message
---@return string? code  of Redis ("WRONGTYPE", "ERR" …), or UNAVAILABLE (not sent), UNKNOWN (sent, and the connection
--- went before the reply), TIMED_OUT
function Redis:call(...)
  return call(self, 1, ...) -- a tail call: our own frame is gone
end

local function check_commands(self, commands, what, level)
  if type(commands) ~= "table" or #commands == 0 then
    error(("crew.redis: %s takes a list of commands, such as { { \"SET\", key, value }, { \"GET\", key } }")
      :format(what), level + 1)
  end
  local list = {}
  for i, command in ipairs(commands) do
    if type(command) ~= "table" then
      error(("crew.redis: command %d: expected table, got %s"):format(i, type(command)), level + 1)
    end
    list[i] = check_command(self, command, math.max(#command, table.maxn(command)), ("command %d: "):format(i),
      level + 1)
  end
  return list
end

--- Sends several commands at once and waits for all replies: one round trip.
---@param commands table[]  { { "SET", key, value }, { "GET", key } }
---@return any[]|nil replies  as of call, but crew.null for nil, and for an error a table for which redis.is_error holds
---@return string? message
---@return string? code
function Redis:pipeline(commands)
  return redis.backend.pipeline(self.session, check_commands(self, commands, "pipeline", 2))
end

-- What went wrong in a MULTI … EXEC: the first command that was refused says why EXEC was.
local function find_refusal(replies)
  for i = 2, #replies do
    if redis.is_error(replies[i]) then
      return replies[i]
    end
  end
end

--- Sends several commands as one transaction, MULTI … EXEC: all of them are carried out, with nothing between, or (when
--- Redis refuses one before) none. An error of one when it is carried out does not undo the others.
---@param commands table[]
---@return any[]|nil replies  one for each command, as of pipeline
---@return string? message
---@return string? code
function Redis:transaction(commands)
  local list = check_commands(self, commands, "transaction", 2)
  table.insert(list, 1, { "MULTI" })
  table.insert(list, { "EXEC" })
  local replies, message, code = redis.backend.pipeline(self.session, list)
  if not replies then
    return nil, message, code
  end
  local result = replies[#replies]
  if redis.is_error(result) then
    return unwrap(find_refusal(replies))
  elseif result == null then
    return nil, "a key that is watched has changed: nothing was carried out", "ABORTED"
  end
  return result
end

--- Closes a connection of one's own. A shared one is left to the others.
function Redis:close()
  local session = self.session
  if session.scope then
    session.scope:drop(self)
    session.scope = nil
  end
  if session.exclusive then
    redis.backend.close(session)
  end
end

local methods = {} -- r:get(key) is r:call("GET", key)

function Redis.__index(_, name)
  if Redis[name] ~= nil then
    return Redis[name]
  elseif type(name) ~= "string" or not name:find("^%a[%w]*$") then
    return nil
  end
  local method = methods[name]
  if not method then
    local command = name:upper()
    method = function(self, ...)
      return call(self, 1, command, ...)
    end
    methods[name] = method
  end
  return method
end

local function check_options(options)
  if type(options) ~= "table" then
    error(("crew.redis.open: options: expected table, got %s"):format(type(options)), 3)
  end
  for name in pairs(options) do
    if not OPTIONS[name] then
      error("crew.redis.open: " .. unknown("option", name, OPTIONS), 3)
    end
  end
  local seconds, message = duration.seconds(options.timeout or DEFAULT_TIMEOUT_S)
  if not seconds or seconds == 0 then
    error("crew.redis.open: timeout: " .. (message or "it must be above 0"), 3)
  end
  return seconds
end

-- A connection of one's own ends with the task; what is opened while scripts are loaded, or in a hook, stays.
local function hold(self)
  local owner = scope.owner()
  if owner then
    owner:hold_weakly(self, Redis.close)
    self.session.scope = owner
  end
end

--- A Redis to talk to. Nothing is connected before the first call.
---@param url string  redis://[[user]:password@]host[:port][/db], rediss://…, redis+unix://…
---@param options { timeout: number|string|nil, exclusive: boolean|nil }|nil  timeout: of each call, 5 s unless given;
--- exclusive: a connection of one's own, for BLPOP, WATCH and the like; it lives once, and ends with the task that
--- opened it (crew.async.keep lets it stay)
---@return mooncrew.Redis
function redis.open(url, options)
  if type(url) ~= "string" then
    error(("crew.redis.open: url: expected string, got %s"):format(type(url)), 2)
  elseif not url:find "^rediss?://" and not url:find "^redis%+unix://" then
    error("crew.redis.open: url: write redis://[[user]:password@]host[:port][/db], rediss://… or redis+unix://…", 2)
  end
  options = options or {}
  local timeout = check_options(options)
  local session = { url = url, timeout = timeout, exclusive = options.exclusive and true or false }
  local self = setmetatable({ session = session }, Redis)
  if session.exclusive then
    hold(self)
  end
  return self
end

return redis
