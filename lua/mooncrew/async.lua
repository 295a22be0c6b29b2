-- Waiting without blocking. Every task runs in a coroutine of its own, a fiber; a fiber that waits has exactly one
-- pending operation, with one function that cancels it.
--
--   idle ──fiber()──▶ running ──await──▶ parked ──resume or stop──▶ ready ──step()──▶ running
--     ▲                  │
--     └── body returned ─┘
--
-- What it refuses to do:
--   * resume a fiber from inside another one: resume() only marks it ready, the host steps it from its own loop;
--   * resume twice: a wait ends once, what comes later is ignored;
--   * wait anywhere but in the fiber's own coroutine: a coroutine that a handler made would be left hanging.
-- Being stopped (cancelled, or out of time) is sticky: the wait that is pending raises, and so does every later one.

local host = require "mooncrew.host"

local async = {}

local POOL_LIMIT = 1024 -- idle coroutines kept for the next tasks

-- What a coroutine of ours yields, and nobody else can.
local PARKED, IDLE = {}, {}

--- Why a fiber was stopped, and the error that its waits raise.
local STOP_ERRORS = { TIMED_OUT = "context deadline exceeded", CANCELLED = "context canceled" }

---@class mooncrew.Fiber
---@field thread thread
---@field body fun(fiber: mooncrew.Fiber)  what it runs; must not raise
---@field lost fun(fiber: mooncrew.Fiber, message: string)  called instead when the coroutine cannot be used any more
---@field task mooncrew.Context|nil
---@field slot integer|nil  the host's number for it
---@field fold table|nil  instead of a task: the group that it folds, until it starts (mooncrew.worker)
---@field stopped string|nil  TIMED_OUT or CANCELLED, once it was told to stop
---@field wait table|nil  the pending operation while it is parked

local running ---@type mooncrew.Fiber|nil
local pool, pooled = {}, 0

local create, resume_thread, yield = coroutine.create, coroutine.resume, coroutine.yield
local current_thread, is_yieldable = coroutine.running, coroutine.isyieldable

local function live(fiber)
  while true do
    fiber.body(fiber)
    yield(IDLE)
  end
end

--- A fiber that has not begun; the first step does. It goes back to the pool by itself.
---@param body fun(fiber: mooncrew.Fiber)
---@param lost fun(fiber: mooncrew.Fiber, message: string)
---@return mooncrew.Fiber
function async.fiber(body, lost)
  local fiber
  if pooled > 0 then
    fiber = pool[pooled]
    pool[pooled] = nil
    pooled = pooled - 1
  else
    fiber = { thread = create(live) }
  end
  fiber.body, fiber.lost = body, lost
  return fiber
end

local function release(fiber)
  fiber.task, fiber.slot, fiber.stopped, fiber.wait = nil, nil, nil, nil
  if pooled < POOL_LIMIT then
    pooled = pooled + 1
    pool[pooled] = fiber
  end
end

--- Runs the fiber until it waits or ends. Called by the host alone, never from inside a fiber.
---@param fiber mooncrew.Fiber
function async.step(fiber)
  running = fiber
  local ok, signal = resume_thread(fiber.thread, fiber)
  running = nil
  if signal == PARKED then
    return
  elseif signal == IDLE then
    release(fiber)
  elseif ok then
    fiber.lost(fiber, "the handler called coroutine.yield outside a coroutine of its own; "
      .. "crew.sleep(0) lets other tasks run")
  else
    fiber.lost(fiber, tostring(signal))
  end
end

--- Tells the fiber to stop: its pending wait is cancelled and raises, and so does every later one.
---@param fiber mooncrew.Fiber
---@param why "TIMED_OUT"|"CANCELLED"
function async.stop(fiber, why)
  if fiber.stopped then
    return
  end
  fiber.stopped = why
  local wait = fiber.wait
  if not wait or wait.finished then
    return
  end
  wait.finished = true
  if wait.cancel then
    local ok, message = pcall(wait.cancel)
    if not ok then
      host.log("error", "cancelling what a task waited for failed", { error = tostring(message) }, fiber.task)
    end
  end
  host.ready(fiber)
end

--- The fiber that runs right now, nil outside of any.
---@return mooncrew.Fiber|nil
function async.current()
  return running
end

-- The fiber that may wait here; an error that blames the given level above this function when there is none.
local function waiting_fiber(level)
  if not running then
    error("waiting works only while a task runs, not while scripts are loaded or in a callback", level + 1)
  elseif current_thread() ~= running.thread then
    error("waiting works only in the handler's own coroutine, not in one that it made (coroutine.wrap, "
      .. "coroutine.create)", level + 1)
  elseif not is_yieldable() then
    error("waiting does not work inside a function that C code calls (table.sort, string.gsub and the like)", level + 1)
  end
  return running
end

local function keep(wait, ...)
  wait.finished = true
  wait.count = select("#", ...)
  if wait.count <= 1 then
    wait.value = ...
  else
    wait.values = { ... }
  end
end

local function give(wait)
  if wait.values then
    return unpack(wait.values, 1, wait.count)
  elseif wait.count == 1 then
    return wait.value
  end
end

-- level: whom an error blames, 1 being the function that calls this.
local function await(start, level)
  local fiber = waiting_fiber(level + 1)
  if fiber.stopped then
    error(STOP_ERRORS[fiber.stopped], 0)
  end
  local wait = { finished = false, parked = false }
  local function resume(...)
    if wait.finished then
      return
    end
    keep(wait, ...)
    if wait.parked then
      host.ready(fiber)
    end
  end
  wait.cancel = start(resume)
  if not wait.finished then
    wait.parked = true
    fiber.wait = wait
    host.parked(fiber)
    yield(PARKED)
    fiber.wait = nil
    if not wait.count then
      error(STOP_ERRORS[fiber.stopped], 0)
    end
  end
  return give(wait)
end

--- Waits until an operation ends, while other tasks run.
---
--- `start(resume)` begins the operation and returns the function that cancels it (or nil when it cannot be cancelled).
--- `resume(...)` ends the wait, and its arguments are what await returns; it may be called at once, from inside start.
--- A second call of it is ignored. When the task is cancelled or runs out of time meanwhile, the operation is cancelled
--- and await raises `context canceled` or `context deadline exceeded`.
---@param start fun(resume: fun(...)): fun()|nil
---@return any ...
function async.await(start)
  return await(start, 1) -- a tail call: our own frame is gone
end

--- Waits for this many seconds, at least; 0 lets other tasks run. For crew.sleep.
---@param seconds number
---@param level integer  whom an error blames, as in error()
function async.sleep(seconds, level)
  await(function(resume)
    local timer = host.timer_start(seconds, resume)
    return function()
      host.timer_stop(timer)
    end
  end, level)
end

return async
