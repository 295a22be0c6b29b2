-- The shape of a payload, from its JSON Schema: what a type of another language needs to know. Constraints that a
-- producer can check cheaply come along; all of them are checked again where the task runs.
--
-- What no struct can say (a choice between shapes, an enum of mixed values …) is of kind "any", with the reason: there
-- the generated types take JSON text.

local json = require "mooncrew.json"
local limits = require "mooncrew.gen.limits"
local narrowing = require "mooncrew.gen.narrows"
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
---@field multiples number[]|nil  integer: it must be a multiple of each
---@field min_size integer|nil  string: characters; array: items
---@field max_size integer|nil
---@field unique boolean|nil  array: no two items are equal
---@field notes string[]|nil  what else it must be, for people: formats and patterns
---@field unchecked string[]|nil  keywords that only the worker checks

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

local function unescape(step)
  step = step:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
  return (step:gsub("~1", "/"):gsub("~0", "~"))
end

-- The schema behind "#", "#/$defs/name" and the like; nil for what stands elsewhere.
local function resolve(root, ref)
  local node = root
  if ref:sub(1, 1) ~= "#" then
    return nil
  end
  for step in ref:sub(2):gmatch "/([^/]*)" do
    step = unescape(step)
    node = type(node) == "table" and (node[step] or node[tonumber(step) and tonumber(step) + 1]) or nil
  end
  return ref:find "^#/" and node or ref == "#" and root or nil
end

local kinds = {}

function kinds.string()
  return { kind = "string" }
end

function kinds.integer(_, node)
  local shape = { kind = "integer" }
  limits.bound_integer(shape, node)
  return shape
end

function kinds.number()
  return { kind = "number" }
end

function kinds.boolean()
  return { kind = "boolean" }
end

function kinds.array(self, node)
  if node.prefixItems then
    return any "an array whose items have shapes by place"
  end
  return { kind = "array", item = self:read(node.items) }
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
    return { kind = "map", item = self:read(node.additionalProperties) }
  end
  local struct = self.structs[node]
  if struct then
    struct.recursive = struct.recursive or self.reading[node] or false
    return { kind = "struct", struct = struct }
  end
  struct = { fields = {}, recursive = false,
    open = node.additionalProperties ~= false and node.unevaluatedProperties ~= false }
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

-- Whether what stands beside a reference says no more than what is behind it.
local function narrows_beside(node, target)
  local beside = {}
  for keyword, value in pairs(node) do
    beside[keyword] = value
  end
  beside["$ref"] = nil
  return narrowing.narrows(beside, target)
end

-- What it was called, unless that is ours ("recursive1"), and says nothing.
local function name_of(ref)
  local name = ref:match "/([^/]+)$"
  return name and not name:find "^recursive%d+$" and unescape(name) or nil
end

local function read_reference(self, node)
  local ref = node["$ref"]
  local target = resolve(self.root, ref)
  if type(target) ~= "table" then
    return any(target == nil and ("a reference: %s"):format(ref) or nil)
  elseif self.resolving[target] and not self.structs[target] then
    return any "a shape that holds itself, and is no object"
  elseif not narrows_beside(node, target) then
    return any "several shapes at once"
  end
  local before = self.resolving[target]
  self.resolving[target] = true
  local shape = self:read(target)
  self.resolving[target] = before
  if shape.struct then
    shape.struct.name = shape.struct.name or name_of(ref)
  end
  return shape, "$ref"
end

local function types_of(node)
  local types, has = {}, {}
  for _, name in ipairs(type(node.type) == "table" and node.type or { node.type }) do
    has[name] = true
    if name ~= "null" then
      types[#types + 1] = name
    end
  end
  if #types == 2 and has.integer and has.number then
    types = { "number" } -- of which integers are a part
  end
  return types, has.null
end

local function read_typed(self, node)
  local types, nullable = types_of(node)
  local kind = types[1] or node.properties and "object"
  if #types > 1 then
    return any "one of several types"
  elseif not kinds[kind] then
    return any(nullable and "null" or nil)
  elseif not narrowing.parts_narrow(node, node) then
    return any "fields that depend on others"
  end
  local shape = kinds[kind](self, node)
  shape.nullable = nullable
  return shape
end

local function only_narrow(list, node)
  return all_are(list, function(schema) return narrowing.narrows(schema, node) end)
end

-- The demands of several schemas on one value.
local function read_conjunction(self, node)
  if node.type == nil and node.properties == nil then
    if #node.allOf == 1 then
      return self:read(node.allOf[1]), "allOf"
    end
  elseif only_narrow(node.allOf, node) then
    local shape = read_typed(self, node)
    for _, schema in ipairs(node.allOf) do
      limits.narrow(shape, type(schema) == "table" and schema or { ["not"] = not schema or nil })
    end
    return shape, "allOf"
  end
  return any "several shapes at once"
end

local function read_disjunction(self, node)
  local options = node.anyOf or node.oneOf
  if node.type ~= nil or node.properties ~= nil then
    return only_narrow(options, node) and read_typed(self, node) or any "one of several shapes"
  end
  return read_choice(self, options), node.anyOf and "anyOf" or "oneOf"
end

-- Also the keyword out of which the shape was read.
local function read_shape(self, node)
  if node["$ref"] then
    return read_reference(self, node)
  elseif node["$dynamicRef"] then
    return any(("a reference: %s"):format(node["$dynamicRef"]))
  elseif node.enum or node.const ~= nil then
    return read_enum(node), node.enum and "enum" or "const"
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
    return any(node == false and "nothing fits" or nil)
  end
  local root = self.root
  self.root = node["$id"] and node or root -- its references start at itself
  local shape, keyword = read_shape(self, node)
  self.root = root
  if not shape.why then -- which says already that the schema must be looked at
    limits.narrow(shape, node, keyword)
  end
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
