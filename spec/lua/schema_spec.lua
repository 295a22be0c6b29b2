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

describe("schema.string with a format", function()
  local formats = {
    email = { { "a@b.de", "joe.bloggs@example.com", '"a b"@[127.0.0.1]', "a@[IPv6:::1]" },
      { "a", "a@", "@b.de", "a..b@c.de", "a b@c.de", "a@-b.de", "a@b.de\n" } },
    uri = { { "http://a.de/?q#f", "urn:isbn:1", "mailto:a@b.de", "http://[::1]:80/" },
      { "/a", "a", "http://a b", "1a://b", "http://a/%zz", "http://a:x/" } },
    uuid = { { "2eb8aa08-AA98-11ea-b4aa-73b441d16380" }, { "2eb8aa08aa9811eab4aa73b441d16380", "" } },
    date = { { "2024-02-29", "2000-02-29", "0001-12-31" }, { "2023-02-29", "1900-02-29", "2024-13-01", "24-01-01" } },
    time = { { "12:00:00Z", "23:59:60Z", "00:59:60+01:00" }, { "24:00:00Z", "12:00:00", "12:00:60Z" } },
    ["date-time"] = { { "2024-02-29T12:30:00.5Z", "2024-02-28t12:30:00-23:59" },
      { "2024-02-30T12:30:00Z", "2024-02-28 12:30:00Z", "2024-02-28T12:30:00+24:00" } },
    ipv4 = { { "127.0.0.1", "255.255.255.255" }, { "256.0.0.1", "1.2.3", "01.2.3.4", "1.2.3.4.5" } },
    ipv6 = { { "::", "::1", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4" },
      { "1::2::3", "1:2:3:4:5:6:7", "12345::", "fe80::1%eth0" } },
  }
  for format, texts in pairs(formats) do
    it("knows " .. format, function()
      local shape = schema.string { format = format }
      for _, good in ipairs(texts[1]) do
        assert.are.equal(good, value_of(shape, good))
      end
      for _, bad in ipairs(texts[2]) do
        assert.are.equal("payload: is not a valid " .. format, refusal_of(shape, bad))
      end
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
    for _, pair in ipairs { { 0.0075, 0.0001 }, { 1.13, 0.01 }, { 1e300, 0.5 }, { 12391239123, 1e-8 }, { -9, 3 } } do
      assert.are.equal(pair[1], value_of(schema.number { multiple_of = pair[2] }, pair[1]))
    end
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
