-- Stubs that take longer than the call that they answer may.

local crew = require "mooncrew"
local registry = require "mooncrew.registry"
local testing = require "mooncrew.testing"

describe("time-outs of what stubs answer", function()
  local handler

  after_each(registry.reset)

  local function perform(options)
    registry.reset()
    return testing.perform(crew.task("t", { perform = handler }), nil, options)
  end

  local function slow(seconds, answer)
    return function()
      crew.sleep(seconds)
      return answer
    end
  end

  it("end a program of crew.exec that takes longer", function()
    handler = function()
      local result, message, code = crew.exec({ "convert", "a" }, { timeout = "10s" })
      return { code = code, message = message, stdout = result and result.stdout }
    end
    local run = perform { now = 1700000000, exec = slow(11, { stdout = "late" }) }
    assert.done(run, { code = "TIMEOUT", message = "convert did not end within 10 s and was killed" })
    assert.are.equal(1700000010, run.now)
    assert.are.equal("convert did not end within 10 s and was killed", run.commands[1].failure)
    run = perform { now = 1700000000, exec = slow(9, { stdout = "done" }) }
    assert.done(run, { stdout = "done" })
    assert.are.equal(1700000009, run.now)
  end)

  it("end a request of crew.http that takes longer, by default after a minute", function()
    handler = function(_, task)
      local answer, message, code = crew.http.get("https://a.test/", { timeout = task.headers.timeout })
      return { body = answer and answer.body, message = message, code = code }
    end
    local run = perform { http = slow(3, { body = "late" }), headers = { timeout = "2s" }, now = 1700000000 }
    assert.done(run, { code = "TIMEOUT" })
    assert.is_truthy(run.result.message:find("no whole answer within 2 s", 1, true))
    assert.are.equal(1700000002, run.now)
    assert.done(perform { http = slow(3, { body = "in time" }), headers = { timeout = "4s" } }, { body = "in time" })
    assert.done(perform { http = slow(61, { body = "late" }) }, { code = "TIMEOUT" })
  end)

  it("leave the stub's errors, and the task's own end, as they are", function()
    handler = function()
      crew.http.get "https://a.test/"
    end
    assert.failed(perform { http = function() error("the stub is wrong", 0) end }, "the stub is wrong")
    assert.are.equal("timed_out", perform({ http = slow(30, {}), timeout = "5s" }).outcome)
    assert.are.equal("cancelled", perform({ http = slow(30, {}), cancel_after = "5s" }).outcome)
  end)
end)
