-- schema:json_schema(): what it writes accepts and refuses what the schema does, seen through schema.from_json_schema.

local json = require "mooncrew.json"
local schema = require "mooncrew.schema"

local DIALECT = "https://json-schema.org/draft/2020-12/schema"

local function exported(shape)
  local out = shape:json_schema()
  assert.are.equal(DIALECT, out["$schema"])
  out["$schema"] = nil
  return (json.encode(out))
end

local function open_object(fields)
  return schema.object(fields, { allow_unknown = true })
end

local tree
tree = schema.object { value = schema.any(), children = schema.array(schema.ref(function() return tree end)) }

local referring = schema.from_json_schema { ["$defs"] = { a = { type = "string" } }, ["$ref"] = "#/$defs/a" }

describe("a schema as JSON Schema", function()
  local cases = {
    { schema.string { min_length = 1, max_length = 9, pattern = "^a" },
      '{"maxLength":9,"minLength":1,"pattern":"^a","type":"string"}' },
    { schema.string { format = "email" }, '{"format":"email","type":"string"}' },
    { schema.integer { min = 0, max = 5 }, '{"maximum":5,"minimum":0,"type":"integer"}' },
    { schema.integer(), '{"maximum":9007199254740991,"minimum":-9007199254740991,"type":"integer"}' },
    { schema.integer { exclusive_min = 0, exclusive_max = 9, multiple_of = 3 },
      '{"exclusiveMaximum":9,"exclusiveMinimum":0,"multipleOf":3,"type":"integer"}' },
    { schema.number { min = 0.5 }, '{"minimum":0.5,"type":"number"}' },
    { schema.boolean():describe("on or off"), '{"description":"on or off","type":"boolean"}' },
    { schema.int64 { max = 5 }, '{"format":"int64","maximum":5,"type":"integer"}' },
    { schema.null(), '{"type":"null"}' },
    { schema.any():optional(), "{}" },
    { schema.enum({ "a", 1, false }):default("a"), '{"default":"a","enum":["a",1,false,null]}' },
    { schema.const { a = 1 }, '{"const":{"a":1}}' },
    { schema.string():nullable(), '{"type":["string","null"]}' },
    { schema.const(1):optional(), '{"anyOf":[{"const":1},{"type":"null"}]}' },
    { schema.array(schema.boolean(), { min_items = 1, max_items = 2, unique_items = true }):default { true },
      '{"default":[true],"items":{"type":"boolean"},"maxItems":2,"minItems":1,"type":["array","null"],'
      .. '"uniqueItems":true}' },
    { schema.array(schema.any(), { contains = schema.null(), min_contains = 0, max_contains = 1 }),
      '{"contains":{"type":"null"},"items":{},"maxContains":1,"minContains":0,"type":"array"}' },
    { schema.tuple { schema.any(), schema.null() },
      '{"items":false,"minItems":2,"prefixItems":[{},{"type":"null"}],"type":"array"}' },
    { schema.tuple({ schema.any() }, { rest = schema.null() }),
      '{"items":{"type":"null"},"minItems":1,"prefixItems":[{}],"type":"array"}' },
    { schema.map(schema.number(), { max_properties = 3, property_names = schema.string { max_length = 2 } }),
      '{"additionalProperties":{"type":"number"},"maxProperties":3,"propertyNames":{"maxLength":2,"type":"string"},'
      .. '"type":"object"}' },
    { schema.object { b = schema.boolean(), a = schema.any(), c = schema.string():optional() },
      '{"additionalProperties":false,"properties":{"a":{},"b":{"type":"boolean"},"c":{"type":["string","null"]}},'
      .. '"required":["a","b"],"type":"object"}' },
    { open_object {}, '{"properties":{},"type":"object"}' },
    { schema.object({}, { additional_properties = schema.null(), pattern_properties = { ["^a"] = schema.any() } }),
      '{"additionalProperties":{"type":"null"},"patternProperties":{"^a":{}},"properties":{},"type":"object"}' },
    { schema.one_of { schema.null(), schema.boolean() }, '{"oneOf":[{"type":"null"},{"type":"boolean"}]}' },
    { schema.any_of { schema.null() }, '{"anyOf":[{"type":"null"}]}' },
    { schema.all_of { schema.any() }, '{"allOf":[{}]}' },
    { schema.not_(schema.null()), '{"not":{"type":"null"}}' },
    { schema.when(schema.null(), schema.any(), schema.boolean()),
      '{"else":{"type":"boolean"},"if":{"type":"null"},"then":{}}' },
    { tree, '{"additionalProperties":false,"properties":{"children":{"items":{"$ref":"#"},"type":"array"},"value":{}},'
      .. '"required":["children","value"],"type":"object"}' },
    { schema.array(tree), '{"$defs":{"recursive1":{"additionalProperties":false,"properties":{"children":{"items":'
      .. '{"$ref":"#/$defs/recursive1"},"type":"array"},"value":{}},"required":["children","value"],"type":"object"}},'
      .. '"items":{"additionalProperties":false,"properties":{"children":{"items":{"$ref":"#/$defs/recursive1"},'
      .. '"type":"array"},"value":{}},"required":["children","value"],"type":"object"},"type":"array"}' },
    { schema.array(referring), '{"items":{"$defs":{"a":{"type":"string"}},"$id":"urn:mooncrew:schema1",'
      .. '"$ref":"#/$defs/a"},"type":"array"}' },
  }
  for _, case in ipairs(cases) do
    it("is " .. case[2], function()
      assert.are.equal(case[2], exported(case[1]))
      schema.from_json_schema(case[1]:json_schema())
    end)
  end

  it("writes 64-bit limits exactly", function()
    if rawget(_G, "jit") then
      local ffi = require "ffi"
      local most = ffi.new("int64_t", 2) ^ 62
      local out = schema.int64({ max = most }):json_schema()
      assert.are.equal("4611686018427387904", json.encode(out.maximum))
      local back = schema.from_json_schema(out)
      assert.is_true(back:validate(most))
      assert.is_nil((back:validate(most + 1)))
    end
  end)

  it("gives back what it was read from", function()
    local source = { type = "object", properties = { a = { ["$ref"] = "#" } }, ["x-own"] = { 1 }, title = "a" }
    local out = schema.from_json_schema(source):json_schema()
    source["$schema"] = DIALECT
    assert.are.same(source, out)
    assert.are.equal('{"not":{}}', exported(schema.from_json_schema(false)))
  end)
end)

-- ---- random schemas, random values ----

local random = math.random
local random_schema -- forward: schemas hold schemas

local function pick(list)
  return list[random(#list)]
end

local NAMES, TEXTS = { "a", "b", "c", "xa" }, { "", "a", "b", "ab", "éé", "2024-02-30", "2024-02-29", "a@b.de" }

local function some_fields(depth)
  local fields = {}
  for _, name in ipairs(NAMES) do
    if random(2) == 1 then
      local field = random_schema(depth - 1)
      fields[name] = random(3) == 1 and field:optional() or random(6) == 1 and field:nullable() or field
    end
  end
  return fields
end

local scalars = {
  function() return schema.string { min_length = random(0, 1), max_length = random(1, 3) } end,
  function() return schema.string { pattern = pick { "^a", "b$", "é" } } end,
  function() return schema.string { format = pick { "date", "email" } } end,
  function() return schema.integer { min = random(-2, 0), max = random(0, 3) } end,
  function() return schema.integer { multiple_of = random(1, 3), exclusive_min = random(-3, 0) } end,
  function() return schema.integer() end,
  function() return schema.number { exclusive_max = 1.5 } end,
  function() return schema.number { multiple_of = 0.5 } end,
  function() return schema.int64 { min = -1 } end,
  function() return schema.boolean() end,
  function() return schema.null() end,
  function() return schema.any() end,
  function() return schema.enum { "a", 1, json.null, { a = 1 }, json.array {} } end,
  function() return schema.const(pick { "a", 1, true, { 1 } }) end,
  function() return referring end,
  function() return tree end,
}

local function random_list(depth)
  local list = {}
  for i = 1, random(3) do
    list[i] = random_schema(depth - 1)
  end
  return list
end

local compounds = {
  function(depth) return schema.array(random_schema(depth - 1), { max_items = random(3) }) end,
  function(depth) return schema.array(schema.any(), { unique_items = true, contains = random_schema(depth - 1) }) end,
  function(depth) return schema.tuple(random_list(depth)) end,
  function(depth) return schema.tuple(random_list(depth), { rest = random_schema(depth - 1) }) end,
  function(depth) return schema.object(some_fields(depth)) end,
  function(depth) return open_object(some_fields(depth)) end,
  function(depth)
    return schema.object(some_fields(depth), { pattern_properties = { ["^x"] = random_schema(depth - 1) } })
  end,
  function(depth)
    return schema.object(some_fields(depth), { additional_properties = random_schema(depth - 1),
      dependent_required = { a = { "b" } } })
  end,
  function() return schema.object({}, { allow_unknown = true, dependent_schemas = {
    a = open_object { b = schema.any() } }, min_properties = random(0, 2) }) end,
  function(depth)
    return schema.map(random_schema(depth - 1), { property_names = schema.string { max_length = 1 } })
  end,
  function(depth) return schema.any_of(random_list(depth)) end,
  function(depth) return schema.one_of(random_list(depth)) end,
  function(depth) return schema.not_(random_schema(depth - 1)) end,
  function(depth)
    return schema.when(random_schema(depth - 1), random_schema(depth - 1), random_schema(depth - 1))
  end,
}

random_schema = function(depth)
  return pick(depth > 0 and random(3) > 1 and compounds or scalars)(depth)
end

local random_value -- forward: values hold values

local value_makers = {
  function() return pick(TEXTS) end,
  function() return random(-2, 4) end,
  function() return pick { 0.5, 1.25, 2 ^ 53, -1e300 } end,
  function() return random(2) == 1 end,
  function() return json.null end,
  function(depth)
    local list = json.array {}
    for i = 1, depth > 0 and random(0, 3) or 0 do
      list[i] = random_value(depth - 1)
    end
    return list
  end,
  function(depth)
    local object = {}
    for _, name in ipairs(NAMES) do
      object[name] = depth > 0 and random(2) == 1 and random_value(depth - 1) or nil
    end
    return object
  end,
}

random_value = function(depth)
  return pick(value_makers)(depth)
end

describe("random schemas", function()
  it("accept and refuse the same by their JSON Schema, and list errors just when they refuse", function()
    math.randomseed(20240229)
    local accepted = 0
    for _ = 1, 400 do
      local shape = random_schema(3)
      local description = shape:json_schema()
      local ok, text = json.encode(description)
      local read_back = schema.from_json_schema(select(2, json.decode(assert(ok, text))))
      for _ = 1, 25 do
        local value = assert(json.encode(random_value(3)))
        local by_schema, message = shape:decode(value)
        local about = ("%s by %s: %s"):format(value, ok, tostring(message))
        assert.are.equal(by_schema, (read_back:decode(value)), about)
        assert.are.equal(by_schema ~= true, #shape:decode_errors(value) > 0, about)
        assert.are.equal(by_schema ~= true, #read_back:decode_errors(value) > 0, about)
        accepted = accepted + (by_schema and 1 or 0)
      end
    end
    assert.is_true(accepted > 1000, accepted)
  end)
end)
