-- The rules of waiting, on a host whose ready queue the specs step themselves.

local async = require "mooncrew.async"
local host = require "mooncrew.host"

describe("waiting", function()
  local ready, logs, lost

  before_each(function()
    ready, logs, lost = {}, {}, nil
    host.use {
      ready = function(fiber)
        ready[#ready + 1] = fiber
      end,
      parked = function() end,
      log = function(_, message, fields)
        logs[#logs + 1] = { message, fields }
      end,
    }
  end)
  after_each(function()
    host.use()
  end)

  local function run(body)
    local fiber = async.fiber(body, function(_, message)
      lost = message
    end)
    async.step(fiber)
    return fiber
  end

  local function step_ready()
    local fiber = table.remove(ready, 1)
    assert.is_not_nil(fiber, "nothing is ready")
    async.step(fiber)
  end

  -- Begins to wait in a fiber. Returns what resumes it, where its results will stand, and the fiber.
  local function wait_in_fiber(cancel)
    local seen, resume = {}, nil
    local fiber = run(function()
      seen.results = { pcall(async.await, function(continue)
        resume = continue
        return cancel
      end) }
    end)
    return resume, seen, fiber
  end

  it("names await and the caller's line when it is given no function", function()
    local ok, message = pcall(function()
      local got = async.await()
      return got
    end)
    assert.is_false(ok)
    assert.matches("async_spec.lua:%d+: crew.async.await: expected function, got nil", message)
  end)

  it("returns what resume was given, nil and false included", function()
    local resume, seen = wait_in_fiber()
    assert.is_nil(seen.results)
    resume(1, nil, false, nil)
    assert.is_nil(seen.results, "a resume must not step the fiber itself")
    step_ready()
    assert.are.equal(5, select("#", unpack(seen.results, 1, 5)))
    assert.are.same({ true, 1, nil, false }, seen.results)
  end)

  it("ends at once when resume is called from inside start", function()
    local results
    run(function()
      results = { async.await(function(resume)
        resume("at once")
      end) }
    end)
    assert.are.same({ "at once" }, results)
    assert.are.same({}, ready)
  end)

  it("ignores a second resume, also when the fiber waits for something else by then", function()
    local resumes, results = {}, {}
    run(function()
      for i = 1, 2 do
        results[i] = async.await(function(resume)
          resumes[i] = resume
        end)
      end
    end)
    resumes[1]("first")
    resumes[1]("again")
    step_ready()
    resumes[1]("late")
    assert.are.same({}, ready)
    resumes[2]("second")
    step_ready()
    assert.are.same({ "first", "second" }, results)
  end)

  it("raises in the pending wait when stopped, after cancelling it", function()
    local cancelled = 0
    local resume, seen, fiber = wait_in_fiber(function()
      cancelled = cancelled + 1
    end)
    async.stop(fiber, "TIMED_OUT")
    async.stop(fiber, "CANCELLED") -- the first reason stands
    resume("too late")
    step_ready()
    assert.are.same({}, ready)
    assert.are.equal(1, cancelled)
    assert.are.same({ false, "context deadline exceeded" }, seen.results)
  end)

  it("keeps a result that had come before the stop", function()
    local resume, seen, fiber = wait_in_fiber()
    resume("result")
    async.stop(fiber, "CANCELLED")
    step_ready()
    assert.are.same({ true, "result" }, seen.results)
  end)

  it("raises in every later wait, without starting it", function()
    local started, errors = 0, {}
    local fiber = run(function()
      for i = 1, 3 do
        errors[i] = select(2, pcall(async.await, function()
          started = started + 1
        end))
      end
    end)
    async.stop(fiber, "CANCELLED")
    step_ready()
    assert.are.same({ "context canceled", "context canceled", "context canceled" }, errors)
    assert.are.equal(1, started)
  end)

  it("raises when it was stopped while start itself waited and caught that", function()
    local cancelled, seen = 0, nil
    local fiber = run(function()
      seen = { pcall(async.await, function()
        pcall(async.await, function() end)
        return function()
          cancelled = cancelled + 1
        end
      end) }
    end)
    async.stop(fiber, "CANCELLED")
    step_ready()
    assert.are.same({ false, "context canceled" }, seen)
    assert.are.equal(1, cancelled)
  end)

  it("logs a cancel function that fails, and goes on", function()
    local _, seen, fiber = wait_in_fiber(function()
      error("cannot", 0)
    end)
    async.stop(fiber, "CANCELLED")
    step_ready()
    assert.are.same({ false, "context canceled" }, seen.results)
    assert.are.equal("cannot", logs[1][2].error)
  end)

  it("lets an error of start through, and a resume after it is ignored", function()
    local resume, message
    run(function()
      message = select(2, pcall(async.await, function(continue)
        resume = continue
        error("cannot start", 0)
      end))
    end)
    assert.are.equal("cannot start", message)
    resume()
    assert.are.same({}, ready)
  end)

  it("works across pcall, metamethods and iterators", function()
    local resume, done
    local function pause()
      return async.await(function(continue)
        resume = continue
      end)
    end
    local indexed = setmetatable({}, { __index = pause })
    run(function()
      local steps = {}
      for value in pause do
        steps[#steps + 1] = value
      end
      steps[#steps + 1] = indexed.anything
      steps[#steps + 1] = select(2, pcall(pause))
      done = steps
    end)
    for _, value in ipairs { "iterator", false, "index", "pcall" } do
      resume(value or nil)
      step_ready()
    end
    assert.are.same({ "iterator", "index", "pcall" }, done)
  end)

  describe("is an error that says so", function()
    local function refused(body)
      local message
      run(function()
        message = select(2, pcall(body))
      end)
      return message
    end

    local function await()
      return async.await(function() end)
    end

    it("outside of any task", function()
      local ok, message = pcall(function()
        async.await(function() end)
      end)
      assert.is_false(ok)
      assert.is_truthy(message:find("async_spec.lua:%d+: waiting works only while a task runs"), message)
    end)

    it("in a coroutine that the handler made", function()
      local message = refused(function()
        coroutine.wrap(await)()
      end)
      assert.is_truthy(message:find("not in one that it made", 1, true), message)
    end)

    it("in a function that C code calls", function()
      local message = refused(function()
        table.sort({ 2, 1 }, function(a, b)
          await()
          return a < b
        end)
      end)
      assert.is_truthy(message:find("table.sort, string.gsub", 1, true), message)
      message = refused(function()
        return (("x"):gsub("x", await))
      end)
      assert.is_truthy(message:find("table.sort, string.gsub", 1, true), message)
    end)
  end)

  it("gives a fiber up that yields on its own account", function()
    run(function()
      coroutine.yield("mine")
    end)
    assert.matches("async_spec%.lua:%d+: the handler called coroutine%.yield", lost)
  end)

  it("has a yield on its own account raise instead, where that is guarded", function()
    local unguard = require("mooncrew.strand").guard_yield()
    local caught, own
    run(function()
      caught = { pcall(function() coroutine.yield "mine" end) }
      own = coroutine.wrap(function() coroutine.yield(1, 2) end)
      own = { own() }
    end)
    unguard()
    assert.is_nil(lost)
    assert.is_false(caught[1])
    assert.matches("async_spec%.lua:%d+: the handler called coroutine%.yield", caught[2])
    assert.are.same({ 1, 2 }, own)
  end)

  it("gives a fiber up whose body raises", function()
    run(function()
      error("broken", 0)
    end)
    assert.are.equal("broken", lost)
  end)

  it("uses the coroutine of a fiber that ended again, with nothing left of the task before", function()
    local resume, seen
    local first = run(function()
      async.await(function(continue)
        resume = continue
      end)
    end)
    first.task = {}
    resume()
    async.stop(first, "CANCELLED")
    step_ready()
    local second = run(function(fiber)
      seen = { fiber.stopped, fiber.task, fiber.wait }
    end)
    assert.are.equal(first, second)
    assert.are.same({}, seen)
  end)

  it("knows the fiber that runs", function()
    local seen
    local fiber = run(function()
      seen = async.current()
    end)
    assert.are.equal(fiber, seen)
    assert.is_nil(async.current())
  end)
end)
