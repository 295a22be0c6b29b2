-- Copies of tables.

local copy = require "mooncrew.copy"

describe("a copy", function()
  it("has the same fields, and is a table of its own", function()
    local inner = {}
    local fields = setmetatable({ 1, 2, name = inner }, { __index = { other = 1 } })
    local copied = copy(fields)
    assert.same({ 1, 2, name = inner }, copied)
    assert.equal(inner, copied.name)
    assert.is_nil(copied.other)
    copied[1] = 9
    assert.equal(1, fields[1])
  end)

  it("of nothing is an empty table", function()
    assert.same({}, copy(nil))
  end)
end)
