-- The clock of a test, and all that waits on it: the pretended host of the runs that share it. Time moves in jumps,
-- from one timer to the next, and only when it is told to.
--
-- A turn runs what can run without time passing: fibers that are ready, timers that are due, and real I/O that is on
-- its way (mooncrew.testing.outside). After a turn everything that has not ended waits for a later moment, or for ever.

local async = require "mooncrew.async"
local duration = require "mooncrew.duration"
local outside = require "mooncrew.testing.outside"
local process = require "mooncrew.testing.process"
local queue = require "mooncrew.testing.queue"
local timers = require "mooncrew.testing.timers"

local SPIN_LIMIT = 100000 -- timers in one turn: beyond, a loop waits for time that never comes

---@class mooncrew.testing.Clock
---@field now number  unix seconds
---@field timers mooncrew.testing.Timers
---@field ready mooncrew.Fiber[]
---@field owners table<mooncrew.Fiber|mooncrew.Context, mooncrew.testing.Run>  whose fiber, whose task
---@field latest mooncrew.testing.Run|nil  the run that was started last
---@field open integer  runs that have not ended
---@field give_up_after number|false|nil  seconds of real time, see mooncrew.testing.patience; nil: the default
---@field real integer  requests that are really under way
---@field queue mooncrew.testing.Queue
local Clock = {}
Clock.__index = Clock

local M = {}

--- A clock that stands until it is moved. Runs that share it share what was enqueued too.
---@param now number|nil  unix seconds; the time of day unless given
---@return mooncrew.testing.Clock
function M.new(now)
  return setmetatable({ now = now or os.time(), timers = timers.new(), ready = {},
    owners = setmetatable({}, { __mode = "k" }), open = 0, real = 0, queue = queue.new() }, Clock)
end

---@param value any
---@return boolean
function M.is(value)
  return getmetatable(value) == Clock
end

-- ---- timers ----

---@param seconds number
---@param callback fun()
---@param limit true|nil
---@return integer id
function Clock:timer_start(seconds, callback, limit)
  return self.timers:start(self.now + seconds, callback, limit)
end

---@param id integer|nil  one that has ended, or nil, is ignored
function Clock:timer_stop(id)
  self.timers:stop(id)
end

-- Moves the clock to the first timer that ends by `till`, and ends it.
local function fire_first(self, till)
  local timer = self.timers:first()
  if not timer or timer.at > till then
    return false
  end
  local callback = timer.callback
  self.timers:stop(timer.id)
  self.now = math.max(self.now, timer.at)
  callback()
  return true
end

-- ---- turns ----

local function step_ready(self)
  while #self.ready > 0 do
    async.step(table.remove(self.ready, 1))
  end
end

--- Runs whatever can run without time passing.
function Clock:turn()
  local spins = 0
  repeat
    step_ready(self)
    local fired = fire_first(self, self.now)
    spins = spins + (fired and 1 or 0)
    if spins > SPIN_LIMIT then
      error("the handler has waited 100000 times without time passing: let its loop sleep longer than 0 seconds", 0)
    end
  until not fired and #self.ready == 0 and not outside.await(self)
end

--- Whether anything waits for a moment that will come, but for the time-outs of tasks.
---@return boolean
function Clock:has_timers()
  return self.timers.waits > 0
end

--- When the first timer ends.
---@return number|nil at  unix seconds
function Clock:next_at()
  local timer = self.timers:first()
  return timer and timer.at
end

--- Moves on to the next timer, however far away it is.
---@return boolean moved  false: there is none
function Clock:jump()
  return fire_first(self, math.huge)
end

local function check_step(step)
  local seconds, message = duration.seconds(step)
  if not seconds then
    error("clock:advance: " .. message, 3)
  elseif process.clock then
    error("clock:advance: time is moved by the test, not by a handler", 3)
  end
  return seconds
end

--- Lets this much time pass. Whatever becomes due runs at its own moment, in order.
---@param step number|string  seconds or "1m30s"
function Clock:advance(step)
  local till = self.now + check_step(step)
  local ok, message = require("mooncrew.testing.world").enter(self, function()
    self:turn()
    while fire_first(self, till) do
      self:turn()
    end
    self.now = math.max(self.now, till)
  end)
  if not ok then
    error(message, 2)
  end
end

-- ---- whose it is ----

--- The run that runs right now, or that was started last.
---@param task mooncrew.Context|nil  whose run is meant, if it is known
---@return mooncrew.testing.Run
function Clock:run_of(task)
  local fiber = async.current()
  return self.owners[task or false] or self.owners[fiber or false] or self.owners[fiber and fiber.task or false]
    or self.latest
end

return M
