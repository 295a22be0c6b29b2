-- mooncrew.schema: which values fit, which do not, and what is said of them.

local json = require "mooncrew.json"
local schema = require "mooncrew.schema"

local function value_of(shape, value)
  local ok, result = shape:validate(value)
  assert.is_true(ok, result)
  return result
end

local function refusal_of(shape, value)
  local ok, message = shape:validate(value)
  assert.is_nil(ok)
  return message
end

-- What a JSON text becomes, as JSON again.
local function through(shape, text)
  local ok, result = shape:decode(text)
  assert.is_true(ok, result)
  return (json.encode(result))
end

local function json_refusal_of(shape, text)
  local ok, message = shape:decode(text)
  assert.is_nil(ok)
  return message
end

describe("schema.string", function()
  it("counts characters", function()
    local short = schema.string { min_length = 2, max_length = 3 }
    for _, good in ipairs { "ab", "abc", "éé", "😀😀😀" } do
      assert.are.equal(good, value_of(short, good))
    end
    assert.are.equal("payload: must have at least 2 characters, has 1", refusal_of(short, "a"))
    assert.are.equal("payload: must have at least 2 characters, has 1", refusal_of(short, "😀"))
    assert.are.equal("payload: must have at most 3 characters, has 4", refusal_of(short, "😀😀😀😀"))
    assert.are.equal("payload: must have at least 1 character, has 0", refusal_of(schema.string { min_length = 1 }, ""))
    assert.are.equal("", value_of(schema.string(), ""))
  end)

  it("searches for a regular expression", function()
    local hex = schema.string { pattern = "^[0-9a-f]+$" }
    assert.are.equal("0af", value_of(hex, "0af"))
    assert.are.equal("payload: does not match the pattern ^[0-9a-f]+$", refusal_of(hex, "0AF"))
    assert.are.equal("payload: does not match the pattern ^[0-9a-f]+$", refusal_of(hex, "0af\n"))
    assert.are.equal("x%s7", value_of(schema.string { pattern = [[%s\d"?]] }, "x%s7"))
  end)

  it("refuses a text on which the pattern would not end", function()
    local message = refusal_of(schema.string { pattern = "^(a+)+$" }, ("a"):rep(5000) .. "!")
    assert.is_truthy(message:find("^payload: the search was given up"))
  end)

  it("refuses other kinds", function()
    for kind, value in pairs { number = 1, boolean = true, object = {}, array = { 1 }, null = json.null } do
      assert.are.equal("payload: expected string, got " .. kind, refusal_of(schema.string(), value))
    end
    assert.are.equal("payload: expected string, got function", refusal_of(schema.string(), print))
  end)
end)

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

describe("schema.any", function()
  it("takes everything, null too", function()
    local shape = schema.object { x = schema.any(), y = schema.any():optional() }
    assert.are.equal('{"x":null}', through(shape, '{"x":null,"y":null}'))
    assert.are.equal('{"x":[[],{}],"y":false}', through(shape, '{"x":[[],{}],"y":false}'))
    assert.are.equal("payload.x: required", json_refusal_of(shape, "{}"))
  end)
end)

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
