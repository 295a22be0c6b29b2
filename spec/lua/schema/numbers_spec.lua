-- mooncrew.schema: numbers: integers, those of 64 bits, and others.

package.path = "./spec/lua/schema/?.lua;" .. package.path

local schema = require "mooncrew.schema"
local verdict = require "verdict"

local value_of, refusal_of, through, json_refusal_of
  = verdict.value_of, verdict.refusal_of, verdict.through, verdict.json_refusal_of

describe("schema.integer", function()
  it("takes whole numbers that a double holds exactly", function()
    for _, good in ipairs { 0, -1, 1e15, 9007199254740991, -9007199254740991 } do
      assert.are.equal(good, value_of(schema.integer(), good))
    end
  end)

  it("refuses other numbers", function()
    for text, value in pairs {
      ["1.5"] = 1.5, ["1e+300"] = 1e300, ["9.007199254740992e+15"] = 2 ^ 53, infinity = math.huge,
      ["not-a-number"] = 0 / 0,
    } do
      assert.are.equal("payload: expected integer, got " .. text, refusal_of(schema.integer(), value))
    end
    assert.are.equal("payload: expected integer, got string", refusal_of(schema.integer(), "1"))
  end)

  it("has limits", function()
    local age = schema.integer { min = 0, max = 150 }
    assert.are.equal(0, value_of(age, 0))
    assert.are.equal(150, value_of(age, 150))
    assert.are.equal("payload: must be at least 0, is -1", refusal_of(age, -1))
    assert.are.equal("payload: must be at most 150, is 151", refusal_of(age, 151))
    assert.are.equal(-5, value_of(schema.integer { min = -5, max = -1 }, -5))
  end)

  it("knows no minus zero", function()
    assert.are.equal("0", through(schema.integer(), "-0"))
    assert.are.equal("-0", through(schema.number(), "-0"))
  end)
end)

describe("schema.number", function()
  it("takes finite numbers", function()
    for _, good in ipairs { 0, -1.5, 1e300, 5e-324 } do
      assert.are.equal(good, value_of(schema.number(), good))
    end
    assert.are.equal("payload: expected number, got not-a-number", refusal_of(schema.number(), 0 / 0))
    assert.are.equal("payload: expected number, got infinity", refusal_of(schema.number(), -math.huge))
    assert.are.equal("payload: expected number, got boolean", refusal_of(schema.number(), true))
  end)

  it("has limits", function()
    local share = schema.number { min = 0.1, max = 1 }
    assert.are.equal(0.1, value_of(share, 0.1))
    assert.are.equal("payload: must be at least 0.1, is 0.05", refusal_of(share, 0.05))
    assert.are.equal("payload: must be at most 1, is 1.5", refusal_of(share, 1.5))
  end)
end)

describe("schema.int64", function()
  it("refuses what is no integer", function()
    assert.are.equal("payload: expected int64, got 1.5", refusal_of(schema.int64(), 1.5))
    assert.are.equal("payload: expected int64, got string", refusal_of(schema.int64(), "1"))
    assert.are.equal("payload: expected int64, got 9.007199254740992e+15", refusal_of(schema.int64(), 2 ^ 53))
  end)

  if rawget(_G, "jit") then
    local ffi = require "ffi"

    it("gives int64_t, whatever it was given", function()
      for _, value in ipairs { 5, ffi.new("int64_t", 5), ffi.new("uint64_t", 5) } do
        local result = value_of(schema.int64(), value)
        assert.is_true(ffi.istype("int64_t", result))
        assert.are.equal("5LL", tostring(result))
      end
      assert.is_truthy(refusal_of(schema.int64(), ffi.new("uint64_t", 2 ^ 63)):find("expected int64", 1, true))
    end)

    it("is another kind than integer", function()
      assert.are.equal("payload: expected integer, got int64", refusal_of(schema.integer(), ffi.new("int64_t", 5)))
    end)
  end
end)

describe("a number", function()
  it("has limits that it does not reach", function()
    local open = schema.number { exclusive_min = 0, exclusive_max = 1 }
    assert.are.equal(0.5, value_of(open, 0.5))
    assert.are.equal("payload: must be more than 0, is 0", refusal_of(open, 0))
    assert.are.equal("payload: must be less than 1, is 1", refusal_of(open, 1))
  end)

  it("is a multiple as it is written, not as doubles divide", function()
    for _, pair in ipairs {
      { 0.0075, 0.0001 }, { 1.13, 0.01 }, { 1e300, 0.5 }, { 12391239123, 1e-8 }, { -9, 3 }, { 9007199254740990, 1.5 },
      { -0.0, 1.5 }, { 0, 0.1 }, { -59.97, 19.99 }, { 2.5e-310, 5e-311 }, { 0.30000000000000004, 0.30000000000000004 },
    } do
      assert.are.equal(pair[1], value_of(schema.number { multiple_of = pair[2] }, pair[1]))
    end
    for _, pair in ipairs {
      { 9007199254740991, 1.5 }, { -9007199254740991, 2.5 }, { 0.30000000000000004, 0.1 }, { 3.0000000000000004, 1 },
      { 1e300, 0.7 }, { 1e-7, 1e-6 }, { 1.5, 0.30000000000000004 },
    } do
      local ok = schema.number { multiple_of = pair[2] }:validate(pair[1])
      assert.is_nil(ok, ("%.17g of %.17g"):format(pair[1], pair[2]))
    end
    assert.is_nil((schema.from_json_schema { multipleOf = 0.5 }:validate(math.huge)))
    assert.are.equal("payload: must be a multiple of 0.01, is 1.131",
      refusal_of(schema.number { multiple_of = 0.01 }, 1.131))
    assert.are.equal("payload: must be a multiple of 3, is 9007199254740991",
      refusal_of(schema.integer { multiple_of = 3 }, 9007199254740991))
  end)
end)

if rawget(_G, "jit") then
  describe("schema.int64 with limits", function()
    it("compares all 64 bits", function()
      local below = require("ffi").new("int64_t", 2) ^ 62
      local shape = schema.object { n = schema.int64 { min = 0, exclusive_max = below, multiple_of = 5 } }
      assert.are.equal('{"n":4611686018427387900}', through(shape, '{"n":4611686018427387900}'))
      assert.are.equal("payload.n: must be less than 4611686018427387904, is 4611686018427387905",
        json_refusal_of(shape, '{"n":4611686018427387905}'))
      assert.are.equal("payload.n: must be a multiple of 5, is 4611686018427387901",
        json_refusal_of(shape, '{"n":4611686018427387901}'))
      assert.are.equal("payload.n: must be at least 0, is -5", json_refusal_of(shape, '{"n":-5}'))
    end)

    it("is found inside of alternatives, tuples, patterns and what refers to itself", function()
      local wide = schema.int64()
      local list
      list = schema.object { n = wide, next = schema.ref(function() return list end):optional() }
      local shape = schema.object({
        a = schema.any_of { schema.string(), wide }, t = schema.tuple({ schema.string() }, { rest = wide }), l = list,
      }, { pattern_properties = { ["^x"] = wide } })
      local text = '{"a":9007199254740993,"l":{"n":1,"next":{"n":9007199254740993}},"t":["",9007199254740993],'
        .. '"x1":9007199254740993}'
      assert.are.equal(text, through(shape, text))
    end)
  end)
end
