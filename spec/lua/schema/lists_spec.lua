-- mooncrew.schema: arrays and tuples.

package.path = "./spec/lua/schema/?.lua;" .. package.path

local json = require "mooncrew.json"
local schema = require "mooncrew.schema"
local verdict = require "verdict"

local value_of, refusal_of, through, json_refusal_of
  = verdict.value_of, verdict.refusal_of, verdict.through, verdict.json_refusal_of

describe("schema.array", function()
  local numbers = schema.array(schema.number(), { min_items = 1, max_items = 3 })

  it("checks its items and names the wrong one, counting from 0", function()
    assert.are.same({ 1, 2 }, value_of(numbers, { 1, 2 }))
    assert.are.equal("payload[1]: expected number, got string", refusal_of(numbers, { 1, "2" }))
    assert.are.equal("payload[0]: expected number, got null", refusal_of(numbers, { json.null }))
    assert.are.equal("payload[0][1]: expected number, got boolean",
      refusal_of(schema.array(numbers), { { 1, true } }))
  end)

  it("counts its items", function()
    assert.are.equal("payload: must have at least 1 item, has 0", refusal_of(numbers, {}))
    assert.are.equal("payload: must have at most 3 items, has 4", refusal_of(numbers, { 1, 2, 3, 4 }))
  end)

  it("stays an array when it is empty", function()
    local list = schema.array(schema.any())
    assert.are.equal("[]", json.encode(value_of(list, {})))
    assert.are.equal("[]", through(list, "[]"))
    assert.are.equal("[]", json.encode(value_of(list, json.array {})))
  end)

  it("refuses objects", function()
    local list = schema.array(schema.any())
    assert.are.equal("payload: expected array, got object", json_refusal_of(list, "{}"))
    assert.are.equal("payload: expected array, got object", json_refusal_of(list, '{"a":1}'))
    assert.are.equal("payload: expected array, got object", refusal_of(list, { a = 1 }))
    assert.are.equal("payload: expected array, got string", refusal_of(list, "x"))
    assert.are.equal("payload: expected array, got a table with items and the key .a", refusal_of(list, { 1, a = 3 }))
    assert.are.equal("payload: expected array, got a table with holes", refusal_of(list, { 1, [3] = 2 }))
  end)

  it("fills in defaults of its items", function()
    assert.are.equal("[1,7]", through(schema.array(schema.integer():default(7)), "[1,null]"))
  end)
end)

describe("an array", function()
  it("may have to differ in all its items", function()
    local set = schema.array(schema.any(), { unique_items = true })
    assert.are.equal('[1,"1",true,{"a":1,"b":2},{"a":1},[1],[[1]],null,0]',
      through(set, '[1,"1",true,{"a":1,"b":2},{"a":1},[1],[[1]],null,0]'))
    assert.are.equal("payload: items 0 and 2 are equal, and must differ",
      json_refusal_of(set, '[{"a":1,"b":[2]},1,{"b":[2.0],"a":1}]'))
    assert.are.equal("payload: items 0 and 1 are equal, and must differ", json_refusal_of(set, "[0,-0]"))
  end)

  it("may have to contain something", function()
    local shape = schema.array(schema.any(), { contains = schema.string(), max_contains = 2 })
    assert.are.equal('[1,"a"]', through(shape, '[1,"a"]'))
    assert.are.equal("payload: must have at least 1 item that fit `contains`, has 0", json_refusal_of(shape, "[1]"))
    assert.are.equal("payload: must have at most 2 items that fit `contains`, has 3",
      json_refusal_of(shape, '["a","b","c"]'))
  end)

  it("may have a schema for each place", function()
    local pair = schema.tuple { schema.string(), schema.integer():default(7) }
    assert.are.equal('["a",1]', through(pair, '["a",1]'))
    assert.are.equal('["a",7]', through(pair, '["a",null]'))
    assert.are.equal("payload: must have 2 items, has 1", json_refusal_of(pair, '["a"]'))
    assert.are.equal("payload[0]: expected string, got number", json_refusal_of(pair, "[1,1]"))
    local open = schema.tuple({ schema.string() }, { rest = schema.boolean() })
    assert.are.equal('["a",true]', through(open, '["a",true]'))
    assert.are.equal("payload[2]: expected boolean, got number", json_refusal_of(open, '["a",true,1]'))
    assert.are.equal("payload: must have at least 1 item, has 0", json_refusal_of(open, "[]"))
  end)
end)
