local unknown = require "mooncrew.unknown"

describe("an unknown name", function()
  local known = { queue = 1, timeout = true }

  it("is told with the known one that was probably meant", function()
    local message, meant = unknown("option", "timeuot", known)
    assert.are.equal("unknown option 'timeuot', did you mean 'timeout'?", message)
    assert.are.equal("timeout", meant)
  end)

  it("is told alone when none is near, or it is no name", function()
    local message, meant = unknown("field", "perform", known)
    assert.are.equal("unknown field 'perform'", message)
    assert.is_nil(meant)
    assert.are.equal("unknown field '1'", (unknown("field", 1, known)))
  end)
end)
