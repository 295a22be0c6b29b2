-- The coroutines of tasks. Every task is a fiber, and the fiber is its own first strand; what it gathers runs in more
-- strands, which belong to the same fiber: to one task, one slot of the host, one place in the shared page.
--
--   idle ──take──▶ ready ──step()──▶ running ──park──▶ parked ──wake──▶ ready
--     ▲                                 │
--     └──────── body returned ──────────┘
--
-- The host knows fibers only: it is told once when one of a fiber's strands becomes ready, and its step() then runs
-- those that are. A strand is never resumed from inside another one.
--
-- Being stopped is sticky, and goes down: a strand that is stopped stops the strands that it waits for.

local host = require "mooncrew.host"

local strand = {}

local POOL_LIMIT = 1024 -- idle coroutines kept for the next tasks
local STRANDS_PER_STEP = 64 -- then other tasks have their turn

-- What a coroutine of ours yields, and nobody else can.
local PARKED, IDLE = {}, {}

local YIELDED = "the handler called coroutine.yield outside a coroutine of its own; crew.sleep(0) lets other tasks run"

--- Why a strand was stopped, and the error that its waits raise.
local STOP_ERRORS = { TIMED_OUT = "context deadline exceeded", CANCELLED = "context canceled" }

---@class mooncrew.Strand
---@field thread thread
---@field fiber mooncrew.Fiber  whose it is
---@field body fun(strand: mooncrew.Strand)  what it runs; must not raise
---@field ended fun(strand: mooncrew.Strand, lost: string|nil)  called when the body has returned, or (lost) when the
---  coroutine cannot be used any more
---@field wait mooncrew.Wait|nil  the pending operation while it is parked
---@field stopped string|nil  TIMED_OUT, CANCELLED or FAILED, once it was told to stop
---@field stop_error any  what its waits raise then
---@field next_ready mooncrew.Strand|nil

---@class mooncrew.Fiber: mooncrew.Strand
---@field lost fun(fiber: mooncrew.Fiber, message: string)  called instead when the coroutine cannot be used any more
---@field task mooncrew.Context|nil
---@field slot integer|nil  the host's number for it
---@field fold table|nil  instead of a task: the group that it folds, until it starts (mooncrew.worker)
---@field scope mooncrew.Scope|nil  what must not outlive it (mooncrew.scope)
---@field raised table|nil  an error that is raised again, and its first stack (mooncrew.trace)
---@field first_ready mooncrew.Strand|nil
---@field last_ready mooncrew.Strand|nil
---@field stepping boolean|nil

---@class mooncrew.Wait
---@field finished boolean  it has its result, or was cancelled
---@field cancel fun()|nil
---@field pass_stop fun(why: string, value: any)|nil  instead of cancel: what it waits for is told to stop, and its end
---  is waited for

local running ---@type mooncrew.Strand|nil
local acting ---@type mooncrew.Fiber|nil  on whose behalf code runs: a strand of it, or the cancelling of its waits
local pool, pooled = {}, 0

local create, resume_thread, yield = coroutine.create, coroutine.resume, coroutine.yield
local current_thread, getinfo = coroutine.running, debug.getinfo

local function live(self)
  while true do
    self.body(self)
    yield(IDLE)
  end
end

local function take(body, ended)
  local self
  if pooled > 0 then
    self = pool[pooled]
    pool[pooled] = nil
    pooled = pooled - 1
  else
    self = { thread = create(live) }
  end
  self.body, self.ended = body, ended
  return self
end

local function release(self)
  self.fiber, self.task, self.slot, self.wait, self.scope, self.raised = nil, nil, nil, nil, nil, nil
  self.stopped, self.stop_error = nil, nil
  if pooled < POOL_LIMIT then
    pooled = pooled + 1
    pool[pooled] = self
  end
end

local function close_scope(fiber)
  if fiber.scope then
    fiber.scope:close()
  end
end

local function fiber_ended(fiber, lost)
  if lost then
    fiber.lost(fiber, lost)
  end
  close_scope(fiber)
end

--- A fiber that has not begun; the first step does. It goes back to the pool by itself.
---@param body fun(fiber: mooncrew.Fiber)
---@param lost fun(fiber: mooncrew.Fiber, message: string)
---@return mooncrew.Fiber
function strand.fiber(body, lost)
  local fiber = take(body, fiber_ended)
  fiber.fiber, fiber.lost = fiber, lost
  fiber.first_ready, fiber.last_ready = fiber, fiber
  return fiber
end

--- Lets the strand go on, at the next step of its fiber.
---@param self mooncrew.Strand
function strand.wake(self)
  local fiber = self.fiber
  if fiber.first_ready then
    fiber.last_ready.next_ready = self
    fiber.last_ready = self
    return
  end
  fiber.first_ready, fiber.last_ready = self, self
  if not fiber.stepping then
    host.ready(fiber)
  end
end

--- Another strand of a fiber, which begins at the fiber's next step.
---@param fiber mooncrew.Fiber
---@param body fun(strand: mooncrew.Strand)
---@param ended fun(strand: mooncrew.Strand, lost: string|nil)
---@return mooncrew.Strand
function strand.branch(fiber, body, ended)
  local self = take(body, ended)
  self.fiber = fiber
  strand.wake(self)
  return self
end

-- What a strand has died of that yielded on its own account, with the place of that.
local function yielded(thread)
  local level = 0
  local info = getinfo(thread, level, "Sl")
  while info and info.currentline < 0 do
    level = level + 1
    info = getinfo(thread, level, "Sl")
  end
  return (info and ("%s:%d: "):format(info.short_src, info.currentline) or "") .. YIELDED
end

local function run(self)
  running = self
  local ok, signal = resume_thread(self.thread, self)
  running = nil
  if signal == PARKED then
    return
  elseif signal == IDLE then
    self.ended(self)
    release(self)
  else
    self.ended(self, ok and yielded(self.thread) or tostring(signal))
  end
end

--- Runs the fiber's ready strands until they wait or end. Called by the host alone, never from inside a fiber.
---@param fiber mooncrew.Fiber
function strand.step(fiber)
  acting, fiber.stepping = fiber, true
  for _ = 1, STRANDS_PER_STEP do
    local self = fiber.first_ready
    if not self then
      break
    end
    fiber.first_ready, self.next_ready = self.next_ready, nil
    run(self)
  end
  acting, fiber.stepping = nil, false
  if fiber.first_ready then
    host.ready(fiber)
  end
end

--- Leaves the running strand until it is woken.
---@param self mooncrew.Strand  the running one
---@param wait mooncrew.Wait
function strand.park(self, wait)
  self.wait = wait
  host.parked(self.fiber)
  yield(PARKED)
  self.wait = nil
end

--- Ends a wait without a result: what it waits for is cancelled.
---@param self mooncrew.Strand  whose it is
---@param wait mooncrew.Wait
function strand.cancel(self, wait)
  wait.finished = true
  if wait.cancel then
    local ok, message = pcall(wait.cancel)
    if not ok then
      host.log("error", "cancelling what a task waited for failed", { error = tostring(message) }, self.fiber.task)
    end
  end
end

--- Ends a strand's wait as stopped. Its waits raise from now on; the first reason stands.
---@param self mooncrew.Strand
---@param why "TIMED_OUT"|"CANCELLED"|"FAILED"
---@param value any  what they raise; the words for the reason unless given
function strand.halt(self, why, value)
  if self.stopped then
    return
  end
  if value == nil then
    value = STOP_ERRORS[why]
  end
  self.stopped, self.stop_error = why, value
  local wait = self.wait
  if not wait or wait.finished then
    return
  elseif wait.pass_stop then
    wait.pass_stop(why, value)
    return
  end
  strand.cancel(self, wait)
  strand.wake(self)
end

--- Has coroutine.yield raise an error where it would leave a strand hanging, so that this is an error like others: it
--- has its place, can be caught, and ends nothing but the function that made it. (What C code yields still costs the
--- strand its life.) Returns what takes it back.
---@return fun()
function strand.guard_yield()
  local library = _G.coroutine -- the scripts'; ours may be a copy
  local real = library.yield
  rawset(library, "yield", function(...)
    if running and current_thread() == running.thread then
      error(YIELDED, 2)
    end
    return real(...)
  end)
  return function()
    rawset(library, "yield", real)
  end
end

--- Runs a function on a fiber's behalf (see strand.acting), outside of its strands. The function must not raise.
---@param fiber mooncrew.Fiber|nil
---@param fn fun(...)
function strand.on_behalf(fiber, fn, ...)
  local outer, outer_running = acting, running
  acting, running = fiber, nil
  fn(...)
  acting, running = outer, outer_running
end

--- Tells the fiber to stop: its pending waits are cancelled and raise, and so does every later one.
---@param fiber mooncrew.Fiber
---@param why "TIMED_OUT"|"CANCELLED"|"FAILED"
---@param value any  as for halt
function strand.stop(fiber, why, value)
  strand.on_behalf(fiber, strand.halt, fiber, why, value)
end

--- The strand that runs right now, nil outside of any.
---@return mooncrew.Strand|nil
function strand.running()
  return running
end

--- The fiber on whose behalf code runs right now: also while its waits are cancelled, or in a callback of its own.
---@return mooncrew.Fiber|nil
function strand.acting()
  return acting
end

return strand
