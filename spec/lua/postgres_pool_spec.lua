-- The pool over connections that are tables, on a host of the spec's own.

local async = require "mooncrew.async"
local host = require "mooncrew.host"
local Pool = require "mooncrew.postgres.pool"

describe("a pool", function()
  local now, ready, timers, closed, opened, fail
  local driver = {
    open = function()
      if fail then
        return nil, "no server", "UNAVAILABLE"
      end
      opened = opened + 1
      return { number = opened }
    end,
    close = function(connection)
      closed[#closed + 1] = connection.number
    end,
  }

  before_each(function()
    now, ready, timers, closed, opened, fail = 0, {}, {}, {}, 0, false
    host.use {
      now = function()
        return now
      end,
      ready = function(fiber)
        ready[#ready + 1] = fiber
      end,
      parked = function() end,
      timer_start = function(seconds, callback)
        timers[#timers + 1] = { at = now + seconds, fire = callback }
        return #timers
      end,
      timer_stop = function(timer)
        timers[timer] = false
      end,
    }
  end)
  after_each(function()
    host.use()
  end)

  local function run_ready()
    while ready[1] do
      async.step(table.remove(ready, 1))
    end
  end

  local function pass(seconds)
    now = now + seconds
    for i = 1, #timers do
      local timer = timers[i]
      if timer and timer.at <= now then
        timers[i] = false
        timer.fire()
      end
    end
    run_ready()
  end

  -- Acquires in a fiber of its own: {connection, message, code} once it has ended, and the fiber.
  local function acquire(pool, seconds)
    local got = {}
    local fiber = async.fiber(function()
      got.ok, got[1], got[2], got[3] = pcall(pool.acquire, pool, seconds or 10)
      got.ended = true
    end, error)
    async.step(fiber)
    return got, fiber
  end

  it("opens connections as they are needed, and uses the last one again", function()
    local pool = Pool.new(driver, 2, 60)
    local first, second = acquire(pool)[1], acquire(pool)[1]
    assert.are.same({ 1, 2 }, { first.number, second.number })
    pool:release(first)
    pool:release(second)
    assert.are.equal(second, acquire(pool)[1])
    assert.are.equal(2, opened)
  end)

  it("serves those who wait in their order, and leaves out who has gone", function()
    local pool = Pool.new(driver, 1, 60)
    local only = acquire(pool)[1]
    local gone, fiber = acquire(pool)
    local late = acquire(pool, 3)
    local first, second = acquire(pool), acquire(pool)
    async.stop(fiber, "CANCELLED")
    run_ready()
    assert.is_false(gone.ok)
    pass(5)
    assert.are.same({ nil, "all 1 connections of the pool were in use for 3 s", "TIMED_OUT" }, { unpack(late, 1, 3) })
    pool:release(only)
    run_ready()
    assert.are.equal(only, first[1])
    assert.is_nil(second.ended)
    pool:release(only)
    run_ready()
    assert.are.equal(only, second[1])
  end)

  it("gives the place of a connection that is thrown away to who waits", function()
    local pool = Pool.new(driver, 1, 60)
    local spoilt = acquire(pool)[1]
    local waits = acquire(pool)
    pool:discard(spoilt)
    local newcomer = acquire(pool)
    run_ready()
    assert.are.equal(2, waits[1].number)
    assert.is_nil(newcomer.ended, "it may not overtake")
    assert.are.same({ 1 }, closed)
  end)

  it("passes a place on when opening fails", function()
    local pool = Pool.new(driver, 1, 60)
    local spoilt = acquire(pool)[1]
    local first, second = acquire(pool), acquire(pool)
    fail = true
    pool:discard(spoilt)
    run_ready()
    assert.are.same({ nil, "no server", "UNAVAILABLE" }, { unpack(first, 1, 3) })
    assert.are.same({ nil, "no server", "UNAVAILABLE" }, { unpack(second, 1, 3) })
    fail = false
    assert.are.equal(2, acquire(pool)[1].number)
  end)

  it("closes what has been idle, and forgets what the server has ended", function()
    local pool = Pool.new(driver, 3, 60)
    local a, b, c = acquire(pool)[1], acquire(pool)[1], acquire(pool)[1]
    pool:release(a)
    pass(30)
    pool:release(b)
    pool:release(c)
    pool:forget(b)
    assert.are.same({ 2 }, closed)
    pass(30)
    assert.are.same({ 2, 1 }, closed)
    pass(30)
    assert.are.same({ 2, 1, 3 }, closed)
    assert.are.equal(0, pool.open)
    pass(1000)
  end)

  it("throws away what its user has spoilt, and passes errors on", function()
    local pool = Pool.new(driver, 1, 60)
    local sound = true
    local function is_sound()
      return sound
    end
    assert.are.same({ 1, 2 }, { pool:with(1, is_sound, function() return 1, 2 end) })
    sound = false
    local ok, why = pcall(pool.with, pool, 1, is_sound, function() error({ mine = true }) end)
    assert.are.same({ false, { mine = true } }, { ok, why })
    assert.are.same({ 1 }, closed)
    assert.are.equal(0, pool.open)
  end)
end)
