-- Several functions at once within one task, in the pretended world of mooncrew.testing, whose clock tells what ran at
-- once.

local crew = require "mooncrew"
local registry = require "mooncrew.registry"
local testing = require "mooncrew.testing"

describe("crew.gather", function()
  before_each(registry.reset)
  after_each(registry.reset)

  local function perform(handler, options)
    registry.reset()
    return testing.perform(crew.task("t", { perform = handler }), nil, options or { now = 1000 })
  end

  local function after(seconds, value)
    return function()
      crew.sleep(seconds)
      return value
    end
  end

  -- Waits for good; notes when that is cancelled.
  local function endless(log, name)
    return function()
      crew.async.await(function()
        return function()
          log[#log + 1] = "cancelled " .. name
        end
      end)
    end
  end

  it("runs functions at once and gives their results in order", function()
    local run = perform(function()
      return { crew.gather(after(3, "a"), after(1, "b"), after(2, "c")) }
    end)
    assert.are.equal("done", run.outcome, run.error)
    assert.are.same({ "a", "b", "c" }, run.result)
    assert.are.equal(1003, run.now)
  end)

  it("keeps nil and false in their places, and only first results", function()
    local count, seen
    perform(function()
      local function two()
        return 1, 2
      end
      local results = { crew.gather(after(1), two, after(0, false), after(2)) }
      count, seen = select("#", crew.gather(after(1), two, after(0, false), after(2))), results
    end)
    assert.are.equal(4, count)
    assert.are.same({ nil, 1, false, nil }, seen)
  end)

  it("takes a list and gives a list, however long", function()
    local results
    local run = perform(function()
      local functions = {}
      for i = 1, 20000 do
        functions[i] = after(i % 2, i % 3 > 0 and i or nil)
      end
      results = crew.gather(functions)
    end)
    assert.are.equal("done", run.outcome, run.error)
    assert.are.equal(20000, results.n)
    assert.are.equal(20000, results[20000])
    assert.is_nil(results[3])
    assert.are.equal(1001, run.now)
  end)

  it("of nothing is nothing", function()
    local none, list
    perform(function()
      none, list = select("#", crew.gather()), crew.gather {}
    end)
    assert.are.equal(0, none)
    assert.are.same({ n = 0 }, list)
  end)

  it("of functions that do not wait works too", function()
    local run = perform(function()
      return { crew.gather(tostring, function() return 2 end) }
    end)
    assert.matches("bad argument #1 to", run.error)
    run = perform(function()
      return { crew.gather(function() return 1 end, function() return 2 end) }
    end)
    assert.are.same({ 1, 2 }, run.result)
  end)

  it("nests", function()
    local function both(seconds)
      return function()
        return { crew.gather(after(seconds, seconds), after(seconds + 1, -seconds)) }
      end
    end
    local run = perform(function()
      return { crew.gather(both(1), both(5), function()
        return crew.gather(both(2))
      end) }
    end)
    assert.are.same({ { 1, -1 }, { 5, -5 }, { 2, -2 } }, run.result)
    assert.are.equal(1006, run.now)
  end)

  it("nests far deeper than coroutines within coroutines could", function()
    local function deep(levels)
      if levels == 0 then
        crew.sleep(1)
        return "bottom"
      end
      return (crew.gather(function()
        return deep(levels - 1)
      end))
    end
    local run = perform(function()
      return deep(2000)
    end)
    assert.are.equal("bottom", run.result, run.error)
  end)

  describe("with an error in one function", function()
    it("raises it when the others have unwound, whose operations are cancelled", function()
      local log = {}
      local run = perform(function()
        local ok, message = pcall(crew.gather, endless(log, "a"), function()
          crew.sleep(5)
          error("broken")
        end, function()
          local _, why = pcall(endless(log, "c"))
          log[#log + 1] = "unwinds: " .. why
          error("too late to matter")
        end)
        log[#log + 1] = tostring(ok) .. " " .. message:gsub("^.*: ", "")
        crew.sleep(1) -- the task itself is not stopped
        return "went on"
      end)
      assert.are.equal("went on", run.result, run.error)
      table.sort(log, function(a, b) return a:sub(1, 9) < b:sub(1, 9) end)
      assert.are.same({ "cancelled a", "cancelled c", "false broken", "unwinds: context canceled" },
        { unpack(log, 1, 4) })
      assert.are.equal(1006, run.now)
    end)

    it("fails the task, with the place and the stack of the function", function()
      local function find_nobody()
        error("no such user")
      end
      local run = perform(function()
        crew.gather(after(9), function()
          crew.sleep(1)
          find_nobody()
        end)
      end)
      assert.are.equal("failed", run.outcome)
      assert.matches("gather_spec.lua:%d+: no such user", run.error)
      assert.matches("find_nobody", run.trace)
      assert.is_nil(run.trace:find("gather.lua", 1, true), run.trace)
      assert.are.equal(1001, run.now)
    end)

    it("does not begin what has not begun", function()
      local began = false
      local run = perform(function()
        crew.gather(function()
          error("at once")
        end, function()
          began = true
        end)
      end)
      assert.matches("at once", run.error)
      assert.is_false(began)
    end)

    it("keeps stopped what was stopped: later waits of it raise at once", function()
      local told = {}
      local run = perform(function(_, task)
        pcall(crew.gather, function()
          for i = 1, 3 do
            told[i] = select(2, pcall(crew.sleep, 60))
          end
          told[4] = select(2, pcall(crew.gather, after(1)))
          told[5] = task:cancelled()
        end, function()
          error("broken")
        end)
        told[6] = task:cancelled()
      end)
      assert.are.equal("done", run.outcome, run.error)
      local stop = "context canceled"
      assert.are.same({ stop, stop, stop, stop, true, false }, told)
      assert.are.equal(1000, run.now)
    end)

    it("raises what was raised, whatever it is", function()
      local thing, seen = {}, {}
      perform(function()
        seen[1] = select(2, pcall(crew.gather, function() error(thing) end))
        seen[2] = { pcall(crew.gather, function() error(nil) end) }
      end)
      assert.are.equal(thing, seen[1])
      assert.are.same({ false }, seen[2])
    end)

    it("stops the functions of gathers within", function()
      local log = {}
      perform(function()
        pcall(crew.gather, function()
          crew.gather(endless(log, "inner"), endless(log, "inner"))
        end, function()
          crew.sleep(1)
          error("broken")
        end)
        log[#log + 1] = "raised"
      end)
      assert.are.same({ "cancelled inner", "cancelled inner", "raised" }, log)
    end)

    it("survives a function that recurses for ever", function()
      local run = perform(function()
        local function deep() return 1 + deep() end
        crew.gather(after(5), deep)
      end)
      assert.are.equal("failed", run.outcome)
      assert.matches("stack overflow", run.error)
    end)

    it("is the function's own when it yields", function()
      local run = perform(function()
        crew.gather(after(5), coroutine.yield)
      end)
      assert.are.equal("failed", run.outcome)
      assert.matches("coroutine.yield", run.error)
    end)
  end)

  it("ends the task as an outcome in one of them says", function()
    local log = {}
    local run = perform(function(_, task)
      crew.gather(endless(log, "a"), function()
        crew.sleep(1)
        task:skip_retry("no use")
      end)
    end)
    assert.are.equal("skip_retry", run.outcome)
    assert.are.equal("no use", run.error)
    assert.are.same({ "cancelled a" }, log)
    run = perform(function(_, task)
      crew.gather(function()
        crew.gather(function()
          task:snooze("10m")
        end)
      end)
    end)
    assert.are.equal("snoozed", run.outcome)
    assert.are.equal(600, run.delay)
  end)

  describe("when the task is stopped", function()
    local ways = { timed_out = { timeout = 5, now = 1000 }, cancelled = { cancel_after = 5, now = 1000 } }
    for why, options in pairs(ways) do
      it("stops all functions, for good: " .. why, function()
        local log, stop = {}, why == "timed_out" and "context deadline exceeded" or "context canceled"
        local run = perform(function()
          local _, message = pcall(crew.gather, endless(log, "a"), function()
            crew.gather(endless(log, "b"), function()
              for _ = 1, 2 do
                local _, why_not = pcall(crew.sleep, 60)
                log[#log + 1] = why_not
              end
            end)
          end)
          log[#log + 1] = "gather: " .. message
          crew.sleep(1)
        end, options)
        assert.are.equal(why, run.outcome)
        assert.are.equal(stop, run.error)
        assert.are.same({ "cancelled a", "cancelled b", stop, stop, "gather: " .. stop }, log)
        assert.are.equal(1005, run.now)
      end)
    end

    it("gives the results that had come before", function()
      local run = perform(function()
        local a = crew.gather(after(1, "a"))
        pcall(crew.sleep, 60)
        return a
      end, { timeout = 5 })
      assert.are.equal("a", run.result)
    end)
  end)

  it("leaves nothing of itself to the tasks that come after", function()
    for _ = 1, 3 do
      perform(function()
        crew.gather(after(1), function() error("broken") end)
      end)
      local run = perform(function(_, task)
        return { task:cancelled(), (crew.gather(after(1, "x"))) }
      end)
      assert.are.same({ false, "x" }, run.result)
    end
  end)

  it("says what is wrong with its arguments, and where it does not work", function()
    local run = perform(function()
      crew.gather(after(1), "text")
    end)
    assert.matches("gather_spec.lua:%d+: crew.gather: 2: expected function, got string", run.error)
    local ok, message = pcall(function()
      crew.gather(after(1))
    end)
    assert.is_false(ok)
    assert.matches("gather_spec.lua:%d+: waiting works only while a task runs", message)
  end)

  it("does not let a function wait in a coroutine of its own", function()
    local run = perform(function()
      crew.gather(function()
        coroutine.wrap(crew.sleep)(1)
      end)
    end)
    assert.matches("not in one that it made", run.error)
  end)
end)
