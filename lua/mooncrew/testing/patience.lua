-- How long a test waits for a handler, in real time, which runs although the clock of the test stands. A handler that
-- does not come to its end by then is killed, as its worker would be in production: nothing of it runs any more, its
-- run ends with the outcome "killed". So is one that goes on, wait after wait, when it was told to stop.
--
-- Whoever enters a world (mooncrew.testing.world) is watched. Of several runs the one whose code is at work when the
-- time is over is the one that is killed; the others get the whole time again.

local duration = require "mooncrew.duration"
local native = require "mooncrew.native"
local scope = require "mooncrew.scope"
local session = require "mooncrew.testing.session"
local strand = require "mooncrew.strand"
local time_limit = require "mooncrew.time_limit"

local M = {}

local DEFAULT_S = 5
local NEVER_S = 1e8 -- of an alarm that only alarm_now sets off
local REFUSED_LIMIT = 1000 -- waits that a handler tries after it was told to stop
local ASKED_LIMIT = 1000 -- times that it asks task:cancelled() without waiting

local default_s = DEFAULT_S ---@type number|false

---@class mooncrew.testing.Watch
---@field clock mooncrew.testing.Clock
---@field seconds number|false  false: as long as it takes
---@field outer thread|nil  that of the test
---@field victim mooncrew.testing.Run|nil  that is being killed
---@field over fun()
---@field left number|nil  seconds, while the watch is paused
local watch ---@type mooncrew.testing.Watch|nil

-- ---- what is said ----

local STOPPED = { TIMED_OUT = "context deadline exceeded", CANCELLED = "context canceled" }

local function went_on(run, place)
  return ("%s: the handler went on at %s, and its worker would be killed after kill_grace: one that is told to stop "
    .. "has to come to its end, so do not catch the errors of its waits in a loop"):format(
    STOPPED[run.fiber.stopped] or "stopped", place)
end

local ASKS = "It asks task:cancelled(), which says so only when time passes: clock:advance, or the run's option "
  .. "timeout or cancel_after. "

local function never_ends(run, place, seconds)
  return ("the handler did not come to its end within %g s of real time, and its worker would be killed in the end; "
    .. "it was at %s. Let its loops end, or wait by crew.sleep and the like. %sIf it needs longer: give_up_after = "
    .. "\"1m\""):format(seconds, place, run.asked > ASKED_LIMIT and ASKS or "")
end

-- place: where it had come to, if Lua code was found at work
local function report(seconds, place)
  local test, run = session.test, session.last
  local task = run and run.task
  return ("mooncrew.testing: gave up after %g s of real time%s: %s does not come to its end, and what it does cannot "
    .. "be broken off%s\n"):format(seconds, test and (', in the test "%s" at %s'):format(test.name, test.place) or "",
    task and ('the handler of task "%s" (%s)'):format(task.type, run.source or "?") or "what the test runs",
    place and "; it was at " .. place or "")
end

-- ---- the end of a run ----

-- The run that the code at work belongs to.
local function run_at_work(self)
  local running = strand.running()
  return running and self.clock.owners[running.fiber]
end

-- In the coroutine of the test: only what belongs to a handler is broken off, the cancelling of a wait. In a callback
-- of luv an error would end the process.
local function over_outside(self)
  if not time_limit.is_foreign(debug.getinfo(4, "S")) then
    return
  end
  local place = time_limit.place(4)
  native.alarm_report(report(self.seconds or 0, place))
  if scope.calling() or strand.acting() then
    error(("it did not come to its end within %g s of real time: it was at %s"):format(self.seconds or 0, place), 0)
  end
end

-- Called at every instruction once the time is over.
local function over(self)
  if coroutine.running() == self.outer then
    over_outside(self) -- no tail call: it counts frames
    return
  end
  local run = run_at_work(self)
  self.victim = self.victim or run
  if not run or run ~= self.victim then
    return
  end
  if not run.killed then
    local place = time_limit.place(3) or run.source or "?"
    run.killed = run.fiber.stopped and went_on(run, place) or never_ends(run, place, self.seconds or 0)
  end
  error(run.killed, 0)
end

local function arm(self, seconds)
  native.alarm_set(seconds or self.seconds or NEVER_S, self.over, report(self.seconds or 0))
end

--- Begins to watch what is done on this clock.
---@param clock mooncrew.testing.Clock
---@return fun() stop
function M.watch(clock)
  local seconds = clock.give_up_after
  if seconds == nil then
    seconds = default_s
  end
  local self = { clock = clock, seconds = seconds, outer = coroutine.running() }
  self.over = function()
    over(self)
  end
  local stop = time_limit.start(seconds or NEVER_S, self.over, report(seconds or 0), not seconds)
  watch = self
  return function()
    watch = nil
    stop()
  end
end

--- Says that a run has ended: the next one has the whole time.
---@param run mooncrew.testing.Run
function M.ended(run)
  if watch and (not watch.victim or watch.victim == run) then
    watch.victim = nil
    arm(watch)
  end
end

--- Lets real time pass that is not the handler's: calls a function that waits for what the handler really asked
--- for.
---@generic T
---@param wait fun(...): T
---@return T
function M.besides(wait, ...)
  local self = watch
  local left = self and native.alarm_clear()
  local result = wait(...)
  if left then
    arm(self, left)
  end
  return result
end

--- Is told that a strand which was told to stop tries to wait again.
---@param waiting mooncrew.Strand
function M.refused(waiting)
  local run = watch and watch.clock.owners[waiting.fiber]
  if not run then
    return
  end
  run.refused = run.refused + 1
  if run.refused > REFUSED_LIMIT and not watch.victim then
    watch.victim = run
    native.alarm_now()
  end
end

-- ---- settings ----

--- Seconds, false for never; nil, message when it is neither.
---@param value number|string|false
---@return number|false|nil seconds, string|nil message
function M.read(value)
  if value == false then
    return false
  end
  local seconds, message = duration.seconds(value)
  if seconds == 0 then
    return nil, "it must be longer than 0; false means never"
  end
  return seconds, message
end

--- Sets how long runs may take that say nothing of it.
---@param value number|string|false
function M.set_default(value)
  local seconds, message = M.read(value)
  if seconds == nil then
    error("testing.give_up_after: " .. message, 3)
  end
  default_s = seconds
end

--- How long runs may take that say nothing of it.
---@return number|false seconds
function M.default()
  return default_s
end

--- Whether a handler that computes has asked so often if it should stop that time is to pass.
---@param run mooncrew.testing.Run
---@return boolean
function M.asked(run)
  run.asked = run.asked + 1
  return run.asked > ASKED_LIMIT
end

return M
