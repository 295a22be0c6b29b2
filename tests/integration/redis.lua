-- A small synchronous client for Redis over a unix socket. It shares no code with mooncrew, so that what mooncrew says
-- about Redis is checked by somebody else.
local uv = require "luv"
local wait = require "wait"

local Redis = {}
Redis.__index = Redis

local TIMEOUT_S = 20

local function encode(command)
  local parts = { ("*%d\r\n"):format(#command) }
  for _, argument in ipairs(command) do
    argument = type(argument) == "number" and ("%.0f"):format(argument) or tostring(argument)
    parts[#parts + 1] = ("$%d\r\n%s\r\n"):format(#argument, argument)
  end
  return table.concat(parts)
end

-- ---- reading: a parser returns the place after the value and the value, or nothing when bytes are missing ----

local parse

local function or_false(value)
  if value == nil then return false end
  return value
end

local function parse_array(text, at, size)
  local items = {}
  for i = 1, size do
    local value
    at, value = parse(text, at)
    if not at then return nil end
    items[i] = or_false(value)
  end
  return at, items
end

local parsers = {
  ["+"] = function(_, at, line) return at, line end,
  [":"] = function(_, at, line) return at, tonumber(line) end,
  ["-"] = function(_, at, line) return at, { error = line } end,
  ["$"] = function(text, at, line)
    local size = tonumber(line)
    if size < 0 then return at, nil end
    if #text < at + size + 1 then return nil end
    return at + size + 2, text:sub(at, at + size - 1)
  end,
  ["*"] = function(text, at, line)
    if tonumber(line) < 0 then return at, nil end
    return parse_array(text, at, tonumber(line))
  end,
}

function parse(text, at)
  local stop = text:find("\r\n", at, true)
  if not stop then return nil end
  return parsers[text:sub(at, at)](text, stop + 2, text:sub(at + 1, stop - 1))
end

-- ---- the client ----

--- A client of the server that listens on a unix socket; it connects at its first use, and again after a loss.
---@param path string
function Redis.new(path)
  return setmetatable({ path = path, bytes = "" }, Redis)
end

local function connect(self)
  local pipe, status = uv.new_pipe(false), nil
  pipe:connect(self.path, function(err) status = err or "ok" end)
  wait.wait_until("Redis at " .. self.path .. " has accepted", TIMEOUT_S, function() return status end)
  if status ~= "ok" then
    pipe:close()
    return nil, status
  end
  self.pipe, self.bytes, self.broken = pipe, "", nil
  pipe:read_start(function(err, bytes)
    if err or not bytes then
      self.broken = err or "closed by the server"
    else
      self.bytes = self.bytes .. bytes
    end
  end)
  return true
end

function Redis:close()
  if self.pipe then self.pipe:close() end
  self.pipe = nil
end

local function take_reply(self)
  local at, value = parse(self.bytes, 1)
  if not at then return false end
  self.bytes = self.bytes:sub(at)
  return true, value
end

local function await_reply(self)
  local value
  local ok, why = wait.poll(TIMEOUT_S, function()
    local whole
    whole, value = take_reply(self)
    return whole or self.broken, "no answer"
  end)
  if ok == true then return true, value end
  self:close()
  return false, self.broken or why
end

--- Sends commands in one write; returns their replies, with false for nil and {error = text} for an error.
---@param commands any[][]
function Redis:pipeline(commands)
  if self.pipe and self.broken then self:close() end
  if not self.pipe then
    local ok, why = connect(self)
    if not ok then error("cannot connect to " .. self.path .. ": " .. why, 2) end
  end
  local parts = {}
  for i, command in ipairs(commands) do
    parts[i] = encode(command)
  end
  self.pipe:write(table.concat(parts))
  local replies = {}
  for i = 1, #commands do
    local ok, reply = await_reply(self)
    if not ok then error(("Redis, %s: %s"):format(commands[i][1], reply), 2) end
    replies[i] = or_false(reply)
  end
  return replies
end

--- Sends one command; returns its reply: a string, a number, an array with false for nil, or nil. Errors are raised.
function Redis:call(...)
  local reply = self:pipeline({ { ... } })[1]
  if type(reply) == "table" and reply.error then
    error(("Redis, %s: %s"):format((...), reply.error), 2)
  end
  return reply or nil
end

--- A reply of alternating names and values as a table.
function Redis:hash(...)
  local flat, map = self:call(...), {}
  for i = 1, #flat, 2 do
    map[flat[i]] = flat[i + 1]
  end
  return map
end

return Redis
