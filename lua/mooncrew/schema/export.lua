-- Writes a schema as JSON Schema, draft 2020-12: a plain table for json.encode, in which lists are marked as arrays.
--
-- It accepts exactly what the schema accepts. Hence two things that one might not expect: what is optional here may be
-- null as well as absent, so its type is ["string", "null"]; and an integer without limits has those of a double.
-- A schema that refers to others names them "recursive1"… in "$defs", and the whole is "#".

local array = require "mooncrew.json.array"
local int64 = require "mooncrew.json.int64"
local copy = require("mooncrew.schema.runtime").copy

local M = {}

M.DIALECT = "https://json-schema.org/draft/2020-12/schema"

---@class mooncrew.schema.Writer
---@field root mooncrew.Schema
---@field names table<mooncrew.Schema, string>  what is referred to, by its reference
---@field defs table<string, table>
---@field count integer    of references
---@field embedded integer of JSON Schemas that have references of their own

local export -- forward: schemas hold schemas

local function list(items)
  return setmetatable(items, array.metatable)
end

local function export_list(writer, nodes)
  local out = {}
  for i, node in ipairs(nodes) do
    out[i] = export(writer, node)
  end
  return list(out)
end

local function export_map(writer, nodes)
  local out = {}
  for name, node in pairs(nodes) do
    out[name] = export(writer, node)
  end
  return out
end

-- 64-bit limits as numbers where those are exact.
local function limit(value)
  local number = value and tonumber(value)
  return number and number <= int64.MAX_EXACT and number >= -int64.MAX_EXACT and number or value
end

local function export_range(out, node)
  out.minimum, out.maximum = limit(node.min), limit(node.max)
  out.exclusiveMinimum, out.exclusiveMaximum = limit(node.exclusive_min), limit(node.exclusive_max)
  out.multipleOf = limit(node.multiple_of)
  return out
end

local function export_whole_list(writer, out, node)
  out.minItems, out.maxItems, out.uniqueItems = node.min_items or out.minItems, node.max_items, node.unique_items
  out.contains = node.contains and export(writer, node.contains)
  out.minContains, out.maxContains = node.min_contains, node.max_contains
  return out
end

local writers = {}

function writers.string(_, node)
  return { type = "string", minLength = node.min_length, maxLength = node.max_length, pattern = node.pattern,
    format = node.format }
end

function writers.integer(_, node)
  local out = export_range({ type = "integer" }, node)
  out.minimum = out.minimum or not out.exclusiveMinimum and -int64.MAX_EXACT or nil
  out.maximum = out.maximum or not out.exclusiveMaximum and int64.MAX_EXACT or nil
  return out
end

function writers.number(_, node)
  return export_range({ type = "number" }, node)
end

function writers.boolean()
  return { type = "boolean" }
end

function writers.int64(_, node)
  return export_range({ type = "integer", format = "int64" }, node)
end

function writers.null()
  return { type = "null" }
end

function writers.any()
  return {}
end

function writers.enum(_, node)
  return { enum = list(copy(node.allowed.values)) }
end

function writers.const(_, node)
  return { const = copy(node.allowed.values[1]) }
end

function writers.array(writer, node)
  return export_whole_list(writer, { type = "array", items = export(writer, node.item) }, node)
end

function writers.tuple(writer, node)
  local rest = false
  if node.rest then
    rest = export(writer, node.rest)
  end
  local out = export_whole_list(writer, { type = "array", prefixItems = export_list(writer, node.items), items = rest },
    node)
  out.minItems = math.max(#node.items, out.minItems or 0)
  return out
end

local function export_whole_object(writer, out, node)
  out.minProperties, out.maxProperties = node.min_properties, node.max_properties
  out.propertyNames = node.property_names and export(writer, node.property_names)
  return out
end

function writers.map(writer, node)
  return export_whole_object(writer, { type = "object", additionalProperties = export(writer, node.value) }, node)
end

-- A field with a null counts as absent, so it needs no other; the standard would count it.
local function dependency(name, schema)
  return { ["if"] = { required = list { name }, properties = { [name] = { ["not"] = { type = "null" } } } },
    ["then"] = schema }
end

local function present(names)
  local properties, required = {}, {}
  for i, name in ipairs(names) do
    properties[name], required[i] = { ["not"] = { type = "null" } }, name
  end
  return { required = list(required), properties = properties }
end

local function export_dependencies(writer, node)
  local all = {}
  for name, names in pairs(node.dependent_required or {}) do
    all[#all + 1] = dependency(name, present(names))
  end
  for name, schema in pairs(node.dependent_schemas or {}) do
    all[#all + 1] = dependency(name, export(writer, schema))
  end
  table.sort(all, function(a, b) return a["if"].required[1] < b["if"].required[1] end)
  return #all > 0 and list(all) or nil
end

local function required_names(fields)
  local names = {}
  for name, field in pairs(fields) do
    if not field.is_optional then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return #names > 0 and list(names) or nil
end

function writers.object(writer, node)
  local out = { type = "object", properties = export_map(writer, node.fields), required = required_names(node.fields) }
  if node.additional_properties then
    out.additionalProperties = export(writer, node.additional_properties)
  elseif not node.allow_unknown then
    out.additionalProperties = false
  end
  out.patternProperties = node.pattern_properties and export_map(writer, node.pattern_properties)
  out.allOf = export_dependencies(writer, node)
  return export_whole_object(writer, out, node)
end

local function choice(keyword)
  return function(writer, node)
    return { [keyword] = export_list(writer, node.branches) }
  end
end

writers.any_of, writers.one_of, writers.all_of = choice "anyOf", choice "oneOf", choice "allOf"

writers["not"] = function(writer, node)
  return { ["not"] = export(writer, node.branches[1]) }
end

function writers.when(writer, node)
  return { ["if"] = export(writer, node.condition), ["then"] = node.yes and export(writer, node.yes),
    ["else"] = node.no and export(writer, node.no) }
end

function writers.ref(writer, node)
  local target = node:target()
  if target == writer.root then
    return { ["$ref"] = "#" }
  end
  if not writer.names[target] then
    writer.count = writer.count + 1
    local name = "recursive" .. writer.count
    writer.names[target] = "#/$defs/" .. name
    writer.defs[name] = export(writer, target)
  end
  return { ["$ref"] = writer.names[target] }
end

local function has_references(source)
  if type(source) ~= "table" then
    return false
  end
  for key, value in next, source do
    if key == "$ref" or has_references(value) then
      return true
    end
  end
  return false
end

-- A JSON Schema inside of another gets an address of its own, from which its references start.
function writers.shape(writer, node)
  local source = node.source
  if type(source) == "boolean" then
    return source and {} or { ["not"] = {} }
  end
  local out = copy(source)
  if node ~= writer.root and not out["$id"] and has_references(out) then
    writer.embedded = writer.embedded + 1
    out["$id"] = "urn:mooncrew:schema" .. writer.embedded
  end
  return out
end

-- The kinds whose keywords say nothing of null: it is one more type.
local HAS_TYPE = { string = true, integer = true, number = true, boolean = true, int64 = true, array = true,
  tuple = true, map = true }

local function allow_null(node, out)
  if HAS_TYPE[node.kind] or node.kind == "object" and not out.allOf then
    out.type = list { out.type, "null" }
  elseif node.kind == "enum" then
    out.enum[#out.enum + 1] = not node.allowed.set[array.null] and array.null or nil
  elseif node.kind ~= "any" and node.kind ~= "null" then
    return { anyOf = list { out, { type = "null" } } }
  end
  return out
end

export = function(writer, node)
  local out = writers[node.kind](writer, node)
  if node.is_optional or node.is_nullable then
    out = allow_null(node, out)
  end
  if node.kind ~= "shape" then
    out.description = node.about
  end
  if node.has_default then
    out.default = copy(node:settled_default())
  end
  return out
end

--- The JSON Schema of a schema.
---@param node mooncrew.Schema
---@return table
function M.write(node)
  local writer = { root = node, names = {}, defs = {}, count = 0, embedded = 0 }
  local out = export(writer, node)
  if next(writer.defs) then
    out["$defs"] = writer.defs
  end
  out["$schema"] = M.DIALECT
  return out
end

return M
