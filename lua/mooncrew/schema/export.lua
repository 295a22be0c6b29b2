-- Writes a schema as JSON Schema, draft 2020-12: a plain table for json.encode, in which lists are marked as arrays.
--
-- It accepts exactly what the schema accepts. Hence two things that one might not expect: what is optional here may be
-- null as well as absent, so its type is ["string", "null"]; and an integer without limits has those of a double.

local array = require "mooncrew.json.array"
local int64 = require "mooncrew.json.int64"
local copy = require("mooncrew.schema.runtime").copy

local M = {}

M.DIALECT = "https://json-schema.org/draft/2020-12/schema"

local export -- forward: schemas hold schemas

local function list(items)
  return setmetatable(items, array.metatable)
end

local writers = {}

function writers.string(node)
  return { type = "string", minLength = node.min_length, maxLength = node.max_length, pattern = node.pattern }
end

function writers.integer(node)
  return { type = "integer", minimum = node.min or -int64.MAX_EXACT, maximum = node.max or int64.MAX_EXACT }
end

function writers.number(node)
  return { type = "number", minimum = node.min, maximum = node.max }
end

function writers.boolean()
  return { type = "boolean" }
end

function writers.int64()
  return { type = "integer", format = "int64" }
end

function writers.any()
  return {}
end

function writers.enum(node)
  return { enum = list(copy(node.values)) }
end

function writers.array(node)
  return { type = "array", items = export(node.item), minItems = node.min_items, maxItems = node.max_items }
end

function writers.map(node)
  return { type = "object", additionalProperties = export(node.value) }
end

function writers.object(node)
  local properties, required = {}, {}
  for name, field in pairs(node.fields) do
    properties[name] = export(field)
    if not field.is_optional then
      required[#required + 1] = name
    end
  end
  table.sort(required)
  local additional = nil
  if not node.allow_unknown then
    additional = false
  end
  return { type = "object", properties = properties, required = #required > 0 and list(required) or nil,
    additionalProperties = additional }
end

-- What is optional may be null.
local function allow_null(out)
  if out.enum then
    out.enum[#out.enum + 1] = array.null
  elseif out.type then
    out.type = list { out.type, "null" }
  end
end

export = function(node)
  local out = writers[node.kind](node)
  if node.is_optional then
    allow_null(out)
  end
  out.description = node.about
  if node.has_default then
    out.default = copy(node.default_value)
  end
  return out
end

--- The JSON Schema of a schema.
---@param node mooncrew.Schema
---@return table
function M.write(node)
  local out = export(node)
  out["$schema"] = M.DIALECT
  return out
end

return M
