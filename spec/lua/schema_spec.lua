-- mooncrew.schema: what every schema can do, what is said of errors, and which definitions are wrong.

package.path = "./spec/lua/schema/?.lua;" .. package.path

local json = require "mooncrew.json"
local schema = require "mooncrew.schema"
local verdict = require "verdict"

local value_of, refusal_of, through, json_refusal_of
  = verdict.value_of, verdict.refusal_of, verdict.through, verdict.json_refusal_of

describe("a default", function()
  it("stands in for what is absent or null", function()
    local shape = schema.object {
      locale = schema.enum({ "en", "fr" }):default("en"), on = schema.boolean():default(false),
    }
    assert.are.equal('{"locale":"en","on":false}', through(shape, "{}"))
    assert.are.equal('{"locale":"en","on":false}', through(shape, '{"locale":null,"on":null}'))
    assert.are.equal('{"locale":"fr","on":true}', through(shape, '{"locale":"fr","on":true}'))
    assert.are.equal("x", value_of(schema.string():default("x"), nil))
  end)

  it("is copied for each use, deeply, and stays an array", function()
    local given = { list = {}, deep = { a = { 1 } } }
    local shape = schema.object {
      x = schema.object({
        list = schema.array(schema.any()), deep = schema.map(schema.array(schema.any())),
      }):default(given),
    }
    local first = value_of(shape, {})
    first.x.list[1] = "changed"
    first.x.deep.a[1] = "changed"
    given.deep.a[1] = "changed"
    assert.are.equal('{"x":{"deep":{"a":[1]},"list":[]}}', json.encode(value_of(shape, {})))
  end)

  it("must fit its schema", function()
    assert.has_error(function() schema.integer():default("x") end,
      "schema.integer: default: expected integer, got string")
    assert.has_error(function() schema.integer():default(nil) end,
      "schema: default needs a value; use :optional() for none")
  end)
end)

describe("a schema", function()
  it("leaves the caller's table as it is", function()
    local shape = schema.object {
      list = schema.array(schema.object { n = schema.integer():default(1) }), map = schema.map(schema.any()),
    }
    local inner = {}
    local given = { list = { inner }, map = {} }
    local result = value_of(shape, given)
    assert.are.equal(1, result.list[1].n)
    assert.is_nil(inner.n)
    assert.is_nil(getmetatable(given.list))
    assert.are_not.equal(given.map, result.map)
  end)

  it("never changes: methods give a new one", function()
    local name = schema.string()
    assert.are.equal("x", value_of(name, "x"))
    local optional = name:optional()
    assert.is_nil(value_of(optional, nil))
    assert.are.equal("payload: required", refusal_of(name, nil))
    assert.are.equal("what one is called", name:describe("what one is called").about)
    assert.is_nil(name.about)
    local fields = { a = schema.integer() }
    local shape = schema.object(fields)
    fields.b = schema.integer()
    assert.are.same({ a = 1 }, value_of(shape, { a = 1 }))
  end)

  it("calls the value by the given name", function()
    assert.are.same({ nil, "options.a: required" }, { schema.object { a = schema.any() }:validate({}, "options") })
    assert.are.same({ nil, "options: expected string, got number" }, { schema.string():decode("1", "options") })
  end)

  it("is told from other values", function()
    assert.is_true(schema.is(schema.any()))
    assert.is_false(schema.is({ kind = "any" }))
    assert.is_false(schema.is(nil))
  end)

  it("gives again what it gave once", function()
    local shape = schema.object {
      a = schema.array(schema.map(schema.number())), b = schema.string():default("x"), c = schema.any():optional(),
    }
    for _, text in ipairs { '{"a":[]}', '{"a":[{},{"x":0.5}],"b":"y","c":[null]}', '{"a":[{}],"c":{}}' } do
      local once = through(shape, text)
      assert.are.equal(once, through(shape, once))
      assert.are.equal(once, json.encode(value_of(shape, select(2, json.decode(text)))))
    end
  end)
end)

describe("the errors of a value", function()
  local shape = schema.object {
    name = schema.string { min_length = 2, pattern = "^[a-z]*$" }, age = schema.integer { min = 18, multiple_of = 2 },
    tags = schema.array(schema.string(), { max_items = 2 }), address = schema.object { city = schema.string() },
    either = schema.any_of { schema.string(), schema.object { x = schema.integer() } }:optional(),
  }

  local function texts(errors)
    local out = {}
    for i, one in ipairs(errors) do
      out[i] = one.path .. ": " .. one.message
    end
    return out
  end

  local ALL = {
    "payload.nmae: unknown field; did you mean \"name\"?",
    "payload.address.city: required",
    "payload.age: must be at least 18, is 7",
    "payload.age: must be a multiple of 2, is 7",
    "payload.either.x: expected integer, got string (alternative 2 of 2, the nearest)",
    "payload.name: must have at least 2 characters, has 1",
    "payload.name: does not match the pattern ^[a-z]*$",
    "payload.tags: must have at most 2 items, has 3",
    "payload.tags[0]: expected string, got number",
    "payload.tags[2]: expected string, got boolean",
  }

  it("are all told, the first of them first", function()
    local text = '{"nmae":1,"name":"A","age":7,"tags":[1,"a",true],"address":{},"either":{"x":"1"}}'
    assert.are.same(ALL, texts(shape:decode_errors(text)))
    assert.are.same(ALL, texts(shape:errors(select(2, json.decode(text)))))
    assert.are.equal(ALL[1], json_refusal_of(shape, text))
  end)

  it("are none when it fits", function()
    assert.are.same({}, shape:errors { name = "ann", age = 18, tags = {}, address = { city = "x" } })
    assert.are.same({}, schema.integer():decode_errors("1"))
  end)

  it("are one where the text is no JSON", function()
    assert.are.same({ { path = "payload", message = "not valid JSON at byte 2: expected a name in double quotes, found "
      .. "the end of the text" } }, shape:decode_errors("{"))
    assert.are.same({ { path = "payload.age", message = "9007199254740993 is an integer that a number cannot hold "
      .. "exactly; declare it as schema.int64(), or send it as a string" } },
      shape:decode_errors('{"age":9007199254740993}'))
    assert.are.equal("the user: data.age", shape:decode_errors('{"age":9007199254740993}', "the user: data")[1].path)
  end)

  it("are a hundred at most", function()
    local list = {}
    for i = 1, 1000 do
      list[i] = "x"
    end
    assert.are.equal(100, #schema.array(schema.integer()):errors(list))
  end)
end)

describe("a large schema", function()
  it("with alternatives that contain themselves is gone through once", function()
    local term
    local list = schema.array(schema.ref(function() return term end))
    term = schema.any_of {
      schema.object { args = list, op = schema.const("and") }, schema.object { args = list, op = schema.const("or") },
      schema.object { args = list, op = schema.const("not") }, schema.integer(),
    }
    local begin, wrap = '{"args":[', { '],"op":"and"}', '],"op":"or"}', '],"op":"not"}' }
    local good, bad, place = "1", '"x"', "payload"
    for i = 1, 60 do
      good, bad = begin .. good .. wrap[i % 3 + 1], begin .. bad .. wrap[i % 3 + 1]
      place = place .. ".args[0]"
    end
    for _, shape in ipairs { term, schema.from_json_schema(term:json_schema()) } do
      local started = os.clock()
      assert.are.equal(good, through(shape, good))
      local message = json_refusal_of(shape, bad)
      assert.are.equal(place .. ": fits none of the 4 alternatives: expected object, got string",
        message:match("^(.-got string)"))
      assert.is_true(os.clock() - started < 2)
    end
  end)

  it("may have thousands of fields, each with much to check", function()
    local fields, value = {}, {}
    for i = 1, 4000 do
      fields["field_" .. i] = schema.string({ min_length = 2, max_length = 9, pattern = "^a", format = "email" })
        :nullable()
      value["field_" .. i] = "ab@c.de"
    end
    local shape = schema.object(fields)
    local by_json_schema = schema.from_json_schema(shape:json_schema())
    for _, one in ipairs { shape, by_json_schema } do
      assert.are.same(value, value_of(one, value))
      value.field_2000 = "b"
      assert.is_truthy(refusal_of(one, value):find("payload.field_2000: must have at least 2 characters", 1, true))
      assert.are.equal(3, #one:errors(value))
      value.field_2000 = "ab@c.de"
    end
  end)

  it("may be nested deeply and have many alternatives", function()
    local deep, text = schema.integer(), "1"
    for _ = 1, 120 do
      deep, text = schema.object { a = deep }, '{"a":' .. text .. "}"
    end
    assert.are.equal(text, through(deep, text))
    local branches = {}
    for i = 1, 2000 do
      branches[i] = schema.object { kind = schema.const(i), value = schema.any() }
    end
    local any = schema.any_of(branches)
    assert.are.equal('{"kind":1999,"value":1}', through(any, '{"kind":1999,"value":1}'))
    assert.are.equal("payload.value: required (alternative 7 of 2000, the nearest)", json_refusal_of(any, '{"kind":7}'))
  end)
end)

describe("a wrong definition", function()
  local cases = {
    ["schema.string: unknown option 'min_lenght', did you mean 'min_length'?"] = function()
      schema.string { min_lenght = 1 }
    end,
    ["schema.string: unknown option '1'"] = function() schema.string { "x" } end,
    ["schema.string: options are a table, got string"] = function() schema.string("x") end,
    ["schema.string: option max_length: expected a whole number, 0 or more, got -1"] = function()
      schema.string { max_length = -1 }
    end,
    ["schema.string: min_length is larger than max_length"] = function()
      schema.string { min_length = 2, max_length = 1 }
    end,
    ['schema.string: pattern "(": missing closing parenthesis at offset 1'] = function()
      schema.string { pattern = "(" }
    end,
    ["schema.integer: option min: expected an integer, got 1.5"] = function() schema.integer { min = 1.5 } end,
    ["schema.number: option max: expected a number, got string"] = function() schema.number { max = "1" } end,
    ["schema.boolean: unknown option 'x'"] = function() schema.boolean { x = 1 } end,
    ["schema.enum: expected a list of values"] = function() schema.enum {} end,
    ["schema.enum: value 2: JSON has no number for infinity or not-a-number"] = function()
      schema.enum { 1, 0 / 0 }
    end,
    ["schema.string: unknown format 'emial', did you mean 'email'?"] = function()
      schema.string { format = "emial" }
    end,
    ["schema.number: option multiple_of: expected a number above 0, got 0"] = function()
      schema.number { multiple_of = 0 }
    end,
    ["schema.const: expected a value; json.null is null"] = function() schema.const() end,
    ["schema.tuple: expected a list of schemas"] = function() schema.tuple {} end,
    ["schema.any_of: expected a list of schemas"] = function() schema.any_of(schema.any()) end,
    ["schema.one_of: schema 1 must be a schema, got string"] = function() schema.one_of { "a" } end,
    ["schema.any_of: schema 2 cannot be optional or have a default; what is made of it can"] = function()
      schema.any_of { schema.any(), schema.any():optional() }
    end,
    ["schema.when: expected a schema besides the condition"] = function() schema.when(schema.any()) end,
    ["schema.ref: expected a function that returns a schema, got table"] = function() schema.ref(schema.any()) end,
    ["schema.array: option contains: expected a schema that is not optional, got string"] = function()
      schema.array(schema.any(), { contains = "x" })
    end,
    ["schema.array: min_contains and max_contains need contains"] = function()
      schema.array(schema.any(), { min_contains = 1 })
    end,
    ["schema.object: option dependent_required: expected a table of lists of fields by field, got table"] = function()
      schema.object({}, { dependent_required = { a = "b" } })
    end,
    ['schema.object: pattern "(": missing closing parenthesis at offset 1'] = function()
      schema.object({}, { pattern_properties = { ["("] = schema.any() } })
    end,
    ["schema.array: the item must be a schema, got nil"] = function() schema.array() end,
    ["schema.array: an item cannot be optional, it would leave a hole"] = function()
      schema.array(schema.any():optional())
    end,
    ["schema.map: the value must be a schema, got table"] = function() schema.map({}) end,
    ["schema.object: expected a table of fields, got nil"] = function() schema.object() end,
    ["schema.object: expected a table of fields, got a schema"] = function() schema.object(schema.any()) end,
    ['schema.object: field "a" must be a schema, got string'] = function() schema.object { a = "string" } end,
    ["schema.object: field names are strings, got 1"] = function() schema.object { schema.any() } end,
    ["schema.object: option allow_unknown: expected true or false, got string"] = function()
      schema.object({}, { allow_unknown = "yes" })
    end,
    ["schema: describe needs a text, got nil"] = function() schema.any():describe() end,
  }
  for message, define in pairs(cases) do
    it("says: " .. message, function()
      assert.has_error(define, message)
    end)
  end

  it("is reported where it stands", function()
    local _, message = pcall(function() schema.string { nonsense = 1 } end)
    assert.is_truthy(message:find("schema_spec.lua:", 1, true))
  end)
end)
