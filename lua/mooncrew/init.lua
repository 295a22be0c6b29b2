-- mooncrew, as scripts and programs see it: local crew = require "mooncrew".

local aggregate = require "mooncrew.aggregate"
local async = require "mooncrew.async"
local cron = require "mooncrew.cron"
local distribute = require "mooncrew.distribute"
local duration = require "mooncrew.duration"
local gather = require "mooncrew.gather"
local hooks = require "mooncrew.hooks"
local json = require "mooncrew.json"
local log = require "mooncrew.log"
local place = require "mooncrew.place"
local read_retry = require "mooncrew.retry"
local registry = require "mooncrew.registry"
local schema = require "mooncrew.schema"
local scope = require "mooncrew.scope"
local task = require "mooncrew.task"

---@class mooncrew
local crew = {}

--- Defines and registers a task type; the definition it returns is also the type's distributor.
crew.task = task

--- Describes payloads: crew.schema.object { name = crew.schema.string { min_length = 1 } }.
crew.schema = schema

--- Enqueues a task again and again: crew.cron("0 3 * * *", "report:daily", payload, options).
crew.cron = cron.declare
--- Registers how the tasks of a group become one task: crew.aggregate { group = "mail:*", type = "mail:digest",
--- fold = function(payloads, group, tasks) … end }.
crew.aggregate = aggregate

--- Enqueues a task: crew.enqueue(type, payload, options) returns its info, or nil, message, code.
---@type fun(type: string|mooncrew.Definition, payload: any, options?: table): table|nil, string|nil, string|nil
crew.enqueue = distribute.enqueue

--- Waiting without blocking: crew.async.await(start). crew.async.keep(handle) lets a handle of luv stay when the task
--- ends that made it.
crew.async = { await = async.await, keep = scope.keep }

--- Runs several functions at once within one task: local a, b = crew.gather(f, g), or a list for a list.
crew.gather = gather

--- JSON as mooncrew speaks it: canonical, exact, strict.
crew.json = json

--- Marks a table as an array, so that an empty one is [] in JSON.
crew.array = json.array

--- The null of JSON, where nil would leave a field out.
crew.null = json.null

--- Log lines outside of any task; a handler uses task.log.
crew.log = log.new(nil)

--- Adds middleware around every handler; what is added first is outermost. `next()` runs the rest and returns the
--- handler's result; `next(payload)` hands on another payload.
---@param middleware fun(payload: any, task: mooncrew.Context, next: fun(payload?: any): any): any
function crew.use(middleware)
  if type(middleware) ~= "function" then
    error(("crew.use: expected function, got %s"):format(type(middleware)), 2)
  end
  table.insert(registry.middleware, middleware)
end

--- Calls a function for every attempt that ended badly: crew.on_error(function(task, message, details) … end).
crew.on_error = hooks.on_error

--- Calls a function in every worker before it gets its first task: open a pool, warm a cache.
crew.on_start = hooks.on_start

--- Calls a function in every worker that ends, when no task is left.
crew.on_stop = hooks.on_stop

--- Says when failed tasks are tried again whose definition says nothing of it, or whose retry function returns nil: a
--- delay, a list of delays (the last for all that follow), or a function of how often the task was retried, its error
--- and the task, which returns a delay, or nil for the default.
---@param retry number|string|(number|string)[]|mooncrew.RetryFunction
function crew.retry(retry)
  local delay, message = read_retry(retry)
  if not delay then
    error("crew.retry" .. message, 2)
  end
  local source = place.of_caller(2)
  if registry.retry then
    error(("crew.retry is called twice: at %s and at %s"):format(registry.retry.source, source), 2)
  end
  registry.retry = { delay = delay, source = source }
end

--- Waits at least this long while other tasks run; 0 lets them have a turn.
---@param time number|string  seconds or "1m30s"
function crew.sleep(time)
  local seconds, message = duration.seconds(time)
  if not seconds then
    error("crew.sleep: " .. message, 2)
  end
  async.sleep(seconds, 3)
end

--- A client of its own connection, for programs that are no workers. In a handler use crew.enqueue.
---@param url string|nil  redis://…; MOONCREW_REDIS unless given
---@param options table|nil  timeout
---@return table|nil client, string|nil message, string|nil code
function crew.client(url, options)
  return require("mooncrew.client").open(url, options)
end

-- Modules that most scripts do without: loaded when a script first names them.
local ON_DEMAND = { http = true, mail = true, redis = true, postgres = true, exec = true }

setmetatable(crew, {
  __index = function(_, name)
    if ON_DEMAND[name] then
      local module = require("mooncrew." .. name)
      crew[name] = module
      return module
    end
  end,
})

return crew
