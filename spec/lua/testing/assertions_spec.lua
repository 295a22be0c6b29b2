-- The assertions that mooncrew.testing adds to luassert.

local crew = require "mooncrew"
local match = require "luassert.match"
local registry = require "mooncrew.registry"
local testing = require "mooncrew.testing"

describe("the assertion", function()
  before_each(registry.reset)
  after_each(registry.reset)

  local function perform(handler, options)
    registry.reset()
    return testing.perform(crew.task("t", { perform = handler, max_retry = 3 }), nil, options)
  end

  -- What it says when it does not hold; every part is to be found in it.
  local function says(assertion, ...)
    local ok, message = pcall(assertion)
    assert.is_false(ok)
    for _, part in ipairs { ... } do
      assert.is_truthy(tostring(message):find(part, 1, true), tostring(message))
    end
  end

  it("enqueued looks for a type, parts of its payload, and options as people write them", function()
    perform(function()
      crew.enqueue("child", { n = 1, list = { "a", "b" } }, { queue = "low", process_in = "1m" })
      crew.enqueue "bare"
    end)
    assert.enqueued("child")
    assert.enqueued("bare")
    assert.enqueued("child", { n = 1 })
    assert.enqueued("child", { list = { "a", "b" } }, { process_in = 60 })
    assert.enqueued("child", { n = match.is_number() }, { queue = "low" })
    assert.not_enqueued("stranger")
    assert.has_no.enqueued("child", { n = 2 })
    assert.has_no.enqueued("child", { list = { "a" } })
    assert.has_no.enqueued("child", nil, { process_in = "2m" })
    says(function()
      assert.enqueued("child", { n = 2 })
    end, 'expected one enqueued task child with {"n":2}; there is', '1. child {"list":["a","b"],"n":1}', "2. bare")
    says(function()
      assert.not_enqueued("child")
    end, "expected no enqueued task child; there is")
    says(function()
      assert.enqueued("child", nil, { quee = "low" })
    end, "assert.enqueued: options: unknown option 'quee', did you mean 'queue'?")
    says(function()
      assert.enqueued()
    end, "assert.enqueued: expected a task type (string), got nil")
  end)

  it("enqueued says when there was nothing, and why", function()
    perform(function()
      error("early", 0)
    end)
    says(function()
      assert.enqueued("child")
    end, "but nothing was enqueued\nits outcome is failed", "early")
  end)

  it("logged looks for an event and parts of its fields", function()
    perform(function(_, task)
      task.log:info("sent", { to = "ada", size = 5 })
    end)
    assert.logged("sent")
    assert.logged("sent", { to = "ada" })
    assert.has_no.logged("sent", { to = "bob" })
    says(function()
      assert.logged("lost")
    end, 'expected one log line "lost"; there is', '1. info "sent" {"size":5,"to":"ada"}')
  end)

  it("done wants an end without an error, and maybe a result", function()
    perform(function()
      return { a = 1, b = { c = 2, d = 3 } }
    end)
    assert.done()
    assert.done { b = { c = 2 } }
    assert.has_no.done { a = 2 }
    says(function()
      assert.done { a = 2 }
    end, 'expected the run to be done with the result {"a":2}, but it is done, with the result {"a":1,')
    says(assert.failed, "expected the run to be a failure, but it is done")
    says(function()
      assert.is_not.done()
    end, "expected the run not to be done, but it is done")
  end)

  it("failed, retried and archived tell failures apart", function()
    local function fail(_, task)
      if task.retried == 1 then
        task:retry_in("30s", "busy")
      end
      error("boom", 0)
    end
    local first, second, last = perform(fail), perform(fail, { retried = 1 }), perform(fail, { retried = 3 })
    for _, run in ipairs { first, second, last } do
      assert.failed(run)
    end
    assert.failed(first, "boom")
    assert.failed(first, "^b.*m$")
    assert.has_no.failed(first, "bang")
    assert.retried(first)
    assert.retried(second, "30s")
    assert.retried(second, 30)
    assert.has_no.retried(second, 31)
    assert.has_no.retried(last)
    assert.archived(last)
    assert.archived(last, "boom")
    says(function()
      assert.archived(second)
    end, "expected the run to be archived, but its outcome is retry_in, so that its task is retried, in 30 s: busy")
  end)

  it("archived holds for tasks that skip their retries or do not fit", function()
    perform(function(_, task)
      task:skip_retry("no such user")
    end)
    assert.archived("no such user")
    perform(print, { raw_payload = "{" })
    assert.archived()
  end)

  it("snoozed and revoked hold for what they say", function()
    perform(function(_, task)
      task:snooze("10m")
    end)
    assert.snoozed()
    assert.snoozed("10m")
    assert.has_no.failed()
    perform(function(_, task)
      task:revoke("gone")
    end)
    assert.revoked("gone")
    assert.has_no.snoozed()
  end)

  it("done says what a run still waits for", function()
    registry.reset()
    local run = testing.start(crew.task("t", { perform = function()
      crew.sleep(5)
    end }))
    says(function()
      assert.done(run)
    end, "it still waits; its clock has to advance by 5 s")
  end)

  it("means the run that is given, else the last one of this test", function()
    says(assert.done, "assert.done: no task was performed in this test")
    local first = perform(function()
      crew.enqueue "a"
    end)
    perform(function()
      crew.enqueue "b"
    end)
    assert.enqueued("b")
    assert.not_enqueued("a")
    assert.enqueued(first, "a")
    says(function()
      assert.done(nil)
    end, "the first argument is nil")
  end)
end)
