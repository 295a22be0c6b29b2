-- From a task's bytes to its outcome, through mooncrew.testing, which calls mooncrew.execute as a worker does.

local crew = require "mooncrew"
local execute = require "mooncrew.execute"
local registry = require "mooncrew.registry"
local testing = require "mooncrew.testing"
local value_size = require "mooncrew.value_size"

describe("executing a task", function()
  before_each(registry.reset)
  after_each(registry.reset)

  local function perform(perform_function, fields, payload, options)
    fields = fields or {}
    fields.perform = perform_function
    return testing.perform(crew.task("t", fields), payload, options)
  end

  it("fails without a handler", function()
    local definition = crew.task("known", { perform = print })
    local run = testing.perform(definition, nil, { type = "unknown" })
    assert.are.same({ "failed", 'handler not found for task "unknown"' }, { run.outcome, run.error })
  end)

  it("hands a prefix's handler the whole type", function()
    local definition = crew.task("image:*", { perform = function(_, task)
      return task.type
    end })
    assert.are.equal("image:resize", testing.perform(definition, nil, { type = "image:resize" }).result)
  end)

  it("does not call the handler with a payload that does not fit", function()
    local called = false
    local run = perform(function()
      called = true
    end, { payload = crew.schema.object { n = crew.schema.integer() } }, { n = "x" })
    assert.are.same({ "invalid", "payload.n: expected integer, got string", false }, { run.outcome, run.error, called })
  end)

  it("keeps strings as they are and makes the rest JSON", function()
    assert.are.equal("as it is", perform(function()
      return "as it is"
    end).result)
    registry.reset()
    assert.are.same({ a = { 1 } }, perform(function()
      return { a = { 1 } }
    end).result)
    registry.reset()
    assert.is_false(perform(function()
      return false
    end).result)
    registry.reset()
    assert.is_nil(perform(function() end).result)
  end)

  it("fails when the result cannot be stored", function()
    local run = perform(function()
      return { f = print }
    end)
    assert.are.equal("failed", run.outcome)
    assert.is_truthy(run.error:find("the handler's result cannot be stored: result.f", 1, true), run.error)
  end)

  it("fails when the result is larger than Redis takes, as text or as JSON", function()
    local max = value_size.MAX
    value_size.MAX = 10
    local fits = perform(function() return ("x"):rep(10) end)
    registry.reset()
    local text = perform(function() return ("x"):rep(11) end)
    registry.reset()
    local object = perform(function() return { n = 123456 } end)
    value_size.MAX = max
    assert.are.equal("done", fits.outcome)
    for _, run in ipairs { text, object } do
      assert.are.equal("failed", run.outcome)
      assert.matches("^the handler's result cannot be stored: result: it is %d+ bytes long, and Redis holds at most 10",
        run.error)
    end
  end)

  describe("that raises", function()
    local function error_of(value)
      registry.reset()
      local run = perform(function()
        error(value)
      end)
      assert.are.equal("failed", run.outcome)
      return run.error, run.trace
    end

    it("tells message, place and traceback", function()
      local text, trace = error_of("boom")
      assert.is_truthy(text:find("^spec/lua/execute_spec.lua:%d+: boom$"), text)
      assert.is_truthy(trace:find("^stack traceback:\n.*execute_spec.lua:%d+: in function"), trace)
      assert.is_falsy(trace:find("xpcall", 1, true), trace) -- it ends at the handler
    end)

    it("tells what else was raised in words", function()
      local described = setmetatable({}, { __tostring = function()
        return "its own words"
      end })
      local broken = setmetatable({}, { __tostring = function()
        error "no"
      end })
      assert.are.equal("its own words", (error_of(described)))
      assert.are.equal("an error whose text cannot be read", (error_of(broken)))
      assert.are.equal("from its message", (error_of { message = "from its message" }))
      assert.are.equal('a table was raised as an error: {"code":5}', (error_of { code = 5 }))
      assert.are.equal("a table was raised as an error: it cannot be shown as JSON", (error_of { print }))
      assert.are.equal("an error without a message (nil was raised)", (error_of(nil)))
      assert.are.equal("a boolean was raised as an error: false", (error_of(false)))
      assert.are.equal("an error without a message (the string is empty)", execute.describe(""))
    end)

    it("tells where it yielded on its own account, asks its retry function and tells crew.on_error", function()
      local heard
      crew.on_error(function(_, message, details)
        heard = { message, details.outcome, details.trace ~= nil }
      end)
      local run = perform(function()
        coroutine.yield "foreign"
      end, { retry = 7 })
      assert.are.same({ "failed", 7 }, { run.outcome, run.delay })
      assert.matches("^spec/lua/execute_spec%.lua:%d+: the handler called coroutine%.yield outside a", run.error)
      assert.are.same({ run.error, "failed", true }, heard)
    end)

    it("survives a stack that overflows", function()
      local function deep()
        return 1 + deep()
      end
      local run = perform(deep)
      assert.are.equal("failed", run.outcome)
      assert.is_truthy(run.error:find("stack overflow", 1, true), run.error)
    end)
  end)

  describe("with a retry function", function()
    local function delay_of(retry, options)
      registry.reset()
      return perform(function()
        error("why", 0)
      end, { retry = retry }, nil, options)
    end

    it("asks it for the delay", function()
      local seen
      local run = delay_of(function(...)
        seen = { ... }
        return "2m"
      end, { retried = 3 })
      assert.are.equal(120, run.delay)
      assert.are.same({ 3, "why", "t" }, { seen[1], seen[2], seen[3].type })
      assert.are.equal(60, delay_of({ 1, 60 }, { retried = 1 }).delay)
    end)

    it("falls back to the default delay when it gives none", function()
      local run = delay_of(function() end)
      assert.is_nil(run.delay)
      assert.are.same({}, run.logs)
    end)

    it("falls back and says so when it fails or gives nonsense", function()
      local function gives(value)
        return function() return value end
      end
      for name, retry in pairs {
        error = function() error("broken", 0) end, ["nil raised"] = function() error() end,
        outcome = function(_, _, task) task:skip_retry "no" end, yield = function() coroutine.yield() end,
        text = gives "soon", ["not a number"] = gives(0 / 0), negative = gives(-1), infinite = gives(math.huge),
        ["far too long"] = gives(1e15), no = gives(false), table = gives {}, ["negative text"] = gives "-5s",
      } do
        local run = delay_of(retry)
        assert.are.same({ "failed", "why" }, { run.outcome, run.error }, name)
        assert.is_nil(run.delay, name)
        assert.are.same({ "warn", "the task's retry function failed, the default delay applies" },
          { run.logs[1].level, run.logs[1].message }, name)
        assert.is_string(run.logs[1].fields.error, name)
      end
    end)

    it("lets it wait within the task's time, and has the default delay when it does not come back", function()
      local run = delay_of(function()
        crew.sleep "3s"
        return "1m"
      end, { now = 1000 })
      assert.are.same({ 60, 1003 }, { run.delay, run.now })
      registry.reset()
      run = perform(function()
        error("why", 0)
      end, { timeout = "10s", retry = function() crew.sleep "1h" end }, nil, { now = 1000 })
      assert.are.same({ "why", 1010 }, { run.error, run.now })
      assert.is_nil(run.delay)
      assert.are.equal("context deadline exceeded", run.logs[1].fields.error)
    end)
  end)

  describe("through middleware", function()
    it("runs outermost first, and hands results back", function()
      local steps = {}
      for _, name in ipairs { "outer", "inner" } do
        crew.use(function(payload, task, next)
          steps[#steps + 1] = name .. " " .. task.type .. " " .. payload.n
          return next() .. " " .. name
        end)
      end
      assert.are.equal("result inner outer", perform(function()
        return "result"
      end, nil, { n = 1 }).result)
      assert.are.same({ "outer t 1", "inner t 1" }, steps)
    end)

    it("can change the payload, keep the handler from running, and see its error", function()
      crew.use(function(payload, _, next)
        if payload == "stop" then
          return "stopped"
        end
        local ok, message = pcall(next, payload .. "!")
        return ok and message or "caught " .. message
      end)
      local definition = crew.task("t", { perform = function(payload)
        if payload == "bad!" then
          error("it", 0)
        end
        return payload
      end })
      assert.are.equal("good!", testing.perform(definition, "good").result)
      assert.are.equal("caught it", testing.perform(definition, "bad").result)
      assert.are.equal("stopped", testing.perform(definition, "stop").result)
    end)

    it("fails by its own error, before the handler and behind it, and can end the task in any other way", function()
      local handled = 0
      crew.use(function(payload, task, next)
        if payload == "before" then
          error("no", 0)
        elseif payload == "snooze" then
          task:snooze(5)
        end
        next()
        error("late", 0)
      end)
      local definition = crew.task("t", { perform = function()
        handled = handled + 1
      end })
      local run = testing.perform(definition, "before")
      assert.are.same({ "failed", "no", 0 }, { run.outcome, run.error, handled })
      assert.are.equal("snoozed", testing.perform(definition, "snooze").outcome)
      run = testing.perform(definition, "x")
      assert.are.same({ "failed", "late", 1 }, { run.outcome, run.error, handled })
    end)

    it("runs the handler each time that it is called", function()
      local seen = {}
      crew.use(function(_, _, next)
        pcall(next, "first")
        return next "second"
      end)
      local run = perform(function(payload)
        seen[#seen + 1] = payload
        return #seen == 1 and error "not yet" or payload
      end)
      assert.are.same({ "first", "second" }, seen)
      assert.are.same({ "done", "second" }, { run.outcome, run.result })
    end)

    it("that swallows what the handler ended with decides what becomes of the task", function()
      crew.use(function(_, _, next)
        pcall(next)
      end)
      for name, handler in pairs {
        error = function() error "boom" end, outcome = function(_, task) task:skip_retry "no" end,
        ["time-out"] = function() crew.sleep "1h" end, yield = function() coroutine.yield() end,
      } do
        local run = testing.perform(crew.task(name, { timeout = "10s", perform = handler }))
        assert.are.same({ outcome = "done" }, { outcome = run.outcome, result = run.result, error = run.error }, name)
      end
    end)

    it("that waits for ever is timed out like its handler", function()
      crew.use(function(_, _, next)
        next()
        crew.async.await(function() end)
      end)
      local run = perform(function() end, { timeout = "10s" }, nil, { now = 1000 })
      assert.are.same({ "timed_out", 1010 }, { run.outcome, run.now })
    end)

    it("takes functions only", function()
      assert.has_error(function()
        crew.use("x")
      end, "crew.use: expected function, got string")
    end)
  end)

  describe("that is stopped", function()
    it("is timed out whatever error it ends with, and its retry function is asked", function()
      local run = perform(function()
        local _, message = pcall(crew.sleep, "1h")
        error("gave up: " .. message, 0)
      end, { timeout = "10s", retry = 5 }, nil, { now = 1000 })
      assert.are.same({ "timed_out", "gave up: context deadline exceeded", 5, 1010 },
        { run.outcome, run.error, run.delay, run.now })
    end)

    it("is done when it finishes all the same", function()
      local run = perform(function(_, task)
        pcall(crew.sleep, "1h")
        return { task:cancelled() }
      end, { timeout = "10s" })
      assert.are.same({ "done", { true } }, { run.outcome, run.result })
    end)

    local function cancelled(retry, scripts_retry)
      registry.reset()
      if scripts_retry then
        crew.retry(scripts_retry)
      end
      return perform(function()
        crew.sleep("1h")
      end, { retry = retry }, nil, { cancel_after = 3, now = 1000 })
    end

    it("is cancelled, and its retry function is asked", function()
      local run = cancelled(5)
      assert.are.same({ "cancelled", "context canceled", 5 }, { run.outcome, run.error, run.delay })
      run = cancelled(function(_, message)
        return message == "context canceled" and "2m" or nil
      end)
      assert.are.equal(120, run.delay)
      assert.is_nil(cancelled(nil).delay)
    end)

    it("is cancelled, and what goes for all scripts is asked", function()
      assert.are.equal(7, cancelled(nil, 7).delay)
    end)

    it("does not let its retry function wait", function()
      local run = cancelled(function()
        crew.sleep("1h")
        return 5
      end)
      assert.are.same({ "cancelled", 1003 }, { run.outcome, run.now })
      assert.is_nil(run.delay)
      assert.are.equal("warn", run.logs[1].level)
      assert.matches("context canceled", run.logs[1].fields.error)
    end)
  end)
end)
