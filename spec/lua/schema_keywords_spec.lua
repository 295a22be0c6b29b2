-- What schema.from_json_schema makes of keywords of draft 2020-12, each with values that fit and values that do not, as
-- the standard has it. Those that the official suite's cases are there for stand in schema_suite_spec.lua as well.

local json = require "mooncrew.json"
local keywords = require "mooncrew.schema.keywords"
local schema = require "mooncrew.schema"

-- Each has a schema, a list of JSON texts that fit and one of those that do not.
local CASES = {
  ["not"] = {
    { '{"not":{"type":"integer"}}', { '1.5', '"a"', 'null' }, { '1', '1.0' } },
    { '{"not":{}}', {}, { '1', '{}' } },
  },
  ["if"] = {
    { '{"if":{"const":0},"then":{"type":"string"},"else":{"minimum":5}}', { '5', '"a"', 'null' }, { '0', '4' } },
    { '{"then":false,"else":false}', { '1' }, {} },
    { '{"if":false,"then":false}', { '1' }, {} },
  },
  dependentRequired = {
    { '{"dependentRequired":{"a":["b","c"],"":["a"]}}', { '{}', '{"b":1}', '{"a":1,"b":1,"c":null}', '["a"]' },
      { '{"a":1}', '{"a":null,"b":1}', '{"":1}' } },
  },
  dependentSchemas = {
    { '{"dependentSchemas":{"a":{"maxProperties":1},"b":false}}', { '{"a":1}', '{"c":1,"d":2}', '"b"' },
      { '{"a":1,"c":1}', '{"b":1}' } },
  },
  prefixItems = {
    { '{"prefixItems":[{"type":"integer"},true],"items":{"type":"string"}}', { '[]', '[1]', '[1,2,"a"]', '"x"' },
      { '["a"]', '[1,2,3]' } },
    { '{"prefixItems":[true],"items":false}', { '[]', '[null]' }, { '[1,2]' } },
  },
  contains = {
    { '{"contains":{"const":1}}', { '[1]', '[0,1.0]', '{}' }, { '[]', '[0]', '["1"]' } },
    { '{"contains":{"const":1},"minContains":2,"maxContains":3}', { '[1,1]', '[1,0,1,1]' }, { '[1]', '[1,1,1,1]' } },
    { '{"contains":{"const":1},"minContains":0}', { '[]', '[0]' }, {} },
    { '{"minContains":2,"maxContains":0}', { '[]', '[1]' }, {} },
  },
  propertyNames = {
    { '{"propertyNames":{"maxLength":2,"pattern":"^a"}}', { '{}', '{"a":1,"ab":2}', '["b"]' },
      { '{"b":1}', '{"abc":1}' } },
    { '{"propertyNames":false}', { '{}', '1' }, { '{"":1}' } },
  },
  patternProperties = {
    { '{"patternProperties":{"^a":{"type":"integer"},"b$":{"minimum":5}}}',
      { '{"ab":5,"c":"x"}', '{"a":1}', '{"bb":"x","b":5}' }, { '{"a":"x"}', '{"ab":1}', '{"cb":4}' } },
    { '{"properties":{"ab":true},"patternProperties":{"^x":true},"additionalProperties":false}',
      { '{"ab":1,"xy":2}' }, { '{"b":1}' } },
  },
  minProperties = {
    { '{"minProperties":1,"maxProperties":2}', { '{"a":null}', '{"a":1,"b":2}', '[]' },
      { '{}', '{"a":1,"b":2,"c":3}' } },
  },
  multipleOf = {
    { '{"multipleOf":0.01}', { '0.07', '4.35', '-19.99', '"a"', '0' }, { '0.075', '1e-3' } },
    { '{"multipleOf":3}', { '9', '-3', '6.0' }, { '1', '3.5' } },
  },
  unevaluatedProperties = {
    { '{"properties":{"a":true},"anyOf":[{"properties":{"b":true},"required":["b"]},{"properties":{"c":true}}],'
      .. '"unevaluatedProperties":false}', { '{"a":1,"b":1}', '{"a":1,"c":1}', '{"a":1,"b":1,"c":1}' },
      { '{"d":1}', '{"a":1,"d":1}' } },
    { '{"if":{"properties":{"a":{"const":1}},"required":["a"]},"then":{"properties":{"b":true}},'
      .. '"unevaluatedProperties":false}', { '{"a":1,"b":2}', '{"a":1}' }, { '{"b":2}', '{"a":2}' } },
    { '{"not":{"properties":{"a":{"type":"string"}}},"unevaluatedProperties":false}', {}, { '{"a":1}' } },
    { '{"unevaluatedProperties":{"type":"integer"},"dependentSchemas":{"a":{"properties":{"b":true}}}}',
      { '{"a":1,"b":"x"}', '{"c":1}' }, { '{"b":"x"}', '{"c":"x"}' } },
  },
  unevaluatedItems = {
    { '{"prefixItems":[true],"contains":{"type":"string"},"unevaluatedItems":{"type":"integer"}}',
      { '[null,"a",1]', '[true,2,"a"]' }, { '[null,"a",null]', '[1,2]' } },
    { '{"allOf":[{"prefixItems":[true,true]}],"unevaluatedItems":false}', { '[1,2]' }, { '[1,2,3]' } },
    { '{"oneOf":[{"items":{"type":"string"}},{"prefixItems":[{"type":"integer"}]}],"unevaluatedItems":false}',
      { '["a","b"]', '[1]' }, { '[1,2]', '[null]' } },
  },
  ["$anchor"] = {
    { '{"$defs":{"a":{"$anchor":"here","type":"string"}},"properties":{"x":{"$ref":"#here"}}}', { '{"x":"a"}', '{}' },
      { '{"x":1}' } },
  },
  ["$ref"] = {
    { '{"$defs":{"a":{"maxLength":3}},"$ref":"#/$defs/a","minLength":2}', { '"ab"', '1' }, { '"a"', '"abcd"' } },
    { '{"$defs":{"a~/%b":{"type":"null"}},"items":{"$ref":"#/$defs/a~0~1%25b"}}', { '[null]' }, { '[1]' } },
    { '{"properties":{"next":{"$ref":"#"}},"additionalProperties":false}', { '{"next":{"next":{}}}' },
      { '{"next":{"next":{"x":1}}}' } },
    { '{"$id":"http://a.example/b/c.json","$defs":{"d":{"$id":"d.json","type":"integer"}},"items":{"$ref":"d.json"}}',
      { '[1]' }, { '["a"]' } },
  },
  format = {
    { '{"format":"date-time"}', { '"2024-02-29T23:59:59.5Z"', '5' }, { '"2023-02-29T00:00:00Z"', '"2024-02-29"' } },
    { '{"format":"time"}', { '"23:59:60Z"', '"08:30:06+01:00"' }, { '"24:00:00Z"', '"12:00:00"' } },
  },
  maxItems = { { '{"maxItems":2.0,"minItems":1}', { '[1]', '"abc"' }, { '[]', '[1,2,3]' } } },
  uniqueItems = {
    { '{"uniqueItems":true}', { '[1,true,"1"]', '[{"a":1},{"a":2}]', '[[1],[2]]', '[]' },
      { '[1,1.0]', '[{"a":1,"b":2},{"b":2,"a":1}]', '[[1],[1.0]]', '[null,null]' } },
    { '{"uniqueItems":true,"items":{"type":["boolean","integer"]}}', { '[0,false,1,true]' }, { '[false,1,false]' } },
  },
}

local REFUSED = { "$dynamicRef", "$dynamicAnchor", "$vocabulary", "contentEncoding", "contentMediaType",
  "contentSchema" }

local function check(shape, value, fits, about)
  local ok, message = shape:decode(value)
  assert.are.equal(fits, ok == true, ("%s: %s (%s)"):format(about, value, tostring(message)))
  assert.are.equal(fits, #shape:decode_errors(value) == 0, ("%s: %s, all errors"):format(about, value))
end

describe("the keyword", function()
  for keyword, cases in pairs(CASES) do
    it(keyword .. " accepts and refuses as the standard says, also when the schema was read and written", function()
      for _, case in ipairs(cases) do
        local ok, description = json.decode(case[1])
        assert.is_true(ok, description)
        local shape = schema.from_json_schema(description)
        for _, read in ipairs { shape, schema.from_json_schema(shape:json_schema()) } do
          for _, value in ipairs(case[2]) do check(read, value, true, case[1]) end
          for _, value in ipairs(case[3]) do check(read, value, false, case[1]) end
        end
      end
    end)
  end

  for _, keyword in ipairs(REFUSED) do
    it(keyword .. " is refused by name wherever it stands, and so is one that nobody knows", function()
      assert.is_string(keywords.unsupported[keyword])
      for name, words in pairs { [keyword] = "is not supported", [keyword .. "s"] = "unknown keyword" } do
        local ok, message = pcall(schema.from_json_schema, { items = { anyOf = { { [name] = "x" } } } })
        assert.is_false(ok)
        assert.is_truthy(message:find("#/items/anyOf/0", 1, true), message)
        assert.is_truthy(message:find(words, 1, true) and message:find("'" .. name .. "'", 1, true), message)
      end
    end)
  end
end)
