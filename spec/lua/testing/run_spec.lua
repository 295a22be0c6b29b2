-- What testing.perform shows of a run beyond what testing_spec has.

local crew = require "mooncrew"
local registry = require "mooncrew.registry"
local testing = require "mooncrew.testing"

describe("a run", function()
  before_each(registry.reset)
  after_each(registry.reset)

  it("may be asked for by type, also one that a prefix serves", function()
    crew.task("image:*", { perform = function(_, task)
      return task.type
    end })
    assert.are.equal("image:crop", testing.perform("image:crop").result)
    local ok, message = pcall(function()
      testing.perform "imgae:crop"
    end)
    assert.is_false(ok)
    assert.is_truthy(message:find('run_spec.lua:%d+: testing.perform: no script that is loaded registers "imgae:crop"'),
      message)
  end)

  it("shows how far the task said that it had come", function()
    local run = testing.perform(crew.task("t", { perform = function(_, task)
      task:progress(0.4, "400 of 1000")
      crew.sleep(10)
      task:progress(1)
    end }), nil, { now = 1700000000 })
    assert.are.same({ { fraction = 0.4, text = "400 of 1000", at = 1700000000 }, { fraction = 1, at = 1700000010 } },
      run.progress)
    assert.are.same({}, run.logs)
  end)

  it("says what becomes of the task", function()
    local definition = crew.task("t", { max_retry = 2, payload = crew.schema.object { how = crew.schema.string {} },
      perform = function(payload, task)
        local ways = { skip = task.skip_retry, drop = task.revoke, snooze = task.snooze, later = task.retry_in }
        local way = ways[payload.how]
        if way then
          way(task, "1m")
        end
        assert(payload.how == "done", "boom")
      end })
    for how, state in pairs { done = "completed", skip = "archived", drop = "revoked", snooze = "scheduled",
      later = "retry", fail = "retry" } do
      assert.are.equal(state, testing.perform(definition, { how = how }).state, how)
    end
    assert.are.equal("archived", testing.perform(definition, {}).state)
    assert.are.equal("archived", testing.perform(definition, { how = "fail" }, { retried = 2 }).state)
    assert.are.equal("archived", testing.perform(definition, { how = "later" }, { retried = 2 }).state)
  end)

  it("keeps to itself what two handlers do that run at once", function()
    local definition = crew.task("t", { perform = function(payload, task)
      crew.sleep(1)
      task.log:info(payload)
      crew.enqueue("of:" .. payload)
    end })
    local clock = testing.clock()
    local a = testing.start(definition, "a", { clock = clock })
    local b = testing.start(definition, "b", { clock = clock })
    clock:advance(1)
    assert.are.equal("a", a.logs[1].message)
    assert.are.equal("of:b", b.enqueued[1].type)
    assert.are.same({ 1, 1, 1, 1 }, { #a.logs, #b.logs, #a.enqueued, #b.enqueued })
  end)

  it("leaves nothing in place", function()
    local host, options = require "mooncrew.host", require "mooncrew.options"
    local before = { require("mooncrew.distribute").backend, options.now_ms, host.log }
    testing.perform(crew.task("t", { perform = error }))
    pcall(testing.perform, crew.task("u", { perform = function()
      crew.async.await(function() end)
    end }))
    assert.are.same(before, { require("mooncrew.distribute").backend, options.now_ms, host.log })
  end)

  it("cannot be begun inside of another", function()
    local inner = crew.task("inner", { perform = print })
    local run = testing.perform(crew.task("outer", { perform = function()
      testing.perform(inner)
    end }))
    assert.failed(run, "cannot itself use mooncrew.testing")
  end)

  it("does not change the options it is given", function()
    crew.task("t", { perform = print })
    local options = {}
    testing.perform("t", nil, options)
    assert.are.same({}, options)
  end)
end)
