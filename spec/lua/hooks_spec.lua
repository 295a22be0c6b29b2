-- crew.on_error and crew.retry through mooncrew.testing, which runs tasks as a worker does. The hooks of the worker's
-- own life are in worker_spec.lua.

local crew = require "mooncrew"
local registry = require "mooncrew.registry"
local testing = require "mooncrew.testing"

describe("a hook", function()
  before_each(registry.reset)
  after_each(registry.reset)

  local function perform(handler, fields, payload, options)
    fields = fields or {}
    fields.perform = handler
    return testing.perform(crew.task("t", fields), payload, options)
  end

  describe("of crew.on_error", function()
    local calls
    before_each(function()
      calls = {}
      crew.on_error(function(task, message, details)
        calls[#calls + 1] = { id = task.id, message = message, details = details }
      end)
    end)

    it("hears of a handler that failed: task, message, trace and delay", function()
      local run = perform(function()
        error("boom", 0)
      end, { retry = 7 }, nil, { id = "x" })
      assert.are.equal("failed", run.outcome)
      assert.are.equal(1, #calls)
      assert.are.same({ "x", "boom" }, { calls[1].id, calls[1].message })
      assert.are.same({ "failed", 7, run.trace }, { calls[1].details.outcome, calls[1].details.delay,
        calls[1].details.trace })
    end)

    local function sleep()
      crew.sleep("1h")
    end
    local HEARD = {
      timed_out = { sleep, { timeout = 5 }, nil, nil, "context deadline exceeded" },
      invalid = { print, { payload = crew.schema.object { n = crew.schema.integer() } }, { n = "x" }, nil,
        "payload.n: expected integer, got string" },
      skip_retry = { function(_, task) task:skip_retry("why") end, nil, nil, nil, "why" },
      retry_in = { function(_, task) task:retry_in(3, "soon") end, nil, nil, nil, "soon" },
    }
    for outcome, case in pairs(HEARD) do
      it("hears of " .. outcome, function()
        assert.are.equal(outcome, perform(unpack(case, 1, 4)).outcome)
        assert.are.same({ outcome, case[5] }, { calls[1] and calls[1].details.outcome, calls[1] and calls[1].message })
      end)
    end

    local UNHEARD = {
      done = { function() return 1 end },
      revoked = { function(_, task) task:revoke("no") end },
      snoozed = { function(_, task) task:snooze(5) end },
      cancelled = { sleep, nil, nil, { cancel_after = 1 } },
    }
    for outcome, case in pairs(UNHEARD) do
      it("hears nothing of " .. outcome, function()
        assert.are.equal(outcome, perform(unpack(case, 1, 4)).outcome)
        assert.are.same({}, calls)
      end)
    end

    it("hears of a type without handler", function()
      testing.perform(crew.task("known", { perform = print }), nil, { type = "unknown" })
      assert.are.equal('handler not found for task "unknown"', calls[1].message)
    end)
  end)

  it("of crew.on_error may wait and enqueue, and its error changes nothing", function()
    local steps = {}
    crew.on_error(function(_, message)
      crew.sleep(2)
      assert(crew.enqueue("alert", { message = message }))
      steps[#steps + 1] = "first"
      error("in the hook")
    end)
    crew.on_error(function(task)
      steps[#steps + 1] = "second"
      task:revoke("please")
    end)
    local run = perform(function()
      error("boom", 0)
    end)
    assert.are.same({ "failed", "boom" }, { run.outcome, run.error })
    assert.are.same({ "first", "second" }, steps)
    assert.are.same({ message = "boom" }, run.enqueued[1].payload)
    assert.are.equal("a function of crew.on_error failed", run.logs[1].message)
    assert.is_truthy(run.logs[1].fields.error:find("hooks_spec.lua:%d+: in the hook$"))
    assert.is_truthy(run.logs[1].fields.hook:find("^spec/lua/hooks_spec.lua:%d+$"))
    assert.are.equal("revoked: please", run.logs[2].fields.error)
  end)

  it("of crew.on_error cannot change what becomes of the task, whatever they end with", function()
    local last = 0
    for _, hook in ipairs {
      function() error() end, function() error(setmetatable({}, { __tostring = function() error "no" end })) end,
      function() coroutine.yield() end, function(task) task:snooze(5) end,
      function() local function deep() return 1 + deep() end return deep() end,
    } do
      crew.on_error(hook)
    end
    crew.on_error(function() last = last + 1 end)
    local run = perform(function()
      error("boom", 0)
    end)
    assert.are.same({ "failed", "boom", 1 }, { run.outcome, run.error, last })
    assert.are.equal(5, #run.logs)
    assert.matches("hooks_spec%.lua:%d+: the handler called coroutine%.yield", run.logs[3].fields.error)
  end)

  it("of crew.on_error that waits for ever is ended by the task's time-out, and the outcome stands", function()
    crew.on_error(function()
      crew.async.await(function() end)
    end)
    local run = perform(function()
      error("boom", 0)
    end, { timeout = 10 }, nil, { now = 1000 })
    assert.are.same({ "failed", "boom", 1010 }, { run.outcome, run.error, run.now })
    assert.are.equal("context deadline exceeded", run.logs[1].fields.error)
  end)

  it("of crew.on_error may wait after a time-out too, for half a second", function()
    local woke, stopped = false, nil
    crew.on_error(function()
      crew.sleep(0.25)
      woke = true
      stopped = { pcall(crew.sleep, 1) }
    end)
    local run = perform(function()
      crew.sleep("1h")
    end, { timeout = 10 }, nil, { now = 1000 })
    assert.is_true(woke)
    assert.are.same({ false, "context deadline exceeded" }, stopped)
    assert.are.same({ "timed_out", "context deadline exceeded", 1010.5 }, { run.outcome, run.error, run.now })
  end)

  it("must be a function, and is not declared by a running task", function()
    for _, name in ipairs { "on_error", "on_start", "on_stop" } do
      local ok, message = pcall(crew[name], "x")
      assert.are.same({ false, ("crew.%s: expected function, got string"):format(name) }, { ok, message })
      registry.reset()
      assert.is_truthy(perform(function()
        crew[name](print)
      end).error:find(("crew.%s is for scripts while they are loaded"):format(name), 1, true))
    end
  end)
end)

describe("crew.retry", function()
  before_each(registry.reset)
  after_each(registry.reset)

  local function delay(fields, options)
    fields.perform = function()
      error("boom", 0)
    end
    return testing.perform(crew.task("t", fields), nil, options).delay
  end

  it("says when tasks are tried again that say nothing about it", function()
    crew.retry { "10s", 60 }
    assert.are.equal(10, delay({}))
    registry.reset()
    crew.retry { "10s", 60 }
    assert.are.equal(60, delay({}, { retried = 5 }))
    registry.reset()
    crew.retry "1m"
    assert.are.equal(5, delay { retry = 5 })
  end)

  it("is asked by a function of retried, message and task", function()
    local seen
    crew.retry(function(retried, message, task)
      seen = { retried, message, task.type }
      return "5s"
    end)
    assert.are.equal(5, delay({}, { retried = 2 }))
    assert.are.same({ 2, "boom", "t" }, seen)
  end)

  it("applies where a task's own function says nothing", function()
    crew.retry(9)
    assert.are.equal(9, delay { retry = function() end })
  end)

  it("leaves the default where it says nothing itself, or fails", function()
    crew.retry(function() end)
    assert.is_nil(delay {})
    registry.reset()
    crew.retry(function()
      error "oh"
    end)
    assert.is_nil(delay {})
  end)

  it("refuses what is no delay, and a second call", function()
    assert.has_error(function() crew.retry {} end, "crew.retry: the list of delays is empty")
    assert.is_falsy(pcall(crew.retry, "soon"))
    crew.retry(1)
    local ok, message = pcall(crew.retry, 2)
    assert.is_false(ok)
    assert.is_truthy(message:find("crew.retry is called twice: at spec/lua/hooks_spec.lua:%d+ and at .*:%d+$"), message)
  end)
end)
