-- Schemas that lead back to themselves through alternatives: what a value costs grows with its depth, not as 2 to the
-- power of it. Work is counted in instructions of Lua, so that a busy machine changes nothing.

local json = require "mooncrew.json"
local schema = require "mooncrew.schema"

local DEPTH = 120 -- JSON may be nested 128 deep
local LIMIT = 30e6 -- instructions; each step of the depth would double some thousands

-- Calls a function; raises when it works too long.
local function within_limit(run, ...)
  if jit then
    jit.off()
  end
  debug.sethook(function()
    debug.sethook()
    error("worked too long", 2)
  end, "", LIMIT)
  local results = { pcall(run, ...) }
  debug.sethook()
  if jit then
    jit.on()
  end
  assert.is_true(results[1], results[2])
  return unpack(results, 2, 4)
end

-- {"next":{"next":…}}, with `fields` in each, and in the innermost what is to end it.
local function nested(fields, innermost)
  return ('{%s"next":'):format(fields):rep(DEPTH) .. innermost .. ("}"):rep(DEPTH)
end

local function accept(shape, text)
  local ok, value = within_limit(shape.decode, shape, text)
  assert.is_true(ok, value)
  local decoded = select(2, json.decode(text))
  assert.is_true((within_limit(shape.validate, shape, decoded)))
  return value
end

local function refuse(shape, text)
  local ok, message = within_limit(shape.decode, shape, text)
  assert.is_nil(ok)
  local errors = within_limit(shape.decode_errors, shape, text)
  assert.is_true(#errors > 0)
  return message, errors
end

local function recursive(make)
  local node
  node = make(schema.ref(function() return node end))
  return node
end

local INT, TEXT = schema.integer(), schema.string()

-- Two objects that hold the same, and differ in what is looked at last.
local function alternatives(combine)
  return recursive(function(me)
    local function object(last)
      return schema.object { next = me:optional(), z = schema.array(last):optional() }
    end
    return combine { object(INT), object(TEXT) }
  end)
end

describe("a schema that leads back to itself", function()
  it("through any_of costs what the depth is", function()
    local shape = alternatives(schema.any_of)
    local value = accept(shape, nested('"z":["a"],', '{"z":["a"]}'))
    assert.are.same({ "a" }, value.next.next.z)
    local message = refuse(shape, nested('"z":["a"],', '{"z":[1,"a"]}'))
    assert.is_truthy(message:find("payload.next", 1, true), message)
    refuse(shape, nested('"z":[1],', '{"z":true}'))
  end)

  it("through one_of costs what the depth is", function()
    local shape = alternatives(schema.one_of)
    accept(shape, nested('"z":["a"],', '{"z":["a"]}'))
    refuse(shape, nested('"z":["a"],', '{"z":[true]}'))
    refuse(shape, nested('"z":["a"],', "{}")) -- which fits both
  end)

  it("through all_of completes each part once", function()
    local shape = recursive(function(me)
      local function part(name)
        return schema.object({ next = me:optional(), [name] = schema.integer():default(7) }, { allow_unknown = true })
      end
      return schema.all_of { part "a", part "b" }
    end)
    local value = accept(shape, nested("", "{}"))
    assert.are.same({ 7, 7 }, { value.next.next.a, value.next.next.b })
    local message, errors = refuse(shape, nested("", '{"a":"x"}'))
    assert.are.equal("payload" .. (".next"):rep(DEPTH) .. ".a: expected integer, got string", message)
    assert.are.equal(1, #errors)
  end)

  it("through not and when costs what the depth is", function()
    local shape = recursive(function(me)
      local open = schema.object({ next = me:optional() }, { allow_unknown = true })
      local refused = schema.object({ next = me, bad = schema.const(true) }, { allow_unknown = true })
      return schema.all_of { schema.not_(refused), schema.when(open, open, schema.null()) }
    end)
    accept(shape, nested("", "{}"))
    accept(shape, nested('"bad":false,', '{"bad":true}'))
    refuse(shape, nested('"bad":true,', "{}"))
    refuse(shape, nested("", "1"))
  end)

  it("keeps what alternatives and arrays do to a value", function()
    local shape = recursive(function(me)
      local function node(last)
        return schema.object { list = schema.array(TEXT):default({}), big = schema.int64():optional(),
          next = me:optional(), z = last }
      end
      return schema.any_of { node(INT), node(TEXT:default("text")) }
    end)
    local ok, value = within_limit(shape.decode, shape, nested('"big":9007199254740993,', '{"z":1}'))
    assert.is_true(ok, value)
    assert.are.same({ "text", "text" }, { value.z, value.next.z })
    assert.is_true(json.is_array(value.next.list))
    local last = value
    while last.next do
      last = last.next
    end
    assert.are.equal(1, last.z)
    assert.is_truthy(json.encode(value):find('"big":9007199254740993', 1, true))
  end)

  it("forgets a value when it is done with it", function()
    local shape = alternatives(schema.any_of)
    local value = { next = { z = { "a" } } }
    assert.is_true((shape:validate(value)))
    value.next.z[1] = true
    assert.is_nil((shape:validate(value)))
    value.next.z[1] = 1
    assert.is_true((shape:validate(value)))
    assert.are.equal(0, #shape:errors(value))
  end)
end)

describe("a JSON Schema that leads back to itself", function()
  local function read(description)
    return schema.from_json_schema { ["$ref"] = "#/$defs/node", ["$defs"] = { node = description } }
  end

  local function object(last)
    return { type = "object", properties = { next = { ["$ref"] = "#/$defs/node" }, z = { items = { type = last } } } }
  end

  for _, keyword in ipairs { "anyOf", "oneOf" } do
    it("through " .. keyword .. " costs what the depth is", function()
      local shape = read { [keyword] = { object "integer", object "string" } }
      accept(shape, nested('"z":["a"],', '{"z":["a"]}'))
      refuse(shape, nested('"z":["a"],', '{"z":[true]}'))
      refuse(shape, nested('"z":["a"],', "3"))
    end)
  end

  it("through allOf and patterns beside names costs what the depth is", function()
    local me = { ["$ref"] = "#/$defs/node" }
    local shape = read { type = "object", allOf = {
      { properties = { next = me }, patternProperties = { ["^nex"] = me } },
      { properties = { next = me, n = { format = "int64", type = "integer" } } },
    } }
    accept(shape, nested("", '{"n":7}'))
    local _, errors = refuse(shape, nested("", "[]"))
    assert.are.equal("payload" .. (".next"):rep(DEPTH), errors[1].path)
    assert.are.equal(1, #errors)
  end)

  it("through not, if and dependentSchemas costs what the depth is", function()
    local me = { ["$ref"] = "#/$defs/node" }
    local follows = { properties = { next = me }, required = { "next" } }
    local twice_not = { properties = { next = { ["not"] = { ["not"] = me } } } }
    local shape = read { type = "object", ["if"] = follows, ["then"] = follows, dependentSchemas = { next = twice_not },
      ["not"] = { required = { "bad" }, properties = { next = me } } }
    accept(shape, nested("", "{}"))
    refuse(shape, nested("", '{"bad":1}'))
  end)

  it("through unevaluatedProperties costs what the depth is", function()
    local shape = read { type = "object", unevaluatedProperties = false,
      anyOf = { object "integer", object "string" } }
    accept(shape, nested('"z":["a"],', '{"z":["a"]}'))
    refuse(shape, nested('"z":["a"],', '{"y":1}'))
  end)
end)
