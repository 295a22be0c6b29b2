-- The shape of a payload, from its JSON Schema: what a type of another language needs to know. Constraints that a
-- producer can check cheaply come along; all of them are checked again where the task runs.
--
-- What no struct can say (a choice between shapes, an enum of mixed values …) is of kind "any", with the reason: there
-- the generated types take JSON text.

local json = require "mooncrew.json"
local sort_keys = require "mooncrew.json.sort_keys"

-- LuaJIT 2.1.0-beta3, which Debian 12 has, now and then compiles this recursion so that a field of a deep struct comes
-- out as "any". The same scripts must give the same bytes, and nothing here is hot.
local jit = rawget(_G, "jit")
if jit then
  jit.off(true, true)
end

local M = {}

---@class mooncrew.gen.Shape
---@field kind "string"|"integer"|"number"|"boolean"|"enum"|"array"|"map"|"struct"|"any"
---@field nullable boolean|nil
---@field about string|nil
---@field default string|nil  JSON text
---@field why string|nil  any: what the schema says that no type can
---@field values string[]|nil  enum: the JSON texts
---@field of "string"|"integer"|nil  enum: what the values are
---@field item mooncrew.gen.Shape|nil  array, map
---@field struct mooncrew.gen.Struct|nil
---@field min number|nil
---@field max number|nil
---@field above number|nil  it must be more than this
---@field below number|nil
---@field min_size integer|nil  string: characters; array: items
---@field max_size integer|nil
---@field notes string[]|nil  of a string: what else it must be, for people

---@class mooncrew.gen.Struct
---@field fields mooncrew.gen.Field[]  by name
---@field open boolean  other fields are allowed
---@field recursive boolean  holds itself
---@field name string|nil  what the schema calls it, in "$defs"

---@class mooncrew.gen.Field
---@field name string
---@field shape mooncrew.gen.Shape
---@field required boolean

---@class mooncrew.gen.Reader
---@field root table
---@field fills_in boolean  a missing value gets its default
---@field structs table<table, mooncrew.gen.Struct>  by schema
---@field reading table<table, boolean>  schemas of objects that are being read
---@field resolving table<table, boolean>  targets of references that are being read
local Reader = {}
Reader.__index = Reader

local function any(why)
  return { kind = "any", why = why }
end

local function without_null(list)
  local kept, nullable = {}, false
  for _, value in ipairs(list) do
    if value == json.null then
      nullable = true
    else
      kept[#kept + 1] = value
    end
  end
  return kept, nullable
end

local function all_are(list, test)
  for _, value in ipairs(list) do
    if not test(value) then
      return false
    end
  end
  return true
end

local function is_string(value)
  return type(value) == "string"
end

local function is_integer(value)
  return type(value) == "cdata" or type(value) == "number" and value % 1 == 0 and math.abs(value) < 2 ^ 53
end

local function read_enum(node)
  local values, nullable = without_null(node.enum or { node.const })
  local of = all_are(values, is_string) and "string" or all_are(values, is_integer) and "integer"
  if #values == 0 or not of then
    return any "an enum of values that are neither all texts nor all integers"
  end
  local texts = {}
  for i, value in ipairs(values) do
    texts[i] = assert(json.encode(value))
  end
  return { kind = "enum", of = of, values = texts, nullable = nullable }
end

-- The schema behind "#", "#/$defs/name" and the like; nil for what stands elsewhere.
local function resolve(root, ref)
  local node = root
  if ref:sub(1, 1) ~= "#" then
    return nil
  end
  for step in ref:sub(2):gmatch "/([^/]*)" do
    step = step:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
    step = step:gsub("~1", "/"):gsub("~0", "~")
    node = type(node) == "table" and (node[step] or node[tonumber(step) and tonumber(step) + 1]) or nil
  end
  return ref:find "^#/" and node or ref == "#" and root or nil
end

local kinds = {}

function kinds.string(_, node)
  local notes = {}
  for _, name in ipairs { "format", "pattern" } do
    if node[name] then
      notes[#notes + 1] = ("%s: %s"):format(name, tostring(node[name]))
    end
  end
  return { kind = "string", min_size = node.minLength, max_size = node.maxLength, notes = notes }
end

local function read_number(kind, node)
  return { kind = kind, min = node.minimum, max = node.maximum, above = node.exclusiveMinimum,
    below = node.exclusiveMaximum }
end

function kinds.integer(_, node)
  return read_number("integer", node)
end

function kinds.number(_, node)
  return read_number("number", node)
end

function kinds.boolean()
  return { kind = "boolean" }
end

function kinds.array(self, node)
  if node.prefixItems then
    return any "an array whose items have shapes by place"
  end
  return { kind = "array", item = self:read(node.items), min_size = node.minItems, max_size = node.maxItems }
end

local function read_map(self, node)
  local values = node.additionalProperties
  return { kind = "map", item = self:read(values), min_size = node.minProperties, max_size = node.maxProperties }
end

local function names_of(properties)
  local names = {}
  for name in pairs(properties) do
    names[#names + 1] = name
  end
  return sort_keys(names, #names)
end

local function read_fields(self, node, struct)
  local required, properties = {}, {}
  for name, property in pairs(node.properties or {}) do
    properties[name] = property
  end
  for _, name in ipairs(node.required or {}) do
    required[name] = true
    properties[name] = properties[name] == nil and true or properties[name]
  end
  for i, name in ipairs(names_of(properties)) do
    struct.fields[i] = { name = name, shape = self:read(properties[name]), required = required[name] or false }
  end
end

function kinds.object(self, node)
  if node.patternProperties and next(node.patternProperties) ~= nil then
    return any "fields whose names are given by a pattern"
  elseif not next(node.properties or {}) and not (node.required and node.required[1])
    and node.additionalProperties ~= false then
    return read_map(self, node)
  end
  local struct = self.structs[node]
  if struct then
    struct.recursive = struct.recursive or self.reading[node] or false
    return { kind = "struct", struct = struct }
  end
  struct = { fields = {}, open = node.additionalProperties ~= false, recursive = false }
  self.structs[node] = struct
  self.reading[node] = true
  read_fields(self, node, struct)
  self.reading[node] = nil
  return { kind = "struct", struct = struct }
end

-- One shape or null is a shape that may be null; any other choice has no type.
local function read_choice(self, options)
  local shapes, nullable = {}, false
  for _, option in ipairs(options) do
    if type(option) == "table" and option.type == "null" then
      nullable = true
    else
      shapes[#shapes + 1] = option
    end
  end
  if #shapes ~= 1 then
    return any "one of several shapes"
  end
  local shape = self:read(shapes[1])
  shape.nullable = shape.nullable or nullable or nil
  return shape
end

local function read_reference(self, node)
  local target = resolve(self.root, node["$ref"])
  if type(target) ~= "table" then
    return any(("a reference: %s"):format(node["$ref"]))
  elseif self.resolving[target] and not self.structs[target] then
    return any "a shape that holds itself, and is no object"
  end
  local before = self.resolving[target]
  self.resolving[target] = true
  local shape = self:read(target)
  self.resolving[target] = before
  local name = node["$ref"]:match "/([^/]+)$"
  if shape.struct and name and not name:find "^recursive%d+$" then -- that is ours, and says nothing
    shape.struct.name = shape.struct.name or name
  end
  return shape
end

local function types_of(node)
  local types, nullable = {}, false
  for _, name in ipairs(type(node.type) == "table" and node.type or { node.type }) do
    if name == "null" then
      nullable = true
    else
      types[#types + 1] = name
    end
  end
  return types, nullable
end

local function read_typed(self, node)
  local types, nullable = types_of(node)
  local kind = types[1] or node.properties and "object"
  if not kinds[kind] or #types > 1 then
    return any(#types > 1 and "one of several types" or nil)
  end
  local shape = kinds[kind](self, node)
  shape.nullable = nullable or nil
  return shape
end

local SHAPING = { "$ref", "$dynamicRef", "properties", "type", "anyOf", "oneOf", "allOf", "enum", "const", "items",
  "additionalProperties", "patternProperties" }

-- Whether a schema only narrows down what another one beside it says.
local function narrows(node)
  for _, keyword in ipairs(type(node) == "table" and SHAPING or {}) do
    if node[keyword] ~= nil then
      return false
    end
  end
  return true
end

local function read_conjunction(self, node)
  if node.type == nil and node.properties == nil then
    return #node.allOf == 1 and self:read(node.allOf[1]) or any "several shapes at once"
  end
  return all_are(node.allOf, narrows) and read_typed(self, node) or any "several shapes at once"
end

local function read_disjunction(self, node)
  local options = node.anyOf or node.oneOf
  if node.type ~= nil or node.properties ~= nil then
    return all_are(options, narrows) and read_typed(self, node) or any "one of several shapes"
  end
  return read_choice(self, options)
end

local function read_shape(self, node)
  if node["$ref"] then
    return read_reference(self, node)
  elseif node["$dynamicRef"] then
    return any(("a reference: %s"):format(node["$dynamicRef"]))
  elseif node.enum or node.const ~= nil then
    return read_enum(node)
  elseif node.anyOf or node.oneOf then
    return read_disjunction(self, node)
  elseif node.allOf then
    return read_conjunction(self, node)
  end
  return read_typed(self, node)
end

--- The shape of a schema; the table is the caller's.
---@param node table|boolean|nil
---@return mooncrew.gen.Shape
function Reader:read(node)
  if type(node) ~= "table" then
    return any()
  end
  local root = self.root
  self.root = node["$id"] and node or root -- its references start at itself
  local shape = read_shape(self, node)
  self.root = root
  shape.about = node.description or shape.about
  if node.default ~= nil and self.fills_in then
    shape.default = json.encode(node.default)
  end
  return shape
end

--- The bounds of a number: of each the limit, the operator that tells that a value is beyond it, and what it must be.
---@param shape mooncrew.gen.Shape
---@return { [1]: number, [2]: string, [3]: string }[]
function M.bounds(shape)
  local list = {}
  local function add(limit, operator, words)
    if limit ~= nil then
      list[#list + 1] = { limit, operator, words }
    end
  end
  add(shape.min, "<", "at least")
  add(shape.above, "<=", "more than")
  add(shape.max, ">", "at most")
  add(shape.below, ">=", "less than")
  return list
end

--- The shape of a payload.
---@param schema table  JSON Schema, as definition:json_schema() gives it
---@param fills_in boolean|nil  false: `default` is a remark, as in JSON Schema's own terms
---@return mooncrew.gen.Shape
function M.read(schema, fills_in)
  local reader = { root = schema, fills_in = fills_in ~= false, structs = {}, reading = {}, resolving = {} }
  return setmetatable(reader, Reader):read(schema)
end

return M
