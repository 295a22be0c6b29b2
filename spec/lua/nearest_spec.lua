local nearest = require "mooncrew.nearest"

describe("the nearest name", function()
  local names = { "queue", "max_retry", "timeout", "retention" }

  it("is found when letters are missing, added, replaced or swapped", function()
    assert.are.equal("queue", nearest("quee", names))
    assert.are.equal("max_retry", nearest("max_retries", names))
    assert.are.equal("timeout", nearest("timeuot", names))
    assert.are.equal("retention", nearest("retenshun", names))
  end)

  it("is none when nothing is near", function()
    assert.is_nil(nearest("perform", names))
    assert.is_nil(nearest("xyz", {}))
  end)
end)
