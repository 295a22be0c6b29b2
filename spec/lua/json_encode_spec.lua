-- mooncrew.json, writing: one text for one value, and no text for what JSON cannot say.

local json = require "mooncrew.json"

local function refusal_of(value, ...)
  local text, message, code = json.encode(value, ...)
  assert.is_nil(text)
  assert.are.equal("INVALID_PAYLOAD", code)
  return message
end

describe("json.encode", function()
  it("writes numbers exactly and shortly", function()
    for _, case in ipairs {
      { 0, "0" }, { 1, "1" }, { -1, "-1" }, { 99999999999999, "99999999999999" },
      { 100000000000000, "100000000000000" },
      { 1700000000123456, "1700000000123456" }, { 9007199254740991, "9007199254740991" },
      { -9007199254740991, "-9007199254740991" }, { 2 ^ 53, "9.007199254740992e+15" }, { 1e21, "1e+21" },
      { 0.1, "0.1" }, { 0.1 + 0.2, "0.30000000000000004" }, { 1 / 3, "0.3333333333333333" }, { -1.5, "-1.5" },
      { 123456789.125, "123456789.125" }, { 1e-7, "1e-07" }, { 5e-324, "5e-324" },
      { 2.2250738585072014e-308, "2.2250738585072014e-308" }, { 1.7976931348623157e308, "1.7976931348623157e+308" },
    } do
      assert.are.equal(case[2], json.encode(case[1]))
      assert.are.equal(case[1], select(2, json.decode(case[2])))
    end
  end)

  it("keeps the sign of minus zero", function()
    local minus_zero = -1 / math.huge
    assert.are.equal("-0", json.encode(minus_zero))
    assert.are.equal(-math.huge, 1 / select(2, json.decode("-0")))
  end)

  it("escapes what must be escaped, and nothing else", function()
    assert.are.equal([["\"\\/\b\f\n\r\t\u0000\u001f]] .. "\127é€😀\"",
      json.encode("\"\\/\b\f\n\r\t\0\31\127é€😀"))
    assert.are.equal([[{"a\"b":1,"é":2}]], json.encode { ["a\"b"] = 1, ["é"] = 2 })
  end)

  it("sorts keys by their bytes", function()
    assert.are.equal('{"":0,"A":1,"Z":2,"a":3,"aa":4,"b":5,"é":6}',
      json.encode { b = 5, aa = 4, a = 3, Z = 2, A = 1, ["é"] = 6, [""] = 0 })
  end)

  it("tells arrays from objects", function()
    assert.are.equal("{}", json.encode {})
    assert.are.equal("[]", json.encode(json.array()))
    assert.are.equal("[]", json.encode(json.array {}))
    assert.are.equal("[1,[2],{}]", json.encode { 1, { 2 }, {} })
    assert.are.equal('{"a":[]}', json.encode { a = json.array {} })
    local items = json.array { 1 }
    table.remove(items)
    assert.are.equal("[]", json.encode(items))
  end)

  it("writes null", function()
    assert.are.equal("[null,1]", json.encode { json.null, 1 })
    assert.are.equal("null", json.encode(nil))
    assert.are.equal("null", json.encode(json.null))
    assert.are.equal("[true,false]", json.encode { true, false })
  end)

  it("refuses what JSON has no word for, with the path", function()
    assert.are.equal("payload.a[1]: a function cannot be written as JSON", refusal_of { a = { 1, print } })
    assert.are.equal("payload.f: a userdata cannot be written as JSON", refusal_of { f = io.stdout })
    assert.are.equal("payload: a thread cannot be written as JSON", refusal_of(coroutine.create(function() end)))
    for _, number in ipairs { 0 / 0, math.huge, -math.huge } do
      assert.are.equal("payload.a.b: JSON has no number for infinity or not-a-number",
        refusal_of { a = { b = number } })
    end
    assert.is_truthy(refusal_of { name = "a\255" }:find("^payload%.name: the string is not valid UTF%-8"))
    assert.is_truthy(refusal_of { ["\255"] = 1 }:find("not valid UTF-8", 1, true))
  end)

  it("refuses tables that are neither array nor object", function()
    assert.is_truthy(refusal_of { x = { 1, 2, a = 3 } }:find("^payload%.x: the table has items and the key %.a too"))
    assert.is_truthy(refusal_of { [5] = 1 }:find("^payload: the number 5 is a key"))
    assert.is_truthy(refusal_of { a = { [1.5] = 1 } }:find("^payload%.a: the number 1.5 is a key"))
    assert.is_truthy(refusal_of { [true] = 1 }:find("^payload: a boolean is a key"))
    assert.is_truthy(refusal_of { a = 1, [0] = 2 }:find("^payload: the number 0 is a key"))
    for _, sparse in ipairs { { 1, nil, 3 }, { 1, 2, nil, 4 }, { 1, [1.5] = 2 }, { 1, [-1] = 2 }, { 1, [1e9] = 2 } } do
      assert.is_truthy(refusal_of { x = sparse }:find("^payload%.x: the array has a hole.*put crew%.null where"))
    end
    local marked = json.array {}
    marked.a = 1
    assert.is_truthy(refusal_of(marked):find("the table has items and the key .a too", 1, true))
  end)

  it("writes 128 levels, not more, and no table inside itself", function()
    local value = json.array {}
    for _ = 1, 127 do
      value = { value }
    end
    assert.are.equal(("["):rep(128) .. ("]"):rep(128), json.encode(value))
    assert.is_truthy(refusal_of { value }:find("nested deeper than 128 levels", 1, true))
    local loop = {}
    loop.a = { loop }
    assert.is_truthy(refusal_of(loop):find("the table contains itself", 1, true))
  end)

  it("writes a table that stands at two places twice", function()
    local shared = { 1 }
    assert.are.equal('{"a":[1],"b":[1]}', json.encode { a = shared, b = shared })
  end)

  it("writes an object's own fields and runs no code of its metatable", function()
    local function called() error("called") end
    local object = setmetatable({ a = 1 }, { __index = called, __len = called })
    assert.are.equal('{"a":1}', json.encode(object))
  end)

  it("calls the value by the given name", function()
    assert.is_truthy(refusal_of({ print }, "result"):find("^result%[0%]: "))
  end)

  if rawget(_G, "jit") then
    it("writes 64-bit integers exactly", function()
      local ffi = require "ffi"
      assert.are.equal("[9007199254740993,-9223372036854775808]",
        json.encode { ffi.new("int64_t", 9007199254740992) + 1, ffi.new("int64_t", -2 ^ 63) })
      assert.are.equal("18446744073709551615", json.encode(ffi.new("uint64_t", 0) - 1))
      assert.are.equal("payload: a cdata cannot be written as JSON", refusal_of(ffi.new("int[1]")))
    end)
  end
end)

describe("json.array", function()
  it("marks the table itself", function()
    local items = { 1 }
    assert.are.equal(items, json.array(items))
    assert.are.equal(items, json.array(items))
    assert.is_true(json.is_array(items))
    assert.is_true(json.is_array { 1 })
    assert.is_false(json.is_array {})
    assert.is_false(json.is_array { a = 1 })
    assert.is_false(json.is_array("x"))
    assert.is_false(json.is_array(nil))
  end)

  it("raises on misuse", function()
    assert.has_error(function() json.array("x") end, "json.array: expected a table, got string")
    assert.has_error(function() json.array(setmetatable({}, {})) end,
      "json.array: the table has a metatable of its own")
  end)
end)

describe("json, there and back", function()
  local words = { "", "a", "B", "é", "😀", "a b", '"', "\\", "\n", "\0", "0", "1", "key", "Key", "кл" }

  local function random_number()
    local kind = math.random(5)
    if kind == 1 then
      return math.random(-1000, 1000)
    elseif kind == 2 then
      return math.floor((math.random() - 0.5) * 2 ^ 54)
    elseif kind == 3 then
      return (math.random() - 0.5) * 10 ^ math.random(-320, 308)
    elseif kind == 4 then
      return math.random()
    end
    return math.random(-1000, 1000) / 8
  end

  local random_value

  local function random_table(depth)
    local out = math.random(2) == 1 and json.array {} or {}
    for _ = 1, math.random(0, 6) do
      if json.is_array(out) then
        out[#out + 1] = random_value(depth - 1)
      else
        out[words[math.random(#words)]] = random_value(depth - 1)
      end
    end
    return out
  end

  random_value = function(depth)
    local kind = math.random(depth > 0 and 6 or 4)
    if kind == 1 then
      return random_number()
    elseif kind == 2 then
      return words[math.random(#words)]:rep(math.random(0, 3))
    elseif kind == 3 then
      return math.random(2) == 1
    elseif kind == 4 then
      return json.null
    end
    return random_table(depth)
  end

  -- The same value, its tables filled in another order.
  local function shuffled(value)
    if type(value) ~= "table" then
      return value
    elseif json.is_array(value) then
      local out = json.array {}
      for i, item in ipairs(value) do
        out[i] = shuffled(item)
      end
      return out
    end
    local keys, out = {}, {}
    for key in pairs(value) do
      table.insert(keys, math.random(#keys + 1), key)
    end
    for i = 1, 20 do
      out["passing " .. i] = true
    end
    for _, key in ipairs(keys) do
      out[key] = shuffled(value[key])
    end
    for i = 1, 20 do
      out["passing " .. i] = nil
    end
    return out
  end

  it("gives the same text again, whatever the order of insertion", function()
    math.randomseed(20240229)
    for _ = 1, 3000 do
      local value = random_value(4)
      local text = assert(json.encode(value))
      local ok, again = json.decode(text)
      assert.is_true(ok, again)
      assert.are.equal(text, json.encode(again))
      assert.are.equal(text, json.encode(shuffled(value)))
    end
  end)

  it("gives the same number again", function()
    math.randomseed(7)
    for _ = 1, 20000 do
      local number = random_number()
      assert.are.equal(number, select(2, json.decode(assert(json.encode(number)))))
    end
  end)
end)
