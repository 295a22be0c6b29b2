-- From JSON Schema to the shapes that generated types have.

local json = require "mooncrew.json"
local shape = require "mooncrew.gen.shape"

describe("the shape of a schema", function()
  local read = shape.read

  it("is a struct of fields by name, required or not", function()
    local struct = read({ type = "object", required = { "b" }, additionalProperties = false,
      properties = { b = { type = "string", minLength = 1 }, a = { type = "integer", default = 3 } } }).struct
    assert.is_false(struct.open)
    assert.are.same({ "a", "b" }, { struct.fields[1].name, struct.fields[2].name })
    assert.are.same({ false, true }, { struct.fields[1].required, struct.fields[2].required })
    assert.are.same({ "3", 1 }, { struct.fields[1].shape.default, struct.fields[2].shape.min_size })
  end)

  it("is a map where no field has a name, and an empty struct where none may be", function()
    assert.are.equal("integer", read({ type = "object", additionalProperties = { type = "integer" } }).item.kind)
    assert.are.equal("any", read({ type = "object" }).item.kind)
    assert.are.same({}, read({ type = "object", additionalProperties = false }).struct.fields)
  end)

  it("may be null, however that is said", function()
    for _, schema in ipairs {
      { type = { "string", "null" } }, { type = { "null", "string" } },
      { anyOf = { { type = "string" }, { type = "null" } } }, { oneOf = { { type = "null" }, { type = "string" } } },
    } do
      local found = read(schema)
      assert.are.same({ "string", true }, { found.kind, found.nullable })
    end
    local enum = read { enum = json.array { "a", json.null } }
    assert.are.same({ { '"a"' }, true }, { enum.values, enum.nullable })
  end)

  it("is JSON text, with the reason, where no type can say it", function()
    local reasons = {
      ["one of several shapes"] = { anyOf = { { type = "string" }, { type = "integer" } } },
      ["one of several types"] = { type = { "string", "integer" } },
      ["several shapes at once"] = { allOf = { { properties = { a = true } }, { type = "object" } } },
      ["an enum of values that are neither all texts nor all integers"] = { enum = { 1, "a" } },
      ["an array whose items have shapes by place"] = { type = "array", prefixItems = { { type = "string" } } },
      ["fields whose names are given by a pattern"] = { type = "object", patternProperties = { x = true } },
      ["a reference: other.json"] = { ["$ref"] = "other.json" },
    }
    for why, schema in pairs(reasons) do
      assert.are.same({ kind = "any", why = why }, read(schema))
    end
    assert.are.same({ kind = "any" }, read {})
  end)

  it("keeps what narrows an object down from hiding its fields", function()
    local found = read { type = "object", properties = { a = { type = "string" }, b = true },
      allOf = { { ["if"] = { required = { "a" } }, ["then"] = { required = { "b" } } } } }
    assert.are.equal("struct", found.kind)
    assert.are.same({ "if", "then" }, found.unchecked)
  end)

  it("is JSON text where fields are named that would have no place in the struct", function()
    local fields = { a = { type = "string" } }
    for why, schema in pairs {
      ["several shapes at once"] = { properties = fields, allOf = { { required = json.array { "b" } } } },
      ["one of several shapes"] = { properties = fields,
        anyOf = { { properties = { b = true } }, { required = { "a" } } } },
      ["fields that depend on others"] = { type = "object", properties = fields, dependentSchemas = {
        a = { properties = { b = { type = "string" } }, required = { "b" } } } },
    } do
      assert.are.same({ kind = "any", why = why }, read(schema))
    end
    assert.are.equal("several shapes at once", read {
      ["$defs"] = { base = { type = "object", properties = fields } }, ["$ref"] = "#/$defs/base",
      properties = { b = true } }.why)
  end)

  it("has the limits of all that is said at once, and the words of what only a worker checks", function()
    local found = read { ["$defs"] = { word = { type = "string", minLength = 2, maxLength = 9 } },
      ["$ref"] = "#/$defs/word", minLength = 1, maxLength = 5, pattern = "^a", ["not"] = { const = "ab" } }
    assert.are.same({ 2, 5 }, { found.min_size, found.max_size })
    assert.are.same({ { "pattern: ^a" }, { "not" } }, { found.notes, found.unchecked })
    found = read { type = "integer", multipleOf = 2, allOf = { { minimum = 3, multipleOf = 3 }, { multipleOf = 0.5 } } }
    assert.are.same({ 3, { 3, 2 }, { "multipleOf" } }, { found.min, found.multiples, found.unchecked })
    found = read { type = "array", items = { type = "string" }, uniqueItems = true, minLength = 7, contains = true }
    assert.are.same({ true, { "contains" } }, { found.unique, found.unchecked })
  end)

  it("bounds an integer by what a worker can read exactly, unless it has 64 bits", function()
    local found = read { type = "integer" }
    assert.are.same({ -9007199254740991, 9007199254740991 }, { found.min, found.max })
    found = read { type = "integer", format = "int64" }
    assert.are.same({}, { found.min, found.max, found.notes })
  end)

  it("follows references, to itself too", function()
    local tree = read { type = "object", properties = { children = { type = "array", items = { ["$ref"] = "#" } } } }
    assert.are.equal(tree.struct, tree.struct.fields[1].shape.item.struct)
    assert.is_true(tree.struct.recursive)
    local two = read { ["$defs"] = { ["a/b"] = { type = "object", properties = { x = true } } }, type = "object",
      properties = { p = { ["$ref"] = "#/$defs/a~1b" }, q = { ["$ref"] = "#/$defs/a~1b" } } }
    assert.are.equal(two.struct.fields[1].shape.struct, two.struct.fields[2].shape.struct)
    assert.is_false(two.struct.fields[1].shape.struct.recursive)
    assert.are.equal("any", read({ ["$defs"] = { a = { ["$ref"] = "#/$defs/a" } }, ["$ref"] = "#/$defs/a" }).kind)
    local inner = read { type = "object", properties = { x = { ["$id"] = "urn:x", ["$ref"] = "#/$defs/y",
      ["$defs"] = { y = { type = "boolean" } } } } }
    assert.are.equal("boolean", inner.struct.fields[1].shape.kind)
  end)

  it("has no default where `default` is a remark", function()
    assert.is_nil(read({ type = "string", default = "x" }, false).default)
    assert.are.equal('"x"', read({ type = "string", default = "x" }).default)
  end)

  it("is the same however often it is read, whatever was compiled meanwhile", function()
    local deep = { type = "string" }
    for i = 1, 30 do
      deep = { type = "object", properties = { child = deep, ["n" .. i] = { type = "integer" } },
        required = { "child" } }
    end
    local jit = rawget(_G, "jit")
    if jit then jit.opt.start "hotexit=1" end
    finally(function()
      if jit then jit.opt.start "hotexit=10" end
    end)
    for _ = 1, 300 do
      local found, depth = shape.read(deep), 0
      while found.kind == "struct" do
        found, depth = found.struct.fields[1].shape, depth + 1
      end
      assert.same({ "string", 30 }, { found.kind, depth })
    end
  end)
end)
