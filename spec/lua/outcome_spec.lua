local outcome = require "mooncrew.outcome"

describe("an outcome", function()
  local function raised(...)
    local ok, value = pcall(...)
    assert.is_false(ok)
    return value
  end

  it("is raised and recognised, and reads as text", function()
    local value = raised(outcome.skip_retry, "no use")
    assert.is_true(outcome.is(value))
    assert.are.same({ "SKIP_RETRY", "no use" }, { value.kind, value.why })
    assert.are.equal("skip_retry: no use", tostring(value))
    assert.are.equal("revoke", tostring(raised(outcome.revoke)):sub(1, 6))
  end)

  it("carries its delay in seconds", function()
    assert.are.equal(600, raised(outcome.snooze, "10m").delay)
    local value = raised(outcome.retry_in, 1.5, "busy")
    assert.are.same({ "RETRY_IN", 1.5, "busy" }, { value.kind, value.delay, value.why })
  end)

  it("is nothing else", function()
    assert.is_false(outcome.is("skip_retry"))
    assert.is_false(outcome.is({ kind = "SKIP_RETRY" }))
    assert.is_false(outcome.is(nil))
  end)

  it("refuses wrong arguments with the place of the caller", function()
    local function caller()
      outcome.snooze("soon")
    end
    local message = raised(caller)
    assert.is_truthy(message:find("spec/lua/outcome_spec.lua:%d+: task:snooze: 'soon' is no duration"), message)
    message = raised(function()
      outcome.skip_retry({})
    end)
    assert.is_truthy(message:find("outcome_spec.lua:%d+: task:skip_retry: the reason must be a string, got table"),
      message)
  end)
end)
