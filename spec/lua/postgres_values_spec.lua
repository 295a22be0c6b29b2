local json = require "mooncrew.json"
local values = require "mooncrew.postgres.values"

local function wire(...)
  return values.wire { n = select("#", ...), ... }
end

describe("parameters of a query", function()
  it("are PostgreSQL's text", function()
    assert.are.same({ n = 8, "a", "42", "-0.1", "t", "f", "9007199254740993", nil, nil },
      wire("a", 42, -0.1, true, false, 9007199254740993LL, nil, json.null))
    assert.are.same({ n = 5, "NaN", "Infinity", "-Infinity", "1152921504606846976", "1e+300" },
      wire(0 / 0, math.huge, -math.huge, 2 ^ 60, 1e300))
  end)

  it("are JSON when they are tables, arrays and bytes when they are marked so", function()
    assert.are.same({ n = 3, '{"a":[1]}', "[]", '{"1",NULL,"q\\"\\\\",{"2"}}' }, wire({ a = { 1 } }, json.array {},
      values.array { 1, json.null, 'q"\\', values.array { 2 } }))
    assert.are.same({ n = 2, [2] = "\0", binary = { [2] = true } }, wire(nil, values.bytes "\0"))
  end)

  it("are refused by their place", function()
    assert.are.same({ nil, "parameter $2: a function cannot be a parameter" }, { wire(1, print) })
    assert.matches("parameter $1: the text holds a NUL byte", (select(2, wire("a\0b"))), 1, true)
    assert.matches("parameter $1: array item 2", (select(2, wire(values.array { 1, print }))), 1, true)
  end)
end)

describe("results", function()
  it("have their JSON decoded; what a number would round stays text", function()
    local result = values.decode { json = { "a" }, rows = { { a = '{"b":[null]}' }, {}, { a = "9007199254740993" },
      { a = "null" } } }
    assert.are.same({ b = { json.null } }, result.rows[1].a)
    assert.is_nil(result.rows[2].a)
    assert.are.equal("9007199254740993", result.rows[3].a)
    assert.are.equal(json.null, result.rows[4].a)
    assert.is_nil(result.json)
  end)
end)
