-- schema.from_json_schema: what it refuses to load, and where the standard differs from schemas written in Lua.

local json = require "mooncrew.json"
local keywords = require "mooncrew.schema.keywords"
local schema = require "mooncrew.schema"

local read = schema.from_json_schema

local function through(description, text)
  local ok, value = read(description):decode(text)
  assert.is_true(ok, value)
  return (json.encode(value))
end

local function refusal(description, text)
  local ok, message = read(description):decode(text)
  assert.is_nil(ok)
  return message
end

local function load_error(description)
  local ok, message = pcall(read, description)
  assert.is_false(ok)
  return message
end

describe("schema.from_json_schema", function()
  it("refuses what json.decode returns before the value, which would accept everything", function()
    local ok, message = pcall(function()
      schema.from_json_schema(require("mooncrew.json").decode '{"type":"string"}')
    end)
    assert.is_false(ok)
    assert.matches("schema_import_spec.lua:%d+: schema.from_json_schema: takes one value", message)
  end)

  it("follows the standard: unknown fields, null and defaults", function()
    local person = { type = "object", required = { "name" },
      properties = { name = { type = "string" }, age = { type = "integer", default = 5 } } }
    assert.are.equal('{"name":"x","other":[]}', through(person, '{"name":"x","other":[]}'))
    assert.are.equal("payload.name: required", refusal(person, "{}"))
    assert.are.equal("payload.age: expected integer, got null", refusal(person, '{"name":"x","age":null}'))
    person.additionalProperties = false
    assert.are.equal('payload.nmae: unknown field; did you mean "name"?', refusal(person, '{"nmae":"x"}'))
  end)

  it("applies keywords to values of their type alone", function()
    local description = { minLength = 3, minimum = 3, minItems = 3, minProperties = 3 }
    for _, text in ipairs { '"abc"', "3", "true", "null", "[1,2,3]", '{"a":1,"b":2,"c":3}' } do
      assert.are.equal(text, through(description, text))
    end
    assert.are.equal("payload: must have at least 3 items, has 0", refusal(description, "[]"))
    assert.are.equal("payload: must have at least 3 fields, has 0", refusal(description, "{}"))
  end)

  it("takes 1.0 and large numbers for integers", function()
    for _, text in ipairs { "1.0", "1e300", "-0" } do
      assert.is_true((read({ type = "integer" }):decode(text)))
    end
    assert.are.equal("payload: expected integer or null, got 1.5", refusal({ type = { "integer", "null" } }, "1.5"))
  end)

  it("reads what stands in Lua as what was decoded", function()
    local shape = read { type = "object", additionalProperties = { type = "array", items = { type = "array" } } }
    local given = { a = {}, b = { {}, {} } }
    local ok, value = shape:validate(given)
    assert.is_true(ok)
    assert.are.equal('{"a":[],"b":[[],[]]}', json.encode(value))
    assert.is_nil(getmetatable(given.a))
  end)

  it("goes together with schemas written in Lua", function()
    local shape = schema.object { point = read { prefixItems = { { type = "number" } }, items = false }:optional() }
    assert.is_true((shape:decode('{"point":[1]}')))
    assert.is_true((shape:decode('{"point":null}')))
    local _, message = shape:decode('{"point":[1,2]}')
    assert.are.equal("payload.point: must have at most 1 item, has 2", message)
  end)

  it("gives 64-bit integers where the format asks for them", function()
    local description = { type = "object",
      properties = { n = { type = "integer", format = "int64", minimum = -1.5, maximum = 2 ^ 63 } } }
    assert.are.equal("payload.n: must be at least -1, is -2", refusal(description, '{"n":-2}'))
    assert.are.equal("payload.n: expected integer, got 0.5", refusal(description, '{"n":0.5}'))
    if rawget(_G, "jit") then
      assert.are.equal('{"n":9223372036854775807}', through(description, '{"n":9223372036854775807}'))
    end
  end)

  it("keeps limits of 64-bit integers that are none themselves", function()
    local function fits(description, text)
      description.type, description.format = "integer", "int64"
      return read(description):decode(text) == true
    end
    assert.is_false(fits({ minimum = 1e300 }, "9223372036854775807"))
    assert.is_false(fits({ exclusiveMaximum = -1e300 }, "-9223372036854775808"))
    assert.is_true(fits({ maximum = 1e300, minimum = -2 ^ 70 }, "-9223372036854775808"))
    assert.is_false(fits({ minimum = 2 ^ 60 }, "1152921504606846975"))
    assert.is_true(fits({ minimum = 2 ^ 60 }, "1152921504606846976"))
    assert.is_false(fits({ exclusiveMinimum = 2 ^ 60 }, "1152921504606846976"))
    assert.is_false(fits({ minimum = 3, exclusiveMinimum = 0.5 }, "2"))
    assert.is_false(fits({ maximum = 3, exclusiveMaximum = 9.5 }, "4"))
    assert.is_true(fits({ exclusiveMinimum = 0.5, exclusiveMaximum = 1.5, multipleOf = 0.5 }, "1"))
    assert.matches("#/multipleOf: expected a whole number of 64 bits",
      load_error { type = "integer", format = "int64", multipleOf = 2.5 })
  end)

  it("follows references by pointer, name and anchor, in circles too", function()
    local tree = { ["$id"] = "https://example.com/tree", type = "object", properties = {
      kids = { items = { ["$ref"] = "#" } }, name = { ["$ref"] = "#name" }, size = { ["$ref"] = "/size" } },
      ["$defs"] = { a = { ["$anchor"] = "name", type = "string" },
        b = { ["$id"] = "https://example.com/size", type = "number" } } }
    assert.are.equal('{"kids":[{"kids":[],"name":"x"}],"size":1}',
      through(tree, '{"kids":[{"kids":[],"name":"x"}],"size":1}'))
    assert.are.equal("payload.kids[0].name: expected string, got number", refusal(tree, '{"kids":[{"name":1}]}'))
    assert.are.equal("payload.size: expected number, got string", refusal(tree, '{"size":"1"}'))
  end)

  it("knows which fields and items nothing has looked at", function()
    local description = { allOf = { { properties = { a = true } } }, anyOf = { { properties = { b = { const = 1 } },
      required = { "b" } }, true }, unevaluatedProperties = false }
    assert.are.equal('{"a":1,"b":1}', through(description, '{"a":1,"b":1}'))
    assert.are.equal("payload.b: unknown; no schema says what it is", refusal(description, '{"a":1,"b":2}'))
    local list = { prefixItems = { true }, contains = { type = "null" }, unevaluatedItems = { type = "string" } }
    assert.are.equal('[1,null,"a"]', through(list, '[1,null,"a"]'))
    assert.are.equal("payload[2]: expected string, got number", refusal(list, "[1,null,2]"))
  end)

  it("reads patterns as ECMAScript writes them", function()
    for pattern, texts in pairs {
      [ [[^\u00e9$]] ] = { "é", "e" }, [ [[^\p{Letter}+$]] ] = { "πa", "1" }, [ [[^\u{1F600}]] ] = { "😀", "u" },
      [ [[^[\s]$]] ] = { "\194\160", "x" }, [ [[^\S$]] ] = { "x", "\194\160" }, [ [[^\/\d$]] ] = { "/1", "/١" },
      [ [=[^[^\]]$]=] ] = { "a", "]" },
    } do
      local shape = read { pattern = pattern }
      assert.is_true((shape:validate(texts[1])), pattern)
      assert.is_nil((shape:validate(texts[2])), pattern)
    end
  end)

  it("reads what only ECMAScript writes so, and a dot as it does", function()
    local cases = {
      { "^\\uD83D\\uDE00$", '"😀"', true }, { "^[\\ud83d\\ude00-\\ud83d\\ude02]$", '"😁"', true },
      { "^[^]$", '"\\n"', true }, { "[]", '"a"', false }, { "^[[:a]$", '"["', true },
      { "^[a[:alpha:]]$", '"a]"', true },
      { "^.$", '"\\r"', false }, { "^.$", '"\\u2028"', false }, { "^.$", '"😀"', true }, { "^[.]$", '"a"', false },
      { "^\\.$", '"a"', false }, { "^[^\\]]$", '"a"', true }, { "^[\\[.]$", '"."', true },
    }
    for _, case in ipairs(cases) do
      local ok = read({ pattern = case[1] }):decode(case[2])
      assert.are.equal(case[3], ok == true, case[1] .. " and " .. case[2])
    end
  end)

  it("takes counts that nothing can reach", function()
    assert.are.equal("[1]", through({ maxItems = 1e300, items = true }, "[1]"))
    assert.are.equal('"a"', through({ maxLength = 2 ^ 63 }, '"a"'))
    assert.are.equal('{"a":1}', through({ maxProperties = 1e19 }, '{"a":1}'))
    assert.matches("must have at least 9007199254740991 items", refusal({ minItems = 1e300 }, "[1]"))
    assert.matches("must have at least 9007199254740991 characters", refusal({ minLength = 1e300 }, '"a"'))
  end)

  it("lists all errors", function()
    local shape = read { properties = { a = { type = "string" }, b = { minimum = 3 } }, required = { "c" },
      additionalProperties = false }
    local texts = {}
    for i, one in ipairs(shape:decode_errors('{"a":1,"b":2,"d":4}')) do
      texts[i] = one.path .. ": " .. one.message
    end
    assert.are.same({ 'payload.d: unknown field; did you mean "a"?', "payload.c: required",
      "payload.a: expected string, got number", "payload.b: must be at least 3, is 2" }, texts)
  end)

  it("takes remarks", function()
    assert.are.equal('"a"', through({ title = "a", description = "b", default = 1, examples = { 2 }, deprecated = true,
      readOnly = true, writeOnly = true, ["$comment"] = "c", ["x-order"] = 3 }, '"a"'))
  end)
end)

describe("what schema.from_json_schema refuses", function()
  local cases = {
    { 5, "expected a table or a boolean, got number" },
    { { properties = { a = { minLenght = 1 } } },
      "#/properties/a/minLenght: unknown keyword 'minLenght', did you mean 'minLength'?" },
    { { ["$defs"] = { ["a/b~c"] = { type = "strin" } } },
      "#/$defs/a~1b~0c/type: unknown type 'strin', did you mean 'string'?" },
    { { items = { minLength = -1 } }, "#/items/minLength: expected a whole number, 0 or more, got -1" },
    { { multipleOf = 0 }, "#/multipleOf: expected a number above 0, got 0" },
    { { prefixItems = { true, 5 } }, "#/prefixItems/1: expected an object or a boolean, got 5" },
    { { allOf = {} }, "#/allOf: expected at least one schema" },
    { { properties = { json.array { 1 } } }, "#/properties: expected an object of schemas, got array" },
    { { required = "a" }, "#/required: expected a list of names, got string" },
    { { dependentRequired = { a = { 1 } } }, "#/dependentRequired/a/0: expected a text, got 1" },
    { { pattern = "(" }, '#/pattern: pattern "(": missing closing parenthesis at offset 1' },
    { { patternProperties = { ["["] = true } },
      '#/patternProperties/[: pattern "[": missing terminating ] for character class at offset 1' },
    { { format = "date-tiem" }, "#/format: unknown format 'date-tiem', did you mean 'date-time'?" },
    { { format = "hostname" }, "#/format: unknown format 'hostname'" },
    { { ["$schema"] = "http://json-schema.org/draft-07/schema#" },
      "#/$schema: 'http://json-schema.org/draft-07/schema#' is another dialect than "
      .. "https://json-schema.org/draft/2020-12/schema" },
    { { items = { ["$ref"] = "https://example.com/a" } }, "#/items/$ref: 'https://example.com/a' is another document; "
      .. "only what stands in this one can be referred to" },
    { { ["$ref"] = "#/$defs/a" }, "#/$ref: '#/$defs/a' leads to no schema" },
    { { ["$ref"] = "#/examples", examples = { {} } }, "#/$ref: '#/examples' leads to no schema" },
    { { anyOf = { { ["$ref"] = "#" } } }, "#/anyOf/0/$ref: the reference leads back to itself" },
  }
  for _, case in ipairs(cases) do
    it("says: " .. case[2], function()
      assert.are.equal("schema.from_json_schema: " .. case[2], (load_error(case[1]):gsub("^[^ ]+:%d+: ", "")))
    end)
  end

  for keyword in pairs(keywords.unsupported) do
    it("names " .. keyword, function()
      local message = load_error { properties = { a = { [keyword] = true } } }
      assert.is_truthy(message:find(("#/properties/a/%s: the keyword '%s' is not supported: "):format(keyword, keyword),
        1, true), message)
    end)
  end

  it("stands in the guide", function()
    local handle = assert(io.open("docs/schema.md"))
    local guide = handle:read("*a")
    handle:close()
    for _, list in ipairs { keywords.unsupported, keywords.supported, keywords.remarks } do
      for keyword in pairs(list) do
        assert.is_truthy(guide:find("`" .. keyword .. "`", 1, true), keyword)
      end
    end
  end)

  it("is reported where it stands", function()
    assert.is_truthy(load_error { x = 1 }:find("#/x: unknown keyword", 1, true))
    local _, message = pcall(function() read { x = 1 } end)
    assert.is_truthy(message:find("schema_import_spec.lua:", 1, true))
  end)

  it("is a table that contains itself", function()
    local description = {}
    description.items = description
    assert.is_truthy(load_error(description):find("contains itself", 1, true))
  end)
end)
