local context = require "mooncrew.context"
local distribute = require "mooncrew.distribute"
local host = require "mooncrew.host"
local outcome = require "mooncrew.outcome"

describe("the task that a handler gets", function()
  it("has the fields given, and headers and a log of its own", function()
    local task = context.new { id = "i", type = "t", retried = 2 }
    assert.are.same({ "i", "t", 2 }, { task.id, task.type, task.retried })
    assert.are.same({}, task.headers)
    assert.are.equal(task.headers, task.headers)
    assert.are_not.equal(task.headers, context.new({}).headers)
    assert.are.equal(task, task.log.task)
    assert.is_nil(task.deadline)
    assert.are.same({ a = "b" }, context.new({ headers = { a = "b" } }).headers)
  end)

  it("is cancelled only while its own fiber is stopped", function()
    local fiber = {}
    local task = context.new { fiber = fiber }
    fiber.task = task
    assert.is_false(task:cancelled())
    fiber.stopped = "CANCELLED"
    assert.is_true(task:cancelled())
    fiber.task = context.new {} -- the fiber runs another task by now
    assert.is_false(task:cancelled())
    assert.is_false(context.new({}):cancelled())
  end)

  it("is cancelled as soon as the host says that it should stop, and stays so", function()
    finally(function() host.use() end)
    local fiber, why, asked = {}, nil, nil
    local task = context.new { fiber = fiber }
    fiber.task = task
    host.use { stopped = function(of) asked = of return why end }
    assert.is_false(task:cancelled())
    assert.are.equal(fiber, asked)
    why = "TIMED_OUT"
    assert.is_true(task:cancelled())
    why = nil
    assert.is_true(task:cancelled())
    assert.are.equal("TIMED_OUT", fiber.stopped)
  end)

  it("raises the outcomes", function()
    local task = context.new {}
    for method, kind in pairs { skip_retry = "SKIP_RETRY", revoke = "REVOKED" } do
      local _, value = pcall(task[method], task, "why")
      assert.is_true(outcome.is(value))
      assert.are.same({ kind, "why" }, { value.kind, value.why })
    end
    local _, value = pcall(task.snooze, task, 3)
    assert.are.same({ "SNOOZED", 3 }, { value.kind, value.delay })
    _, value = pcall(task.retry_in, task, "1m", "busy")
    assert.are.same({ "RETRY_IN", 60, "busy" }, { value.kind, value.delay, value.why })
  end)

  it("names the handler's line when an outcome is misused", function()
    local task = context.new {}
    local _, message = pcall(function()
      task:snooze("soon")
    end)
    assert.is_truthy(message:find("^spec/lua/context_spec.lua:%d+: task:snooze: "), message)
  end)

  it("tells the host how far it has come", function()
    local seen = {}
    finally(host.use)
    host.use { progress = function(...)
      seen[#seen + 1] = { ... }
    end }
    local task = context.new {}
    task:progress(0.4, "400 of 1000")
    task:progress(1)
    assert.are.same({ { task, 0.4, "400 of 1000" }, { task, 1 } }, seen)
    for _, wrong in ipairs { { "x" }, { 1.5 }, { -0.1 }, { 0 / 0 }, { 0.5, 5 } } do
      local ok, message = pcall(function()
        task:progress(wrong[1], wrong[2])
      end)
      assert.is_false(ok)
      assert.is_truthy(message:find("^spec/lua/context_spec.lua:%d+: task:progress: "), message)
    end
  end)

  it("enqueues through the backend", function()
    local backend, seen = distribute.backend, nil
    finally(function()
      distribute.backend = backend
    end)
    distribute.backend = function(...)
      seen = { ... }
      return { id = "x" }
    end
    assert.are.same({ id = "x" }, context.new({}):enqueue("other", { n = 1 }, { queue = "low" }))
    assert.are.same({ "other", '{"n":1}', { queue = "low" } }, seen)
  end)
end)
