-- mooncrew.schema: single values: booleans, enums, constants, null, and whatever there is.

package.path = "./spec/lua/schema/?.lua;" .. package.path

local json = require "mooncrew.json"
local schema = require "mooncrew.schema"
local verdict = require "verdict"

local value_of, refusal_of, through, json_refusal_of
  = verdict.value_of, verdict.refusal_of, verdict.through, verdict.json_refusal_of

describe("schema.boolean", function()
  it("takes true and false alone", function()
    assert.is_true(value_of(schema.boolean(), true))
    assert.is_false(value_of(schema.boolean(), false))
    assert.are.equal("payload: expected boolean, got number", refusal_of(schema.boolean(), 0))
  end)
end)

describe("schema.enum", function()
  it("takes the listed values alone", function()
    local enum = schema.enum { "en", "fr", 3, false }
    for _, good in ipairs { "en", "fr", 3, false } do
      assert.are.equal(good, value_of(enum, good))
    end
    assert.are.equal('payload: expected one of "en", "fr", 3, false', refusal_of(enum, "de"))
    assert.are.equal('payload: expected one of "en", "fr", 3, false', refusal_of(enum, "3"))
    assert.are.equal('payload: expected one of "en", "fr", 3, false', refusal_of(enum, 0 / 0))
  end)
end)

describe("schema.any", function()
  it("takes everything, null too", function()
    local shape = schema.object { x = schema.any(), y = schema.any():optional() }
    assert.are.equal('{"x":null}', through(shape, '{"x":null,"y":null}'))
    assert.are.equal('{"x":[[],{}],"y":false}', through(shape, '{"x":[[],{}],"y":false}'))
    assert.are.equal("payload.x: required", json_refusal_of(shape, "{}"))
  end)
end)

describe("schema.enum and schema.const", function()
  it("take any JSON", function()
    local shape = schema.enum { json.null, { a = { 1 } }, json.array {}, "x" }
    for _, text in ipairs { "null", '{"a":[1]}', "[]", '"x"' } do
      assert.are.equal(text, through(shape, text))
    end
    assert.are.equal('payload: expected one of null, {"a":[1]}, [], "x"', json_refusal_of(shape, '{"a":[1],"b":1}'))
    assert.are.equal('payload: expected {"kind":"cat"}', json_refusal_of(schema.const { kind = "cat" }, "{}"))
    assert.are.equal("null", through(schema.const(json.null), "null"))
  end)

  it("shows but the beginning of a long list", function()
    local values = {}
    for i = 1, 10000 do
      values[i] = "value " .. i
    end
    local shape = schema.enum(values)
    assert.are.equal("value 9999", value_of(shape, "value 9999"))
    local message = refusal_of(shape, "value 0")
    assert.is_true(#message < 400, message)
    assert.is_truthy(message:find("… (10000 in all)", 1, true), message)
  end)
end)

describe("null", function()
  it("is kept where it is a value", function()
    local shape = schema.object { a = schema.string():nullable(), b = schema.null(),
      c = schema.integer():nullable():optional(), d = schema.boolean():nullable():default(true) }
    assert.are.equal('{"a":null,"b":null,"d":true}', through(shape, '{"a":null,"b":null}'))
    assert.are.equal('{"a":"x","b":null,"c":null,"d":null}', through(shape, '{"a":"x","b":null,"c":null,"d":null}'))
    assert.are.equal("payload.a: required", json_refusal_of(shape, '{"b":null}'))
    assert.are.equal("payload.a: expected object, got null",
      json_refusal_of(schema.object { a = schema.map(schema.any()) }, '{"a":null}'))
    assert.are.equal("payload.b: expected null, got number", json_refusal_of(shape, '{"a":null,"b":0}'))
  end)

  it("fits containers that are nullable, as alternatives and where they are referred to, too", function()
    local list = schema.array(schema.any()):nullable()
    local object = schema.object({}, { allow_unknown = true }):nullable()
    local refer = schema.ref(function() return list end)
    for _, shape in ipairs { list, refer, schema.any_of { schema.string(), list },
      schema.one_of { list, schema.string() },
      schema.all_of { object, object }, schema.when(schema.null(), list), schema.not_(schema.not_(object)),
      schema.any_of { schema.string(), refer } } do
      assert.are.equal("null", through(shape, "null"))
      assert.is_true((schema.from_json_schema(shape:json_schema()):decode("null")))
    end
    assert.are.equal("[null]", through(schema.array(schema.any(), { contains = object }), "[null]"))
    assert.are.equal("payload: expected array, got number", json_refusal_of(refer, "5"))
  end)
end)
