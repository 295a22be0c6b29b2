-- The Lua half of a worker: what runtime/worker/ calls, and what its C functions do for the rest of the library.
--
-- A running task is known to both halves by its slot, a small number: C holds its attempt, its time-out and its place
-- in the shared page there, Lua its fiber.

local async = require "mooncrew.async"
local context = require "mooncrew.context"
local distribute = require "mooncrew.distribute"
local execute = require "mooncrew.execute"
local finalizers = require "mooncrew.finalizers"
local fold = require "mooncrew.fold"
local globals = require "mooncrew.globals"
local hooks = require "mooncrew.hooks"
local host = require "mooncrew.host"
local log = require "mooncrew.log"
local native = require "mooncrew.native_worker"
local place = require "mooncrew.place"
local registry = require "mooncrew.registry"
local scripts = require "mooncrew.scripts"
local sources = require "mooncrew.sources"
local strand = require "mooncrew.strand"
local telling = require "mooncrew.telling"

local worker = {}

local fibers = {} ---@type table<integer, mooncrew.Fiber>  by slot
local enqueues = {} ---@type table<integer, fun(...)>  by request: who waits for the answer
local closing = false -- the supervisor has closed its end

-- A client would block every other task while it waits.
package.preload["mooncrew.native_client"] = function()
  error("crew.client is for programs that are no workers: a handler enqueues with crew.enqueue or task:enqueue", 0)
end

-- ---- what the library asks of its host ----

local function write_log(level, message, fields, task)
  if not native.log_begin(level, log.event(message)) then
    return
  end
  if task then
    native.log_text("task_id", task.id)
    native.log_text("type", task.type)
  end
  log.each_field(fields, native.log_text, native.log_json)
  native.log_end()
end

local teller = {
  now = native.clock_wall,
  clock = native.clock_monotonic,
  timer_start = native.timer_start,
  timer_stop = native.timer_stop,
  send = function(task, fraction, at, text)
    native.task_progress(task.fiber.slot, fraction, at, text)
  end,
}

-- What a task left running has none any more.
local function is_running(task)
  local fiber = rawget(task, "fiber")
  return fiber and fiber.task == task and fibers[fiber.slot] == fiber
end

host.use {
  now = native.clock_wall,
  timer_start = native.timer_start,
  timer_stop = native.timer_stop,
  log = write_log,
  ready = function(fiber)
    if fiber.slot then
      native.task_ready(fiber.slot)
    else -- it runs a hook of the worker
      native.timer_start(0, function()
        async.step(fiber)
      end)
    end
  end,
  parked = function(fiber)
    if fiber.slot then
      native.task_park(fiber.slot)
    end
  end,
  progress = function(task, fraction, text)
    if is_running(task) then
      host.log_progress(task, fraction, text)
      telling.tell(teller, task, fraction, text)
    end
  end,
  failed = function(task, text)
    if is_running(task) then
      native.task_failed(task.fiber.slot, text)
    end
  end,
  stopped = function(fiber)
    return native.task_stopped(fiber.slot)
  end,
}

-- What scripts print goes to the log, with the task that printed it: standard output has no place for it beside lines
-- that programs read, and says neither when nor who.
local function print_to_log(...)
  local texts = {}
  for i = 1, select("#", ...) do
    texts[i] = tostring((select(i, ...)))
  end
  local fiber = strand.acting()
  host.log("info", "print", { text = table.concat(texts, "\t") }, fiber and fiber.task or nil)
end

finalizers.guard(function(message)
  host.log("error", "a finalizer failed", { error = message })
end)

local function state_of(options, process_at)
  if process_at then
    return "scheduled"
  end
  return options.group and "aggregating" or "pending"
end

--- Sends the task to the supervisor, which enqueues it, and waits for the answer.
function distribute.backend(type, bytes, options)
  if closing then
    return nil, "the worker ends: nothing can be enqueued any more", "UNAVAILABLE"
  end
  local request
  local id, process_at, message, code = async.await(function(resume)
    request = native.enqueue_send(async.current().slot, type, bytes, options)
    enqueues[request] = resume
    return function()
      enqueues[request] = nil
    end
  end)
  if not id then
    return nil, message, code
  end
  return { id = id, queue = options.queue or "default", type = type, state = state_of(options, process_at),
    process_at = process_at }
end

-- ---- what C calls ----

local function run(fiber)
  local slot = fiber.slot
  local kind, text, trace, delay = execute.run(fiber.task, fiber)
  fibers[slot] = nil
  telling.stop(teller, fiber.task)
  native.task_finish(slot, kind, text, trace, delay)
end

local function lost(fiber, message)
  fibers[fiber.slot] = nil
  telling.stop(teller, fiber.task)
  fiber.task = nil -- what it left running has no task any more
  native.task_finish(fiber.slot, fiber.stopped or "FAILED", message)
end

local function run_fold(fiber)
  local slot, job = fiber.slot, fiber.fold
  fiber.fold = nil -- fibers are used again
  local kind, first, second, options = fold.run(job.rule, job.queue, job.group, job.tasks, fiber)
  fibers[slot] = nil
  if kind == "FOLDED" then
    native.fold_finish(slot, first, second, options)
  elseif kind == "UNFIT" then
    native.fold_unfit(slot, first)
  else
    native.task_finish(slot, kind, first, second)
  end
end

-- The rules for groups as the manifest has them: durations in seconds, 0 for what is not limited.
local function group_rules()
  local list = {}
  for i, rule in ipairs(registry.rules()) do
    list[i] = { queue = rule.queue or "", pattern = rule.pattern, grace = rule.grace_period,
      max_delay = rule.max_delay or 0, max_size = rule.max_size or 0, timeout = rule.timeout }
  end
  return list
end

local function manifest()
  local list = { groups = group_rules(), cron = registry.cron }
  for _, definition in ipairs(registry.all()) do
    list[#list + 1] = definition.type
    list[#list + 1] = definition.options.queue or ""
  end
  return list
end

-- Tells the supervisor which script is at work, and its line: also where the script does not come to its end, or ends
-- the process. Files are known by their place among all, which stand in the order of their bytes on both sides.
local function tell_loading()
  local numbers = {}
  for number, path in ipairs(sources.paths() or {}) do
    numbers[path] = number
  end
  place.follow = function(path, line)
    local number = numbers[path or false]
    native.loading(number or 0, number and line or 0)
  end
end

local function end_load(manifest_or_nil, message)
  place.follow = function() end
  native.loading(0, 0)
  native.load_end(manifest_or_nil, message)
end

--- Loads the scripts and runs the functions of crew.on_start, which may wait. Then, maybe before this returns,
--- native.load_end is called with
---   manifest: type and declared queue (or ""), in turns; in its fields cron and groups the entries of crew.cron and
---   the rules for groups; or
---   nil and a message that names file and line.
---@param folder string
---@param texts table<string, string>|nil  path → text of all of them; nil: they are read from the disk
---@param load_timeout number  seconds for all of it
function worker.load(folder, texts, load_timeout)
  local began = native.clock_monotonic()
  sources.use(texts)
  strand.guard_yield()
  tell_loading()
  rawset(globals.shared, "print", print_to_log)
  local ok, message = scripts.load(folder)
  if not ok then
    return end_load(nil, message)
  end
  globals.protect()
  async.step(async.fiber(function(fiber)
    ok, message = hooks.start(fiber, load_timeout, native.clock_monotonic() - began)
    end_load(ok and manifest(), message)
  end, function(_, why)
    end_load(nil, "crew.on_start: " .. why)
  end))
end

--- Runs the functions of crew.on_stop, which may wait; then, maybe before this returns, calls native.close_end.
function worker.close()
  closing = true
  async.step(async.fiber(function()
    hooks.stop()
    native.close_end()
  end, function(_, why)
    host.log("error", "a function of crew.on_stop failed", { error = why })
    native.close_end()
  end))
end

--- Starts a task, and runs it until it waits or ends.
---@param slot integer
---@param deadline number|nil  unix seconds
---@param headers table<string, string>|nil
function worker.start(slot, id, type, queue, payload, retried, max_retry, deadline, headers)
  local fiber = async.fiber(run, lost)
  fiber.slot = slot
  fiber.task = context.new { id = id, type = type, queue = queue, raw_payload = payload, retried = retried,
    max_retry = max_retry, deadline = deadline, headers = headers, fiber = fiber }
  fibers[slot] = fiber
  async.step(fiber)
end

--- Starts a fold, and runs it until it waits or ends.
---@param slot integer
---@param rule_queue string  with the pattern the rule's name
---@param pattern string
---@param queue string
---@param group string
---@param tasks mooncrew.GroupedTask[]
function worker.fold(slot, rule_queue, pattern, queue, group, tasks)
  local rule = registry.find_rule(rule_queue, pattern)
  if not rule then
    native.task_finish(slot, "FAILED", ('no script registers a rule for groups "%s"'):format(pattern))
    return
  end
  local fiber = async.fiber(run_fold, lost)
  fiber.slot = slot
  fiber.fold = { rule = rule, queue = queue, group = group, tasks = tasks }
  fibers[slot] = fiber
  async.step(fiber)
end

--- Goes on with a task that is ready.
---@param slot integer
function worker.step(slot)
  async.step(fibers[slot])
end

--- Tells a task to stop.
---@param slot integer
---@param why "TIMED_OUT"|"CANCELLED"
function worker.stop(slot, why)
  async.stop(fibers[slot], why)
end

--- Forgets a task whose start or step failed in a way that no handler can cause (out of memory).
---@param slot integer
function worker.forget(slot)
  if fibers[slot] then
    telling.stop(teller, fibers[slot].task)
    fibers[slot].task = nil
  end
  fibers[slot] = nil
end

--- The answer to an enqueue.
---@param request integer
---@param id string|nil  nil: it failed
---@param process_at integer|nil  unix seconds, when it is scheduled
---@param message string|nil
---@param code string|nil
function worker.enqueued(request, id, process_at, message, code)
  local resume = enqueues[request]
  enqueues[request] = nil
  if resume then
    resume(id, process_at, message, code)
  end
end

return worker
