-- mooncrew.schema: schemas that are made of schemas.

package.path = "./spec/lua/schema/?.lua;" .. package.path

local schema = require "mooncrew.schema"
local verdict = require "verdict"

local value_of, refusal_of, through, json_refusal_of
  = verdict.value_of, verdict.refusal_of, verdict.through, verdict.json_refusal_of

describe("schemas of schemas", function()
  local cat = schema.object { kind = schema.const("cat"), lives = schema.integer { max = 9 }:default(9) }
  local dog = schema.object { kind = schema.const("dog"), name = schema.string() }
  local pet = schema.one_of { cat, dog:describe("a dog") }

  it("take any, one, all or none of them", function()
    local any = schema.any_of { schema.string { min_length = 3 }, schema.integer(), schema.null() }
    for _, text in ipairs { '"abc"', "1", "null" } do
      assert.are.equal(text, through(any, text))
    end
    local one = schema.one_of { schema.integer { multiple_of = 2 }, schema.integer { multiple_of = 3 } }
    assert.are.equal("4", through(one, "4"))
    assert.are.equal("payload: fits the alternatives 1 and 2, and must fit only one", json_refusal_of(one, "6"))
    local open = { allow_unknown = true }
    local all = schema.all_of { schema.object({ a = schema.integer():default(1) }, open),
      schema.object({ b = schema.integer():default(2) }, open) }
    assert.are.equal('{"a":1,"b":2,"c":3}', through(all, '{"c":3}'))
    assert.are.equal("payload.b: expected integer, got string", json_refusal_of(all, '{"b":"x"}'))
    assert.are.equal("1", through(schema.not_(schema.string()), "1"))
    assert.are.equal("payload: fits what it must not fit", json_refusal_of(schema.not_(schema.string()), '"a"'))
  end)

  it("give what the fitting one makes of the value", function()
    assert.are.equal('{"kind":"cat","lives":9}', through(pet, '{"kind":"cat"}'))
    local given = { kind = "cat" }
    assert.are.same({ kind = "cat", lives = 9 }, value_of(pet, given))
    assert.are.same({ kind = "cat" }, given)
  end)

  it("say which one came nearest", function()
    assert.are.equal("payload.name: required (alternative 2 of 2, a dog, the nearest)",
      json_refusal_of(pet, '{"kind":"dog"}'))
    assert.are.equal("payload.lives: must be at most 9, is 10 (alternative 1 of 2, the nearest)",
      json_refusal_of(pet, '{"kind":"cat","lives":10}'))
    assert.are.equal('payload.kind: fits none of the 2 alternatives: expected "cat"; or expected "dog"',
      json_refusal_of(pet, '{"kind":"cow"}'))
    assert.are.equal("payload: fits none of the 2 alternatives: expected object, got number", json_refusal_of(pet, "5"))
  end)

  it("go by a condition", function()
    local is_card = schema.object({ by = schema.const("card") }, { allow_unknown = true })
    local payment = schema.when(is_card, schema.object { by = schema.any(), number = schema.string() },
      schema.object { by = schema.any() })
    assert.are.equal('{"by":"card","number":"1"}', through(payment, '{"by":"card","number":"1"}'))
    assert.are.equal("payload.number: required", json_refusal_of(payment, '{"by":"card"}'))
    assert.are.equal("payload.number: unknown field", json_refusal_of(payment, '{"by":"cash","number":"1"}'))
  end)

  it("may contain themselves", function()
    local tree
    tree = schema.object { n = schema.integer(),
      kids = schema.array(schema.ref(function() return tree end)):default({}) }
    assert.are.equal('{"kids":[{"kids":[],"n":2}],"n":1}', through(tree, '{"n":1,"kids":[{"n":2}]}'))
    assert.are.equal("payload.kids[0].kids[0].n: required",
      json_refusal_of(tree, '{"n":1,"kids":[{"n":1,"kids":[{}]}]}'))
    local endless = { n = 1 }
    endless.kids = { endless }
    assert.are.equal("payload: nested deeper than 128 levels, or contains itself", refusal_of(tree, endless))
  end)

  it("are optional by themselves, not by what they stand for", function()
    for _, target in ipairs { schema.string():optional(), schema.object {}:default {} } do
      local refer = schema.ref(function() return target end)
      assert.has_error(function() refer:validate(5) end,
        "schema.ref: the schema of its function cannot be optional or have a default; the reference can")
    end
  end)

  it("are refused when they would never end", function()
    local loop
    loop = schema.any_of { schema.string(), schema.ref(function() return loop end) }
    assert.has_error(function() loop:validate(5) end,
      "schema.ref: the schema leads back to itself without going into the value")
  end)
end)
