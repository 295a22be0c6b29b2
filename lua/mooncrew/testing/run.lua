-- One attempt of a task under test, from its start to its outcome, with all that its handler did on the way.
--
-- Without a clock of the test's own, waiting takes no time: the run jumps from one moment that it waits for to the next
-- until it has ended. With one, it goes as far as it can go at this moment, and on when the test moves the clock.

local async = require "mooncrew.async"
local execute = require "mooncrew.execute"
local json = require "mooncrew.json"
local patience = require "mooncrew.testing.patience"
local process = require "mooncrew.testing.process"
local stubs = require "mooncrew.testing.stubs"
local world = require "mooncrew.testing.world"

---@class mooncrew.testing.Run
---@field outcome nil|"done"|"failed"|"timed_out"|"cancelled"|"skip_retry"|"invalid"|"revoked"|"snoozed"|"retry_in"
---  |"killed"  its worker would have been killed: it did not come to its end (mooncrew.testing.patience);
---  nil while it waits
---@field state nil|"completed"|"retry"|"archived"|"scheduled"|"revoked"  what becomes of the task
---@field result any  what a reader of the stored result gets: a string, or what its JSON says
---@field error string|nil  the error or the reason, when it is not done
---@field trace string|nil  where it failed
---@field delay number|nil  seconds until the next run, when the handler or a retry function said so
---@field enqueued mooncrew.testing.Task[]  in order
---@field logs table[]  {level, message, fields}, in order
---@field progress table[]  {fraction, text, at}, in order
---@field requests table[]  of crew.http: what was asked, and `response` or `failure`
---@field mails table[]  of crew.mail
---@field commands table[]  of crew.exec: what was asked, and `result` or `failure`
---@field redis table[]  of crew.redis: each command's words, and `reply`
---@field queries table[]  of crew.postgres: {sql, params}, and `result` or `failure`
---@field now number|nil  the clock when it ended, unix seconds
---@field clock mooncrew.testing.Clock
---@field task mooncrew.Context
---@field stubs table<string, any>  its own, before those of the test
---@field fiber mooncrew.Fiber|nil  until it has ended
---@field limits { timer: integer, at: number, why: string }[]  timers that would stop it
---@field killed string|nil  why, when it is being killed
---@field refused integer  how often it tried to wait after it was told to stop
---@field asked integer  how often task:cancelled() was asked since it last waited
---@field source string|nil  where its task was declared
---@field jumps boolean  time passes by itself while it waits
local Run = {}
Run.__index = Run

local M = {}

---@param value any
---@return boolean
function M.is(value)
  return getmetatable(value) == Run
end

--- One that has not begun.
---@param clock mooncrew.testing.Clock
---@param own_stubs table<string, any>|nil
---@return mooncrew.testing.Run
function M.new(clock, own_stubs)
  local run = stubs.lists()
  run.enqueued, run.logs, run.progress = {}, {}, {}
  run.clock, run.stubs, run.limits = clock, own_stubs or {}, {}
  run.refused, run.asked = 0, 0
  return setmetatable(run, Run)
end

-- ---- its end ----

-- What becomes of a task, by its outcome; failures depend on the retries that are left.
local STATES = { done = "completed", skip_retry = "archived", invalid = "archived", revoked = "revoked",
  snoozed = "scheduled" }

local function state_of(run)
  local left = run.task.retried < run.task.max_retry
  return STATES[run.outcome] or (left and "retry" or "archived")
end

local function finish(run, kind, text, trace, delay, is_json)
  run.outcome, run.trace, run.delay, run.now = kind:lower(), trace, delay, run.clock.now
  run.state = state_of(run)
  if kind ~= "DONE" then
    run.error = text
  elseif is_json then
    run.result = select(2, assert(json.decode(text, nil, "result")))
  else
    run.result = text
  end
end

-- The fiber is used again: nothing may stop it any more.
local function close(run)
  for _, ends in ipairs(run.limits) do
    run.clock:timer_stop(ends.timer)
  end
  run.clock.owners[run.fiber] = nil
  run.fiber = nil
  run.clock.open = run.clock.open - 1
  patience.ended(run)
end

local function limit(run, seconds, why)
  if seconds then
    local timer = run.clock:timer_start(seconds, function()
      async.stop(run.fiber, why)
    end, true)
    run.limits[#run.limits + 1] = { timer = timer, at = run.clock.now + seconds, why = why }
  end
end

--- Moves the clock to the moment at which the run is to stop: it computes, and asks again and again.
---@return "TIMED_OUT"|"CANCELLED"|nil why  nil: there is no such moment
function Run:reach_limit()
  local first
  for _, ends in ipairs(self.limits) do
    if not first or ends.at < first.at then
      first = ends
    end
  end
  if first then
    self.clock.now = math.max(self.clock.now, first.at)
    self.clock:timer_stop(first.timer)
  end
  return first and first.why
end

-- ---- its life ----

--- The outcome of a run whose coroutine is lost.
---@param run table
---@param fiber mooncrew.Fiber
---@return string kind
function M.lost_as(run, fiber)
  return run.killed and "KILLED" or fiber.stopped or "FAILED"
end

local function fiber_of(run)
  return async.fiber(function(fiber)
    finish(run, execute.run(fiber.task, fiber))
    close(run)
  end, function(fiber, message)
    finish(run, M.lost_as(run, fiber), run.killed or message)
    close(run)
  end)
end

local function own(run, fiber)
  local clock = run.clock
  run.fiber, clock.latest, clock.open = fiber, run, clock.open + 1
  clock.owners[fiber] = run
  if run.task then
    clock.owners[run.task] = run
  end
end

--- Begins to perform a task, until it waits. The world must be entered.
---@param run mooncrew.testing.Run
---@param task mooncrew.Context  without deadline and fiber
---@param timeout number|nil  seconds
---@param cancel_after number|nil  seconds
function M.begin(run, task, timeout, cancel_after)
  local fiber = fiber_of(run)
  run.task, fiber.task, task.fiber = task, task, fiber
  task.deadline = timeout and run.clock.now + timeout
  own(run, fiber)
  limit(run, timeout, "TIMED_OUT")
  limit(run, cancel_after, "CANCELLED")
  async.step(fiber)
end

--- A fiber that belongs to a run without a task, and has not begun.
---@param run table
---@param body fun(fiber: mooncrew.Fiber)  what it runs; must not raise
---@param lost fun(fiber: mooncrew.Fiber, message: string)
---@return mooncrew.Fiber
function M.fiber_for(run, body, lost)
  local fiber = async.fiber(function(fiber)
    body(fiber)
    patience.ended(run)
  end, function(fiber, message)
    lost(fiber, run.killed or message)
    patience.ended(run)
  end)
  own(run, fiber)
  return fiber
end

--- Lets time pass until it has ended.
---@param run { outcome: string|nil, clock: mooncrew.testing.Clock }
function M.to_end(run)
  run.clock:turn()
  while not run.outcome do
    if not run.clock:jump() then
      error("the handler waits for something that never happens in mooncrew.testing", 0)
    end
    run.clock:turn()
  end
end

--- Cancels it, as `mooncrew task cancel` does. Nothing happens when it has ended.
function Run:cancel()
  if not self.fiber then
    return
  elseif process.clock then
    error("run:cancel: a run is cancelled by the test, not by a handler", 2)
  end
  local ok, message = world.enter(self.clock, function()
    async.stop(self.fiber, "CANCELLED")
    self.clock:turn()
  end)
  if not ok then
    error(message, 2)
  end
end

return M
