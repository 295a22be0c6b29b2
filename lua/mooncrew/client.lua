-- A client with a connection of its own, for programs that are no workers:
--
--   local client = assert(require("mooncrew.client").open("redis://127.0.0.1:6379/0"))
--   local info, message, code = client:enqueue("image:resize", { src = "a.jpg" }, { queue = "low" })
--
-- Calls block until Redis has answered or the time-out has passed. It connects at its first use, and again by itself. A
-- client works only in the process that opened it: after a fork, open another.

local distribute = require "mooncrew.distribute"
local duration = require "mooncrew.duration"
local inspect = require "mooncrew.inspect"
local limits = require "mooncrew.limits"

local pairs = require("mooncrew.native").pairs

local M = {}

local DEFAULT_URL = "redis://127.0.0.1:6379/0"

local misuse, native_of = inspect.misuse, inspect.native_of

---@class mooncrew.Client : mooncrew.Inspector
local Client = {}
Client.__index = Client
for name, method in pairs(inspect.methods) do
  Client[name] = method
end

---@class mooncrew.Result : mooncrew.Info  what became of one task of many
---@field ok boolean
---@field error string|nil  why, when ok is false
---@field code string|nil

---@class mooncrew.QueueStats
---@field name string
---@field paused boolean
---@field pending integer
---@field active integer
---@field scheduled integer
---@field retry integer
---@field archived integer
---@field completed integer
---@field aggregating integer
---@field processed_today integer  since midnight, UTC; failures included
---@field failed_today integer
---@field processed integer  since the queue was made
---@field failed integer
---@field latency_ms integer  how long the oldest pending task has waited

---@class mooncrew.Stats
---@field queues mooncrew.QueueStats[]  by name
---@field servers string[]  "host:pid:uuid" of each that is alive

--- Opens a client; it connects at its first use.
---@param url string|nil  redis://user:password@host:port/db, rediss://… (TLS) or redis+unix:///path?db=0;
--- MOONCREW_REDIS unless given
---@param options { timeout: number|string|nil }|nil  timeout: of each call as a whole, 5 s unless given
---@return mooncrew.Client|nil client, string|nil message, string|nil code
function M.open(url, options)
  url = url or os.getenv("MOONCREW_REDIS") or DEFAULT_URL
  options = options or {}
  if type(url) ~= "string" then
    error(("crew.client: url: expected string, got %s"):format(type(url)), 2)
  elseif type(options) ~= "table" then
    error(("crew.client: options: expected table, got %s"):format(type(options)), 2)
  end
  for name in pairs(options) do
    if name ~= "timeout" then
      error(("crew.client: unknown option '%s': a client knows only 'timeout'"):format(tostring(name)), 2)
    end
  end
  local timeout, wrong = duration.seconds(options.timeout or 5)
  if not timeout or timeout == 0 then
    return nil, "timeout: " .. (wrong or "must be longer than 0"), "INVALID_ARGUMENT"
  end
  local native, message, code = require("mooncrew.native_client").open(url, timeout * 1000)
  if not native then
    return nil, message, code
  end
  return setmetatable({ native = native }, Client)
end

--- Validates the payload by its definition, if the type has one here, and enqueues the task.
---@param target string|mooncrew.Definition
---@param payload any
---@param options mooncrew.Options|nil
---@return mooncrew.Info|nil info, string|nil message, string|nil code
function Client:enqueue(target, payload, options)
  native_of(self, 2)
  local name, bytes, normal = distribute.prepare(target, payload, options)
  if not name then
    return nil, bytes, normal
  end
  return self:send(name, bytes, normal)
end

--- Enqueues a task that mooncrew.distribute has prepared.
---@param name string
---@param bytes string
---@param normal mooncrew.NormalOptions
---@return mooncrew.Info|nil info, string|nil message, string|nil code
function Client:send(name, bytes, normal)
  return native_of(self, 2):enqueue(name, bytes, normal)
end

-- The tasks that can be sent, with the place of each in the list; the results of those that cannot.
local function prepare_many(tasks)
  local ready, places, results = {}, {}, {}
  for i, task in ipairs(tasks) do
    if type(task) ~= "table" then
      misuse(("task %d: expected { type, payload, options }, got %s"):format(i, type(task)), 3)
    end
    local name, bytes, normal = distribute.prepare(task[1], task[2], task[3], 3)
    if name then
      ready[#ready + 1], places[#places + 1] = { name, bytes, normal }, i
    else
      results[i] = { ok = false, error = bytes, code = normal }
    end
  end
  return ready, places, results
end

--- Enqueues many tasks in few round trips. One that is refused does not keep the others back.
---@param tasks { [1]: string|mooncrew.Definition, [2]: any, [3]: mooncrew.Options|nil }[]
---@return mooncrew.Result[] results  one for each task, in order
function Client:enqueue_many(tasks)
  local native = native_of(self, 2)
  if type(tasks) ~= "table" then
    misuse(("tasks: expected a list of { type, payload, options }, got %s"):format(type(tasks)), 2)
  end
  local ready, places, results = prepare_many(tasks)
  for i, result in ipairs(native:enqueue_many(ready)) do
    result.ok = result.code == nil
    results[places[i]] = result
  end
  return results
end

--- What stands in Redis right now.
---@return mooncrew.Stats|nil stats, string|nil message, string|nil code
function Client:stats()
  return native_of(self, 2):stats()
end

local function limit(native, queue, numbers)
  local concurrency, rate, interval_ms = native:limit(queue, numbers.concurrency, numbers.rate, numbers.interval_ms)
  if not concurrency then
    return nil, rate, interval_ms -- message and code
  end
  return limits.table_of(concurrency, rate, interval_ms)
end

--- The limits that hold for a queue; a field that is missing is no limit.
---@param queue string
---@return mooncrew.Limits|nil limits, string|nil message, string|nil code
function Client:limits(queue)
  return limit(native_of(self, 2), queue, {})
end

--- Changes limits of a queue; servers that run keep to them at once: client:limit("mail", { concurrency = 3,
--- rate = "10/s" }). What is not given stays; false takes a limit away.
---@param queue string  need not exist yet
---@param changes { concurrency: integer|false|nil, rate: string|false|nil }
---@return mooncrew.Limits|nil limits  all that hold now
---@return string|nil message, string|nil code
function Client:limit(queue, changes)
  local native = native_of(self, 2)
  if type(changes) ~= "table" then
    misuse(("changes: expected a table, got %s"):format(type(changes)), 2)
  end
  for name in pairs(changes) do
    if name ~= "concurrency" and name ~= "rate" then
      misuse(("unknown limit '%s': a queue knows 'concurrency' and 'rate'"):format(tostring(name)), 2)
    end
  end
  local numbers, message = limits.numbers_of(changes)
  if not numbers then
    return nil, message, "INVALID_ARGUMENT"
  end
  return limit(native, queue, numbers)
end

--- Closes the connection; closing twice is fine. Also done when the client is collected.
function Client:close()
  if self.native then
    self.native:close()
    self.native = nil
  end
end

inspect.name_methods(Client)

return M
