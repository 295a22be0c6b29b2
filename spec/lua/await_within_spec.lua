-- Waits with a time limit, on a host whose timers the specs fire themselves.

local async = require "mooncrew.async"
local await_within = require "mooncrew.await_within"
local host = require "mooncrew.host"

describe("a wait with a time limit", function()
  local ready, timers

  before_each(function()
    ready, timers = {}, {}
    host.use {
      ready = function(fiber)
        ready[#ready + 1] = fiber
      end,
      parked = function() end,
      timer_start = function(seconds, callback)
        timers[#timers + 1] = { seconds = seconds, fire = callback }
        return #timers
      end,
      timer_stop = function(timer)
        timers[timer].stopped = true
      end,
    }
  end)
  after_each(function()
    host.use()
  end)

  -- Waits in a fiber: {results =, cancelled = how often}, what ends the operation, and the fiber.
  local function begin()
    local seen, resume = { cancelled = 0 }, nil
    local fiber = async.fiber(function()
      seen.results = { pcall(await_within, 3, function(continue)
        resume = continue
        return function()
          seen.cancelled = seen.cancelled + 1
        end
      end) }
    end, error)
    async.step(fiber)
    return seen, resume, fiber
  end

  local function step()
    async.step(table.remove(ready, 1))
  end

  it("gives what the operation ends with, and stops the timer", function()
    local seen, resume = begin()
    assert.are.equal(3, timers[1].seconds)
    resume("a", nil, "b")
    step()
    assert.are.same({ true, true, "a", nil, "b" }, seen.results)
    assert.is_true(timers[1].stopped)
    assert.are.equal(0, seen.cancelled)
  end)

  it("is out of time also when the cancelling ends the operation, or fails", function()
    for _, cancel in ipairs { function(resume) resume "too late" end, function() error "broken" end } do
      local results
      async.step(async.fiber(function()
        results = { await_within(3, function(resume)
          return function()
            cancel(resume)
          end
        end) }
      end, error))
      pcall(timers[#timers].fire)
      step()
      assert.are.same({ false }, results)
    end
  end)

  it("cancels the operation when the time is up, and what it says later is ignored", function()
    local seen, resume = begin()
    timers[1].fire()
    step()
    assert.are.same({ true, false }, seen.results)
    assert.are.equal(1, seen.cancelled)
    resume("late")
    assert.are.equal(0, #ready)
  end)

  it("cancels the operation and stops the timer when the task is stopped", function()
    local seen, _, fiber = begin()
    async.stop(fiber, "CANCELLED")
    step()
    assert.are.same({ false, "context canceled" }, seen.results)
    assert.are.equal(1, seen.cancelled)
    assert.is_true(timers[1].stopped)
  end)

  it("starts no timer for what ends at once", function()
    local results
    async.step(async.fiber(function()
      results = { await_within(3, function(resume)
        resume("now")
      end) }
    end, error))
    assert.are.same({ true, "now" }, results)
    assert.are.equal(0, #timers)
  end)
end)
