-- A worker's hooks, and those of failures, in tests.

local crew = require "mooncrew"
local registry = require "mooncrew.registry"
local testing = require "mooncrew.testing"

local available = package.searchpath("mooncrew.hooks", package.path)

describe("in a test", function()
  if not available then
    pending "needs mooncrew.hooks"
    return
  end

  before_each(registry.reset)
  after_each(registry.reset)

  it("a worker's start and stop run, may wait, and show what they did", function()
    local order = {}
    crew.on_start(function()
      crew.sleep "5s"
      order[#order + 1] = "start"
      crew.log:info "warm"
    end)
    crew.on_stop(function()
      order[#order + 1] = "stop"
      error("cannot close", 0)
    end)
    local started, stopped = testing.start_worker(), testing.stop_worker()
    assert.done(started)
    assert.logged(started, "warm")
    assert.logged(stopped, "a function of crew.on_stop failed", { error = "cannot close" })
    assert.are.same({ "start", "stop" }, order)
  end)

  it("a start that fails or does not end says why", function()
    crew.on_start(function()
      error "no pool"
    end)
    assert.failed(testing.start_worker(), "no pool")
    registry.reset()
    crew.on_start(function()
      crew.sleep "1h"
    end)
    local run = testing.start_worker()
    assert.failed(run, "did not end within")
  end)

  it("the functions for failures run, and the retries of all tasks hold", function()
    crew.on_error(function(task, message, details)
      crew.sleep(1)
      crew.enqueue("report", { id = task.id, message = message, outcome = details.outcome })
    end)
    crew.retry { 7, 9 }
    local run = testing.perform(crew.task("t", { perform = function()
      error("boom", 0)
    end }), nil, { retried = 1 })
    assert.retried(run, "9s")
    assert.enqueued("report", { id = "task-1", message = "boom", outcome = "failed" })
  end)
end)
