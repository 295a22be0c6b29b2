-- What is enqueued in a test, and performed by it.

local crew = require "mooncrew"
local registry = require "mooncrew.registry"
local testing = require "mooncrew.testing"

local T0 = 1700000000

describe("what a handler under test enqueues", function()
  before_each(registry.reset)
  after_each(registry.reset)

  local function perform(handler, options)
    registry.reset()
    return testing.perform(crew.task("parent", { perform = handler }), nil, options)
  end

  local function codes(...)
    local list = {}
    for i, options in ipairs { ... } do
      local info, _, code = crew.enqueue("child", options.payload or { 1 }, options[1])
      list[i] = info and "ok" or code
    end
    return list
  end

  it("is refused where Redis would refuse it", function()
    local run = perform(function()
      return codes({ { task_id = "a" } }, { { task_id = "a" } }, { { task_id = "a", queue = "low" } },
        { { unique = "1m" } }, { { unique = "1m" } }, { { unique = "1m" }, payload = { 2 } })
    end)
    assert.are.same({ "ok", "TASK_ID_CONFLICT", "ok", "ok", "DUPLICATE_TASK", "ok" }, run.result)
    assert.are.equal(4, #run.enqueued)
  end)

  it("is unique for as long as was asked for", function()
    local run = perform(function()
      local first = codes { { unique = "1m" } }
      crew.sleep(59)
      local second = codes { { unique = "1m" } }
      crew.sleep(2)
      return { first[1], second[1], codes({ { unique = "1m" } })[1] }
    end)
    assert.are.same({ "ok", "DUPLICATE_TASK", "ok" }, run.result)
  end)

  it("is remembered by all runs of a clock, and forgotten with it", function()
    local definition = crew.task("parent", { perform = function()
      return codes({ { task_id = "a" } })[1]
    end })
    local clock = testing.clock()
    assert.are.equal("ok", testing.perform(definition, nil, { clock = clock }).result)
    assert.are.equal("TASK_ID_CONFLICT", testing.perform(definition, nil, { clock = clock }).result)
    assert.are.equal("ok", testing.perform(definition).result)
  end)
end)

describe("testing.drain", function()
  local seen

  before_each(function()
    registry.reset()
    seen = {}
  end)
  after_each(registry.reset)

  local function define(type, perform)
    return crew.task(type, { perform = function(payload, task)
      seen[#seen + 1] = type
      return perform and perform(payload, task)
    end })
  end

  it("performs what was enqueued, and what that enqueues", function()
    define("grandchild")
    define("child", function(payload, task)
      crew.enqueue("grandchild", nil)
      return { payload.n, task.id, task.queue, task.max_retry, task.headers.a, task.deadline - os.time() }
    end)
    local run = testing.perform(define("parent", function()
      crew.enqueue("child", { n = 1 }, { queue = "low", max_retry = 2, headers = { a = "b" }, timeout = "9s" })
      crew.enqueue("grandchild")
    end))
    local runs = testing.drain(run)
    assert.are.same({ "parent", "child", "grandchild", "grandchild" }, seen)
    assert.are.same({ 1, "enqueued-1", "low", 2, "b", 9 }, runs[1].result)
    assert.are.equal(runs[1], run.enqueued[1].run)
    assert.are.same({}, testing.drain(run))
    assert.enqueued("child") -- still means the run that was drained
  end)

  it("stops after the first generation if asked to", function()
    define("grandchild")
    define("child", function()
      crew.enqueue "grandchild"
    end)
    local runs = testing.drain(testing.perform(define("parent", function()
      crew.enqueue "child"
    end)), { recursive = false })
    assert.are.equal(1, #runs)
    assert.enqueued(runs[1], "grandchild")
  end)

  it("leaves what is scheduled, unless asked for it, and then keeps its moment", function()
    define("child", function()
      return os.time()
    end)
    local run = testing.perform(define("parent", function()
      crew.enqueue("child", nil, { process_in = "1h" })
      crew.enqueue("child", nil, { process_in = "10m" })
    end), nil, { now = T0 })
    assert.are.same({}, testing.drain(run))
    local runs = testing.drain(run, { scheduled = true })
    assert.are.same({ T0 + 600, T0 + 3600 }, { runs[1].result, runs[2].result })
  end)

  it("performs on a clock of the test's own what has become due", function()
    define "child"
    local clock = testing.clock(T0)
    local run = testing.perform(define("parent", function()
      crew.enqueue("child", nil, { process_in = "10m" })
    end), nil, { clock = clock })
    clock:advance "9m"
    assert.are.same({}, testing.drain(run, { scheduled = true }))
    clock:advance "1m"
    assert.are.equal(1, #testing.drain(run))
  end)

  it("frees the id and the lock of what is done", function()
    define "child"
    local parent = define("parent", function()
      assert(crew.enqueue("child", nil, { unique = "1h", task_id = "a" }))
    end)
    local clock = testing.clock()
    for _ = 1, 2 do
      local run = testing.perform(parent, nil, { clock = clock })
      assert.done(run)
      testing.drain(run)
    end
  end)

  it("says so when tasks enqueue each other for ever, or are of a type that is not loaded", function()
    define("child", function()
      crew.enqueue "child"
    end)
    local ok, message = pcall(testing.drain, testing.perform "child")
    assert.is_false(ok)
    assert.is_truthy(message:find("they enqueue each other", 1, true), message)
    local run = testing.perform(define("parent", function()
      crew.enqueue "stranger"
    end))
    ok, message = pcall(testing.drain, run)
    assert.is_false(ok)
    assert.is_truthy(message:find('no script that is loaded registers "stranger"', 1, true), message)
  end)
end)
