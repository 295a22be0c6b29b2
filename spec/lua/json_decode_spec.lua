-- mooncrew.json, reading: what is accepted, what is refused, and in which words.

local json = require "mooncrew.json"
local schema = require "mooncrew.schema"

local function value_of(text, ...)
  local ok, value = json.decode(text, ...)
  assert.is_true(ok, value)
  return value
end

local function refusal_of(text, ...)
  local ok, message = json.decode(text, ...)
  assert.is_nil(ok)
  return message
end

local function nested(levels)
  return ("["):rep(levels) .. ("]"):rep(levels)
end

describe("json.decode", function()
  it("reads every kind of value", function()
    local value = value_of(' { "s": "x\\u00e9\\n", "i": -12, "f": 0.1, "t": true, "n": null, "a": [1, [2]], "o": {} } ')
    assert.are.equal("xé\n", value.s)
    assert.are.equal(-12, value.i)
    assert.are.equal(0.1, value.f)
    assert.is_true(value.t)
    assert.are.equal(json.null, value.n)
    assert.are.same({ 1, { 2 } }, value.a)
    assert.are.same({}, value.o)
    assert.are.equal(json.null, value_of("null"))
    assert.are.equal("x", value_of('"x"'))
  end)

  it("keeps large integers exactly", function()
    assert.are.equal("1700000000123456", ("%.0f"):format(value_of("1700000000123456")))
    assert.are.equal(9007199254740991, value_of("9007199254740991"))
    assert.are.equal(-9007199254740991, value_of("-9007199254740991"))
  end)

  it("keeps the sign of minus zero", function()
    assert.are.equal(-math.huge, 1 / value_of("-0"))
  end)

  it("tells an empty array from an empty object", function()
    assert.is_true(json.is_array(value_of("[]")))
    assert.is_false(json.is_array(value_of("{}")))
    local value = value_of('{"a":[ ],"b":{},"c":[[],{},[[]]]}')
    assert.is_true(json.is_array(value.a))
    assert.is_false(json.is_array(value.b))
    assert.is_true(json.is_array(value.c[1]))
    assert.is_false(json.is_array(value.c[2]))
    assert.is_true(json.is_array(value.c[3][1]))
  end)

  it("reads 128 levels, not more", function()
    value_of(nested(128))
    assert.are.equal("payload: nested deeper than 128 levels (byte 129)", refusal_of(nested(129)))
    assert.are.equal("payload: nested deeper than 128 levels (byte 129)", refusal_of(nested(1000)))
    assert.is_truthy(refusal_of(('{"a":'):rep(129) .. "1" .. ("}"):rep(129)):find("nested deeper than 128", 1, true))
  end)

  local not_json = {
    "", " ", "[", "]", "[,1]", "[1,]", "[1 2]", "[1]x", "[1]\0", "[1]\0x", "\11[1]", "\239\187\191[1]", "[/*c*/1]",
    "{1:2}", "{'a':1}", '{"a"}', '{"a":1,}', "tru", "nullx",
    "[NaN]", "[nan]", "[Infinity]", "[-Infinity]", "[inf]", "[0x10]", "[0x]", "[01]", "[-01]", "[1_000]",
    "[1.]", "[.5]", "[-.5]", "[1.e5]", "[+1]", "[-]", "[1e]", "[1e+]",
    '"a', '["a\tb"]', '["a\nb"]', '["a\0b"]', '["\\x41"]', '["\\u12"]',
    '["\\ud800"]', '["\\udc00"]', '["\\ud83dx"]', '["\\ud800\\ud800"]',
  }
  for _, text in ipairs(not_json) do
    it(("refuses %q"):format((text:gsub("%c", "?"))), function()
      assert.is_truthy(refusal_of(text):find("^payload.*: not valid JSON at byte %d+: "))
    end)
  end

  it("names the byte of a mistake", function()
    assert.are.equal("payload: not valid JSON at byte 2: expected a value, found a number that JSON does not know",
      refusal_of("[0x10]"))
    assert.are.equal("payload.a[1]: not valid JSON at byte 10: invalid number", refusal_of('{"a": [1,1.]}'))
    assert.are.equal("payload: not valid JSON at byte 4: unexpected byte", refusal_of("[1]\0"))
  end)

  local mistakes = {
    [""] = "1: expected a value, found the end of the text", ["[1,]"] = "4: expected a value, found ']'",
    ['{"a":1'] = "7: expected a comma or '}', found the end of the text",
    ["[1 2]"] = "4: expected a comma or ']', found a number",
    ["{nom:1}"] = "2: expected a name in double quotes, found a word without quotes",
    ["{'a':1}"] = "2: expected a name in double quotes, found a single quote",
    ['{"a" "b"}'] = "6: expected a colon, found a string",
    ["null true"] = "6: expected nothing more, found true or false",
    ["[1\0]"] = "3: expected a comma or ']', found the byte 0x00", ["é"] = "1: expected a value, found the byte 0xc3",
    ['{"a":"x'] = "8: a string does not end", ['["\\x"]'] = "3: a string has an escape that JSON does not know",
    ['["\\ud800"]'] = "3: a string has a \\u escape that is no character",
  }
  for text, told in pairs(mistakes) do
    it(("says in plain words what is wrong with %q"):format((text:gsub("%c", "?"))), function()
      assert.are.equal("payload: not valid JSON at byte " .. told, refusal_of(text))
    end)
  end

  it("refuses what is not UTF-8", function()
    assert.are.equal("payload: not valid UTF-8 at byte 3", refusal_of('["\255"]'))
    assert.are.equal("payload: not valid UTF-8 at byte 3", refusal_of('["\237\160\128"]'))
  end)

  it("refuses numbers beyond a double, not small ones", function()
    assert.are.equal("payload.a[1]: the number is too large", refusal_of('{"a":[0,1e400]}'))
    assert.are.equal("payload: the number is too large", refusal_of("-1e309"))
    assert.are.equal("payload[0]: the number is too large", refusal_of("[" .. ("9"):rep(400) .. ".0]"))
    assert.are.equal(0, value_of("1e-400"))
    assert.are.equal(1e300, value_of("1e300"))
    assert.are.equal(1.7976931348623157e308, value_of("1.7976931348623157e308"))
  end)

  it("refuses integers that a number would round, with their path", function()
    assert.are.equal("payload.user.id: 9007199254740993 is an integer that a number cannot hold exactly; "
      .. "send it as a string", refusal_of('{"user":{"name":"x","id":9007199254740993}}'))
    assert.are.equal("payload.id: 9007199254740993 is an integer that a number cannot hold exactly; "
      .. "declare it as schema.int64(), or send it as a string",
      refusal_of('{"id":9007199254740993}', schema.object { id = schema.integer() }))
    for _, text in ipairs {
      "9007199254740992", "-9007199254740992", "10000000000000000", "123456789012345678901234567890",
    } do
      assert.is_truthy(refusal_of("[[1]," .. text .. "]"):find("payload[1]: " .. text .. " is an integer", 1, true))
    end
    assert.is_truthy(refusal_of(("9"):rep(100000)):len() < 200)
  end)

  it("accepts large numbers that do not claim to be exact integers", function()
    assert.are.equal(1e20, value_of("1e20"))
    assert.are.equal(9007199254740992, value_of("9007199254740992.0"))
  end)

  it("refuses keys that stand twice, with their path", function()
    assert.are.equal("payload.a: duplicate key", refusal_of('{"a":1,"b":2,"a":3}'))
    assert.are.equal("payload.list[1].c: duplicate key", refusal_of('{"list":[0,{"c":1,"\\u0063":2}]}'))
    assert.are.equal('payload["é 😀"]: duplicate key', refusal_of('{"é 😀":1,"\\u00e9 \\ud83d\\ude00":2}'))
    assert.are.equal('payload[""]: duplicate key', refusal_of('{"":1,"":2}'))
    assert.are.equal("payload.a: duplicate key", refusal_of('{"a":[],"a":1}'))
    assert.are.equal("payload.a: duplicate key", refusal_of('{"a":[[[]]],"a":{"b":[]}}'))
  end)

  it("finds a key that stands twice among many", function()
    local members = {}
    for i = 1, 5000 do
      members[i] = ('"key_%d":{"a":%d}'):format(i, i)
    end
    local text = "{" .. table.concat(members, ",")
    assert.are.equal(4711, value_of(text .. "}").key_4711.a)
    assert.are.equal("payload.key_17: duplicate key", refusal_of(text .. ',"key_17":1}'))
  end)

  it("lets the same key stand in several objects", function()
    value_of('{"a":{"a":{"a":1},"b":1},"b":[{"a":1},{"a":2}]}')
  end)

  it("shows odd keys safely and shortens long ways", function()
    assert.are.equal('payload["a?b"]: the number is too large', refusal_of('{"a\\nb":1e999}'))
    assert.is_true(#refusal_of('{"' .. ("k"):rep(10000) .. '":1e999}') < 150)
    assert.is_true(#refusal_of(("["):rep(100) .. "1e999" .. ("]"):rep(100)) < 150)
  end)

  it("calls the value by the given name", function()
    assert.are.equal("result[0]: the number is too large", refusal_of("[1e999]", nil, "result"))
  end)

  it("raises on misuse", function()
    assert.has_error(function() json.decode(nil) end, "json.decode: expected a string, got nil")
  end)

  it("validates with a schema", function()
    local point = schema.object { x = schema.integer(), y = schema.integer():default(7) }
    assert.are.same({ x = 1, y = 7 }, value_of('{"x":1}', point))
    assert.are.equal("payload.x: expected integer, got string", refusal_of('{"x":"1"}', point))
  end)

  it("neither raises nor crashes on random bytes", function()
    math.randomseed(4711)
    local alphabet = { "{", "}", "[", "]", ",", ":", '"', '"a"', "1", "-", ".", "e5", "9007199254740993", "1e400",
      "null", "true", " ", "\\", "\\u00", "\0", "\255", "é", "[]", "{}", '{"a":', '"\\ud83d\\ude00"' }
    for _ = 1, 20000 do
      local parts = {}
      for i = 1, math.random(1, 12) do
        parts[i] = alphabet[math.random(#alphabet)]
      end
      local text = table.concat(parts)
      local ok, value = json.decode(text)
      if ok then
        assert.is_string(json.encode(value))
      else
        assert.is_truthy(value:find("^payload"))
      end
    end
  end)
end)

describe("json.decode of int64", function()
  local int64 = schema.object { id = schema.int64(), ids = schema.array(schema.int64()):optional() }
  local text = '{"id":9007199254740993,"ids":[-9223372036854775808,9223372036854775807,5]}'

  if rawget(_G, "jit") then
    it("keeps every digit", function()
      local value = value_of(text, int64)
      assert.are.equal("9007199254740993LL", tostring(value.id))
      assert.are.equal("-9223372036854775808LL", tostring(value.ids[1]))
      assert.are.equal("9223372036854775807LL", tostring(value.ids[2]))
      assert.are.equal("5LL", tostring(value.ids[3]))
      assert.are.equal(text, json.encode(value))
      assert.are.equal("9007199254740993LL", tostring(value_of("9007199254740993", schema.int64())))
    end)
  else
    it("says that plain Lua has no such integers", function()
      assert.is_truthy(refusal_of(text, int64):find("plain Lua 5.1 does not have; use LuaJIT", 1, true))
      assert.are.equal(5, value_of('{"id":5}', int64).id)
    end)
  end

  it("refuses what does not fit, and places that are no int64", function()
    for _, wide in ipairs { '{"id":9223372036854775808}', '{"id":-9223372036854775809}' } do
      assert.are.equal("payload.id: the integer does not fit into 64 bits", refusal_of(wide, int64))
    end
    local unknown = refusal_of('{"id":1,"other":9007199254740993}', int64)
    assert.is_truthy(unknown:find("payload.other: 9007199254740993 is an integer", 1, true))
    local number = refusal_of("[9007199254740993]", schema.array(schema.integer()))
    assert.is_truthy(number:find("payload[0]: 9007199254740993 is an integer", 1, true))
    local inside_any = refusal_of('{"x":[9007199254740993]}', schema.object { x = schema.any() })
    assert.is_truthy(inside_any:find("payload.x[0]: 9007199254740993 is an integer", 1, true))
  end)
end)
