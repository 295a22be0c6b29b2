-- mooncrew.schema: objects and maps.

package.path = "./spec/lua/schema/?.lua;" .. package.path

local json = require "mooncrew.json"
local schema = require "mooncrew.schema"
local verdict = require "verdict"

local value_of, refusal_of, through, json_refusal_of
  = verdict.value_of, verdict.refusal_of, verdict.through, verdict.json_refusal_of

describe("schema.object", function()
  local user = schema.object {
    user = schema.object {
      age = schema.integer(),
      name = schema.string():optional(),
      address = schema.object({ city = schema.string() }):optional(),
    },
  }

  it("names the path of what is wrong", function()
    assert.are.equal("payload.user.age: expected integer, got string", json_refusal_of(user, '{"user":{"age":"7"}}'))
    assert.are.equal("payload.user.age: required", json_refusal_of(user, '{"user":{}}'))
    assert.are.equal("payload.user.age: expected integer, got null", json_refusal_of(user, '{"user":{"age":null}}'))
    assert.are.equal("payload.user: required", json_refusal_of(user, "{}"))
    assert.are.equal("payload.user: expected object, got array", json_refusal_of(user, '{"user":[]}'))
    assert.are.equal("payload.user: expected object, got array", refusal_of(user, { user = { 1 } }))
    assert.are.equal("payload.user.address.city: expected string, got number",
      json_refusal_of(user, '{"user":{"age":1,"address":{"city":5}}}'))
    assert.are.equal("payload: expected object, got string", json_refusal_of(user, '"x"'))
    assert.are.equal("payload: expected object, got null", json_refusal_of(user, "null"))
    assert.are.equal("payload: required", refusal_of(user, nil))
    local odd = schema.object { ["a b"] = schema.integer(), ["c\n\"d"] = schema.integer():optional() }
    assert.are.equal('payload["a b"]: required', refusal_of(odd, {}))
    assert.are.equal('payload["c??d"]: expected integer, got string',
      refusal_of(odd, { ["a b"] = 1, ["c\n\"d"] = "x" }))
  end)

  it("gives nil for an optional field that is absent or null", function()
    assert.are.equal('{"user":{"age":1}}', through(user, '{"user":{"age":1}}'))
    assert.are.equal('{"user":{"age":1}}', through(user, '{"user":{"age":1,"name":null,"address":null}}'))
    assert.is_nil(value_of(schema.integer():optional(), nil))
    assert.is_nil(value_of(schema.integer():optional(), json.null))
  end)

  it("refuses unknown fields and guesses what was meant", function()
    assert.are.equal("payload.user.nickname: unknown field",
      json_refusal_of(user, '{"user":{"age":1,"nickname":"x"}}'))
    assert.are.equal('payload.user.nmae: unknown field; did you mean "name"?',
      json_refusal_of(user, '{"user":{"age":1,"nmae":"x"}}'))
    assert.are.equal("payload: a boolean is a key; keys are strings", refusal_of(user, { [true] = 1 }))
    assert.are.equal("payload.aaaa: unknown field", refusal_of(user, { zzzz = 1, aaaa = 2, mmmm = 3 }))
    assert.is_true(#refusal_of(user, { [("x"):rep(1e6)] = 1 }) < 150)
  end)

  it("keeps unknown fields where that is allowed", function()
    local open = schema.object({ a = schema.integer():default(1) }, { allow_unknown = true })
    assert.are.equal('{"a":1,"b":[],"c":null}', through(open, '{"b":[],"c":null}'))
    assert.are.same({ a = 2, b = 3 }, value_of(open, { a = 2, b = 3 }))
  end)

  it("may have very many fields", function()
    local fields, value = {}, {}
    for i = 1, 1000 do
      fields["field_" .. i] = schema.object { x = schema.integer() }
      value["field_" .. i] = { x = i }
    end
    assert.are.same(value, value_of(schema.object(fields), value))
    value.field_500.x = "x"
    assert.are.equal("payload.field_500.x: expected integer, got string", refusal_of(schema.object(fields), value))
  end)
end)

describe("schema.map", function()
  local scores = schema.map(schema.integer { min = 0 })

  it("checks every value", function()
    assert.are.equal('{"a":1,"b c":2}', through(scores, '{"b c":2,"a":1}'))
    assert.are.equal("{}", through(scores, "{}"))
    assert.are.equal('payload["b c"]: must be at least 0, is -1', json_refusal_of(scores, '{"b c":-1}'))
    assert.are.equal("payload.a: expected integer, got null", json_refusal_of(scores, '{"a":null}'))
    assert.are.equal("payload: expected object, got array", json_refusal_of(scores, "[]"))
    assert.are.equal("payload[1]: a number is a key; keys are strings", refusal_of(scores, { 5 }))
    assert.are.equal("payload: expected object, got number", refusal_of(scores, 5))
  end)

  it("drops null where values are optional", function()
    assert.are.equal('{"a":1}', through(schema.map(schema.integer():optional()), '{"a":1,"b":null}'))
  end)
end)

describe("an object", function()
  it("may have fields by pattern and by exclusion", function()
    local shape = schema.object({ a = schema.integer() }, {
      pattern_properties = { ["^x"] = schema.string(), ["y$"] = schema.string { max_length = 1 } },
    })
    assert.are.equal('{"a":1,"xy":"1"}', through(shape, '{"a":1,"xy":"1"}'))
    assert.are.equal("payload.xy: must have at most 1 character, has 2", json_refusal_of(shape, '{"a":1,"xy":"12"}'))
    assert.are.equal("payload.b: unknown field; did you mean \"a\"?", json_refusal_of(shape, '{"a":1,"b":1}'))
    local others = schema.object({ a = schema.integer() }, { additional_properties = schema.boolean() })
    assert.are.equal('{"a":1,"b":true}', through(others, '{"a":1,"b":true}'))
    assert.are.equal("payload.b: expected boolean, got number", json_refusal_of(others, '{"a":1,"b":1}'))
  end)

  it("may be bound as a whole", function()
    local shape = schema.map(schema.any(), { min_properties = 1, max_properties = 2,
      property_names = schema.string { pattern = "^[a-z]+$" } })
    assert.are.equal('{"a":1}', through(shape, '{"a":1}'))
    assert.are.equal("payload: must have at least 1 field, has 0", json_refusal_of(shape, "{}"))
    assert.are.equal("payload: must have at most 2 fields, has 3", json_refusal_of(shape, '{"a":1,"b":2,"c":3}'))
    assert.are.equal("payload.A: the name does not fit: does not match the pattern ^[a-z]+$",
      json_refusal_of(shape, '{"A":1}'))
  end)

  it("may need one field where another is there", function()
    local shape = schema.object({ card = schema.any():optional(), address = schema.any():optional() }, {
      dependent_required = { card = { "address" } },
      dependent_schemas = { address = schema.object({ address = schema.string() }, { allow_unknown = true }) },
    })
    assert.are.equal('{"address":"x","card":1}', through(shape, '{"card":1,"address":"x"}'))
    assert.are.equal("{}", through(shape, '{"card":null}'))
    assert.are.equal("payload.address: required, since card is there", json_refusal_of(shape, '{"card":1}'))
    assert.are.equal("payload.address: expected string, got number", json_refusal_of(shape, '{"address":1}'))
  end)
end)
