-- One queue as it lies in Redis: read for checks, and written to as asynq's Go client writes to it.
local message = require "message"
local uv = require "luv"

local Queue = {}
Queue.__index = Queue

local LISTS = { "pending", "active" }
local SETS = { "lease", "scheduled", "retry", "archived", "completed" }
local COUNTERS = { "processed", "failed" }

---@param redis table a client from redis.lua
---@param name? string
function Queue.new(redis, name)
  return setmetatable({ redis = redis, name = name or "default", made = 0 }, Queue)
end

---@param suffix string
function Queue:key(suffix)
  return ("asynq:{%s}:%s"):format(self.name, suffix)
end

--- How many tasks are where, and the counters: { pending = 0, active = 0, lease = 0, … processed = 0, failed = 0 }.
function Queue:counts()
  local commands, names = {}, {}
  local function ask(command, list)
    for _, suffix in ipairs(list) do
      names[#names + 1] = suffix
      commands[#commands + 1] = { command, self:key(suffix) }
    end
  end
  ask("LLEN", LISTS)
  ask("ZCARD", SETS)
  ask("GET", COUNTERS)
  local counts = {}
  for i, reply in ipairs(self.redis:pipeline(commands)) do
    counts[names[i]] = tonumber(reply or 0)
  end
  return counts
end

--- The ids in a list or set of the queue, in order: ids "pending", ids "archived" …
---@param suffix string
---@return string[]
function Queue:ids(suffix)
  if suffix == "pending" or suffix == "active" then return self.redis:call("LRANGE", self:key(suffix), 0, -1) end
  return self.redis:call("ZRANGE", self:key(suffix), 0, -1)
end

--- Where each id is: { id = { "pending" }, … }. A sound queue has each in exactly one place (lease goes with active).
function Queue:places()
  local places = {}
  for _, suffix in ipairs { "pending", "active", "scheduled", "retry", "archived", "completed" } do
    for _, id in ipairs(self:ids(suffix)) do
      places[id] = places[id] or {}
      table.insert(places[id], suffix)
    end
  end
  return places
end

--- A task's hash, with its message decoded under `message`; nil when there is none.
---@param id string
function Queue:task(id)
  local hash = self.redis:hash("HGETALL", self:key("t:" .. id))
  if next(hash) == nil then return nil end
  local ok, decoded = pcall(message.decode_task, hash.msg or "")
  hash.message = ok and decoded or nil
  return hash
end

--- The score of an id in one of the queue's sets, nil when it is not there.
function Queue:score(suffix, id)
  return tonumber(self.redis:call("ZSCORE", self:key(suffix), id))
end

local function wall_ns()
  local seconds, micros = uv.gettimeofday()
  return ("%d%06d000"):format(seconds, micros)
end

--- A task with the fields of TaskMessage and asynq's defaults for what is not given.
---@param task table
function Queue:prepare(task)
  self.made = self.made + 1
  local whole = { id = ("%s-%d"):format(self.name, self.made), queue = self.name, retry = 25, timeout = 1800 }
  for name, value in pairs(task) do
    whole[name] = value
  end
  return whole
end

--- Adds tasks to pending just as asynq's Go client does, in one pipeline; returns their ids in order.
---@param tasks table[]
---@return string[]
function Queue:add_all(tasks)
  local commands, ids = { { "SADD", "asynq:queues", self.name } }, {}
  for i, task in ipairs(tasks) do
    task = self:prepare(task)
    ids[i] = task.id
    commands[#commands + 1] = { "HSET", self:key("t:" .. task.id), "msg", task.msg or message.encode_task(task),
      "state", "pending", "pending_since", wall_ns() }
    commands[#commands + 1] = { "LPUSH", self:key "pending", task.id }
  end
  for _, reply in ipairs(self.redis:pipeline(commands)) do
    assert(type(reply) ~= "table", type(reply) == "table" and reply.error)
  end
  return ids
end

--- Adds one task to pending; `msg` gives the bytes of the message instead of the fields.
---@param task table
---@return string id
function Queue:add(task)
  return self:add_all({ task })[1]
end

--- Adds tasks to a group just as asynq's Go client does; returns their ids in order.
---@param group string
---@param count integer
---@param make fun(i: integer): table
---@return string[] ids
function Queue:add_grouped(group, count, make)
  local commands, ids = { { "SADD", "asynq:queues", self.name } }, {}
  for i = 1, count do
    local task = self:prepare(make(i))
    task.group_key = group
    ids[i] = task.id
    commands[#commands + 1] = { "HSET", self:key("t:" .. task.id), "msg", message.encode_task(task), "state",
      "aggregating", "group", group }
    commands[#commands + 1] = { "ZADD", self:key("g:" .. group), os.time(), task.id }
    commands[#commands + 1] = { "SADD", self:key "groups", group }
  end
  for _, reply in ipairs(self.redis:pipeline(commands)) do
    assert(type(reply) ~= "table", type(reply) == "table" and reply.error)
  end
  return ids
end

--- Adds `count` tasks made by a function of their number.
---@param count integer
---@param make fun(i: integer): table
---@return string[] ids
function Queue:add_many(count, make)
  local tasks = {}
  for i = 1, count do
    tasks[i] = make(i)
  end
  return self:add_all(tasks)
end

return Queue
