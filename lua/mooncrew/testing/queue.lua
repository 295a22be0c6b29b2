-- The tasks that were accepted in a test: gives ids, and refuses what Redis would refuse, an id or a unique task that
-- is there already. What is accepted stays, unless the test performs it (mooncrew.testing.drain).

local json = require "mooncrew.json"

---@class mooncrew.testing.Task  one that a handler enqueued
---@field id string
---@field type string
---@field queue string
---@field payload any  as its JSON says, or its bytes
---@field raw_payload string
---@field options mooncrew.NormalOptions
---@field enqueued_at number  unix seconds

---@class mooncrew.testing.Queue
---@field count integer
---@field ids table<string, true>  by queue and id
---@field locks table<string, { id: string, ends: number }>  of unique tasks
local Queue = {}
Queue.__index = Queue

local M = {}

---@return mooncrew.testing.Queue
function M.new()
  return setmetatable({ count = 0, ids = {}, locks = {} }, Queue)
end

local function key(...)
  return table.concat({ ... }, "\0")
end

local function id_key(task)
  return key(task.queue, task.id)
end

local function lock_key(task)
  return key(task.queue, task.type, task.raw_payload)
end

-- In the order in which Redis is asked: the lock, then the id.
local function refusal(self, task, now)
  local lock = task.options.unique_ms and self.locks[lock_key(task)]
  if lock and lock.ends > now then
    return ('queue "%s" has a "%s" task with this payload already: %s'):format(task.queue, task.type, lock.id),
      "DUPLICATE_TASK"
  elseif self.ids[id_key(task)] then
    return ('queue "%s" has a task "%s" already'):format(task.queue, task.id), "TASK_ID_CONFLICT"
  end
end

--- Accepts a task, or says why not.
---@param type string
---@param bytes string
---@param options mooncrew.NormalOptions
---@param now number  unix seconds
---@return mooncrew.testing.Task|nil task, string|nil message, string|nil code
function Queue:accept(type, bytes, options, now)
  local ok, payload = json.decode(bytes)
  local task = { id = options.task_id or ("enqueued-%d"):format(self.count + 1), type = type,
    queue = options.queue or "default", payload = ok and payload or bytes, raw_payload = bytes, options = options,
    enqueued_at = now }
  local message, code = refusal(self, task, now)
  if message then
    return nil, message, code
  end
  self.count = self.count + 1
  self.ids[id_key(task)] = true
  if options.unique_ms then
    self.locks[lock_key(task)] = { id = task.id, ends = now + options.unique_ms / 1000 }
  end
  return task
end

--- The task has come to its end: its id and its lock are free again.
---@param task mooncrew.testing.Task
function Queue:release(task)
  self.ids[id_key(task)] = nil
  local lock = self.locks[lock_key(task)]
  if lock and lock.id == task.id then
    self.locks[lock_key(task)] = nil
  end
end

--- What the one who enqueued a task is told.
---@param task mooncrew.testing.Task
---@return mooncrew.Info
function M.info(task)
  local options = task.options
  local later = options.process_at_ms and options.process_at_ms > task.enqueued_at * 1000
  return { id = task.id, type = task.type, queue = task.queue,
    state = later and "scheduled" or options.group and "aggregating" or "pending",
    process_at = later and math.ceil(options.process_at_ms / 1000) or nil }
end

return M
