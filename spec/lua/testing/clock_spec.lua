-- Time in tests of handlers: it stands until the test moves it.

local crew = require "mooncrew"
local registry = require "mooncrew.registry"
local testing = require "mooncrew.testing"

local T0 = 1700000000

describe("the clock of a test", function()
  before_each(registry.reset)
  after_each(registry.reset)

  local function task(perform, fields)
    fields = fields or {}
    fields.perform = perform
    return crew.task("t", fields)
  end

  it("stands while a handler sleeps, and lets it go on at its moment", function()
    local clock, woke = testing.clock(T0), {}
    local run = testing.start(task(function()
      for _ = 1, 3 do
        crew.sleep "4s"
        woke[#woke + 1] = os.time() - T0
      end
    end), nil, { clock = clock })
    assert.is_nil(run.outcome)
    clock:advance(3.9)
    assert.are.same({}, woke)
    clock:advance(0.1)
    assert.are.same({ 4 }, woke)
    clock:advance "10s"
    assert.are.same({ 4, 8, 12 }, woke)
    assert.are.equal("done", run.outcome, run.error)
    assert.are.equal(T0 + 12, run.now)
    assert.are.equal(T0 + 14, clock.now)
  end)

  it("does not move for testing.perform either, when the test gives one", function()
    local clock = testing.clock(T0)
    local run = testing.perform(task(function()
      crew.sleep(1)
    end), nil, { clock = clock })
    assert.is_nil(run.outcome)
    assert.are.equal(T0, clock.now)
    clock:advance(1)
    assert.are.equal("done", run.outcome)
  end)

  it("is what os.time and os.date tell, also to a script that took them at its top", function()
    local time, date = os.time, os.date
    local run = testing.perform(task(function()
      crew.sleep(90)
      return { time(), date("!%H:%M:%S"), os.time(), os.date("!%X"), date("!%H", 0),
        time { year = 2000, month = 1, day = 1, hour = 12 }, date("!*t").sec, os.time(nil) }
    end), nil, { now = T0 })
    local noon = os.time { year = 2000, month = 1, day = 1, hour = 12 }
    assert.are.same({ T0 + 90, "22:14:50", T0 + 90, "22:14:50", "00", noon, 50, T0 + 90 }, run.result)
    assert.is_true(os.time() > T0 + 1000)
    assert.is_true(tonumber(os.date "%Y") > 2023)
  end)

  it("moves several runs, each at its own moments", function()
    local clock, order = testing.clock(T0), {}
    local definition = task(function(payload)
      crew.sleep(payload)
      order[#order + 1] = payload
    end)
    local runs = {}
    for i, seconds in ipairs { 3, 1, 2 } do
      runs[i] = testing.start(definition, seconds, { clock = clock })
    end
    clock:advance(2)
    assert.are.same({ 1, 2 }, order)
    assert.is_nil(runs[1].outcome)
    clock:advance(1)
    assert.are.same({ 1, 2, 3 }, order)
  end)

  it("ends a task whose time is up, and none that had ended before", function()
    local clock = testing.clock(T0)
    local definition = task(function(payload)
      crew.sleep(payload)
    end, { timeout = "5s" })
    local slow = testing.start(definition, 60, { clock = clock })
    local quick = testing.start(definition, 4, { clock = clock })
    clock:advance(4)
    assert.are.equal("done", quick.outcome)
    local next_one = testing.start(definition, 4, { clock = clock }) -- in the coroutine of the quick one
    clock:advance(1)
    assert.are.equal("timed_out", slow.outcome)
    assert.is_nil(next_one.outcome)
    clock:advance(3)
    assert.are.equal("done", next_one.outcome, next_one.error)
  end)

  it("lets a handler that waits be cancelled", function()
    local run = testing.start(task(function(_, task_)
      local ok, message = pcall(crew.sleep, 60)
      task_.log:info("stopped", { ok = ok, cancelled = task_:cancelled() })
      error(message, 0)
    end))
    run:cancel()
    assert.are.equal("cancelled", run.outcome)
    assert.are.equal("context canceled", run.error)
    assert.logged("stopped", { ok = false, cancelled = true })
    run:cancel()
  end)

  it("says so when a loop waits for time that never comes", function()
    local definition = task(function(_, task_)
      while not task_:cancelled() do
        crew.sleep(0)
      end
    end)
    local ok, message = pcall(testing.perform, definition, nil, { cancel_after = 1 })
    assert.is_false(ok)
    assert.is_truthy(message:find("without time passing", 1, true), message)
  end)

  it("is moved by tests alone, and forwards", function()
    local clock = testing.clock()
    local run = testing.perform(task(function()
      clock:advance(1)
    end))
    assert.failed(run, "moved by the test")
    for _, step in ipairs { -1, "soon", {} } do
      local ok, message = pcall(clock.advance, clock, step)
      assert.is_false(ok)
      assert.is_truthy(message:find("clock:advance: ", 1, true), message)
    end
    assert.has_error(function()
      testing.perform(task(print), nil, { clock = 5 })
    end)
    assert.has_error(function()
      testing.clock "noon"
    end)
  end)

  it("moves what a handler gathers", function()
    if not crew.gather then
      pending "needs crew.gather"
      return
    end
    local clock = testing.clock(T0)
    local run = testing.start(task(function()
      return { crew.gather(function()
        crew.sleep(5)
        crew.log:info "slow"
        return os.time() - T0
      end, function()
        crew.sleep(2)
        crew.enqueue "quick"
        return os.time() - T0
      end) }
    end), nil, { clock = clock })
    clock:advance(2)
    assert.enqueued("quick")
    assert.has_no.logged("slow")
    assert.is_nil(run.outcome)
    clock:advance(3)
    assert.done(run, { 5, 2 })
  end)

  it("lets luv's own operations go on while the handler waits for them", function()
    local uv = require "luv"
    local run = testing.perform(task(function()
      local stat = crew.async.await(function(resume)
        uv.fs_stat(".", function(_, stat)
          resume(stat)
        end)
      end)
      crew.sleep(60)
      return stat.type
    end), nil, { now = T0 })
    assert.are.equal("directory", run.result, run.error)
    assert.are.equal(T0 + 60, run.now)
  end)
end)
