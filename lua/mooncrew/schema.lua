-- Schemas: what a payload must look like. A schema validates, fills in defaults and marks arrays.
--
--   local user = schema.object {
--     name = schema.string { min_length = 1 },
--     age  = schema.integer { min = 0 }:optional(),
--     tags = schema.array(schema.string()):default({}),
--   }
--   local ok, value = user:validate { name = "ann" }     -- true, { name = "ann", tags = {} }
--   local ok, message = user:validate { name = 7 }       -- nil, "payload.name: expected string, got number"
--   local errors = user:errors { age = -1 }              -- all that is wrong, with the path of each
--
-- Every value is required unless its schema is optional or has a default. Null counts as absent, except for `any`,
-- `null`, what is nullable, and what is made of those. A schema never changes: its methods return a new one. Wrong
-- definitions raise an error at the place of the mistake.

local from_json_schema = require "mooncrew.schema.import"
local runtime = require "mooncrew.schema.runtime"
local set_options = require "mooncrew.schema.options"
local values_of = require "mooncrew.schema.values"

local Schema = require "mooncrew.schema.node"

local M = {}

--- Whether a value is a schema.
---@type fun(value: any): boolean
M.is = Schema.is

local function define(kind, options, parts)
  local node = parts or {}
  node.kind = kind
  local message = set_options(node, options)
  if message then
    return nil, ("schema.%s: %s"):format(kind, message)
  end
  return Schema.new(node)
end

local function article(value)
  return ("a schema, got %s"):format(type(value))
end

-- ---- single values ----

--- A text. Lengths count characters; pattern is a regular expression (PCRE2) that is searched for anywhere in it.
---@param options? { min_length: integer?, max_length: integer?, pattern: string?, format: string? }
---@return mooncrew.Schema
function M.string(options)
  local node, message = define("string", options)
  return node or error(message, 2)
end

--- A whole number that a double holds exactly: within ±(2^53 - 1).
---@param options? { min: integer?, max: integer?, exclusive_min: integer?, exclusive_max: integer?,
---  multiple_of: integer? }
---@return mooncrew.Schema
function M.integer(options)
  local node, message = define("integer", options)
  return node or error(message, 2)
end

--- A finite number.
---@param options? { min: number?, max: number?, exclusive_min: number?, exclusive_max: number?, multiple_of: number? }
---@return mooncrew.Schema
function M.number(options)
  local node, message = define("number", options)
  return node or error(message, 2)
end

---@return mooncrew.Schema
function M.boolean(options)
  local node, message = define("boolean", options)
  return node or error(message, 2)
end

--- A 64-bit integer, exact: int64_t in LuaJIT. In plain Lua 5.1 a number, and beyond ±(2^53 - 1) an error. Limits are
--- numbers or int64_t.
---@param options? { min: any, max: any, exclusive_min: any, exclusive_max: any, multiple_of: any }
---@return mooncrew.Schema
function M.int64(options)
  local node, message = define("int64", options)
  return node or error(message, 2)
end

--- Null, and nothing else: json.null.
---@return mooncrew.Schema
function M.null(options)
  local node, message = define("null", options)
  return node or error(message, 2)
end

--- Anything, null too, which is json.null unless the schema is optional.
---@return mooncrew.Schema
function M.any(options)
  local node, message = define("any", options)
  return node or error(message, 2)
end

--- One of the listed values: texts, numbers, booleans, json.null, arrays, objects.
---@param values any[]
---@return mooncrew.Schema
function M.enum(values)
  if type(values) ~= "table" or #values == 0 then
    error("schema.enum: expected a list of values", 2)
  end
  local allowed, message = values_of.allowed(runtime.copy(values))
  if not allowed then
    error("schema.enum: " .. message, 2)
  end
  return define("enum", nil, { allowed = allowed })
end

--- This very value: a text, number, boolean, json.null, array or object.
---@param value any
---@return mooncrew.Schema
function M.const(value)
  if value == nil then
    error("schema.const: expected a value; json.null is null", 2)
  end
  local allowed, message = values_of.allowed { runtime.copy(value) }
  if not allowed then
    error("schema.const: " .. message, 2)
  end
  return define("const", nil, { allowed = allowed })
end

-- ---- arrays and objects ----

local function check_item(item, what)
  if not M.is(item) then
    return what .. " must be " .. article(item)
  elseif item.is_optional and not item.has_default then
    return "an item cannot be optional, it would leave a hole"
  end
end

--- A list of items that all fit one schema.
---@param item mooncrew.Schema
---@param options? { min_items: integer?, max_items: integer?, unique_items: boolean?, contains: mooncrew.Schema?,
---  min_contains: integer?, max_contains: integer? }
---@return mooncrew.Schema
function M.array(item, options)
  local problem = check_item(item, "the item")
  if problem then
    error("schema.array: " .. problem, 2)
  end
  local node, message = define("array", options, { item = item })
  return node or error(message, 2)
end

--- A list whose items each have a schema of their own. There are as many as schemas, or more when there is one for the
--- rest.
---@param items mooncrew.Schema[]
---@param options? { rest: mooncrew.Schema?, max_items: integer?, unique_items: boolean?, contains: mooncrew.Schema? }
---@return mooncrew.Schema
function M.tuple(items, options)
  if type(items) ~= "table" or M.is(items) or #items == 0 then
    error("schema.tuple: expected a list of schemas", 2)
  end
  local own = {}
  for i, item in ipairs(items) do
    local problem = check_item(item, "item " .. i)
    if problem then
      error("schema.tuple: " .. problem, 2)
    end
    own[i] = item
  end
  local node, message = define("tuple", options, { items = own })
  return node or error(message, 2)
end

local function check_fields(fields)
  if type(fields) ~= "table" or M.is(fields) then
    return "expected a table of fields, got " .. (M.is(fields) and "a schema" or type(fields))
  end
  for name, field in pairs(fields) do
    if type(name) ~= "string" then
      return ("field names are strings, got %s"):format(tostring(name))
    elseif not M.is(field) then
      return ('field "%s" must be %s'):format(name, article(field))
    end
  end
end

--- A table with named fields. Other fields are refused, unless allow_unknown keeps them as they are, a pattern of their
--- name or additional_properties gives them a schema.
---@param fields table<string, mooncrew.Schema>
---@param options? { allow_unknown: boolean?, additional_properties: mooncrew.Schema?,
---  pattern_properties: table<string, mooncrew.Schema>?, property_names: mooncrew.Schema?, min_properties: integer?,
---  max_properties: integer?, dependent_required: table<string, string[]>?,
---  dependent_schemas: table<string, mooncrew.Schema>? }
---@return mooncrew.Schema
function M.object(fields, options)
  local problem = check_fields(fields)
  if problem then
    error("schema.object: " .. problem, 2)
  end
  local own = {}
  for name, field in pairs(fields) do
    own[name] = field
  end
  local node, message = define("object", options, { fields = own })
  return node or error(message, 2)
end

--- A table with any names, whose values all fit one schema.
---@param value mooncrew.Schema
---@param options? { property_names: mooncrew.Schema?, min_properties: integer?, max_properties: integer? }
---@return mooncrew.Schema
function M.map(value, options)
  if not M.is(value) then
    error("schema.map: the value must be " .. article(value), 2)
  end
  local node, message = define("map", options, { value = value })
  return node or error(message, 2)
end

-- ---- schemas of schemas ----

local function check_branch(branch, what)
  if not M.is(branch) then
    return what .. " must be " .. article(branch)
  elseif branch.is_optional then
    return what .. " cannot be optional or have a default; what is made of it can"
  end
end

local function combine(kind, branches)
  if type(branches) ~= "table" or M.is(branches) or #branches == 0 then
    return nil, ("schema.%s: expected a list of schemas"):format(kind)
  end
  local own = {}
  for i, branch in ipairs(branches) do
    local problem = check_branch(branch, "schema " .. i)
    if problem then
      return nil, ("schema.%s: %s"):format(kind, problem)
    end
    own[i] = branch
  end
  return define(kind, nil, { branches = own })
end

--- What fits at least one of the schemas; it is what the first that fits makes of it.
---@param schemas mooncrew.Schema[]
---@return mooncrew.Schema
function M.any_of(schemas)
  local node, message = combine("any_of", schemas)
  return node or error(message, 2)
end

--- What fits exactly one of the schemas.
---@param schemas mooncrew.Schema[]
---@return mooncrew.Schema
function M.one_of(schemas)
  local node, message = combine("one_of", schemas)
  return node or error(message, 2)
end

--- What fits all of the schemas, each of which gets what the one before made of it. Objects among them need
--- allow_unknown, or each would refuse the fields of the others.
---@param schemas mooncrew.Schema[]
---@return mooncrew.Schema
function M.all_of(schemas)
  local node, message = combine("all_of", schemas)
  return node or error(message, 2)
end

--- What does not fit the schema.
---@param refused mooncrew.Schema
---@return mooncrew.Schema
function M.not_(refused)
  local problem = check_branch(refused, "it")
  if problem then
    error("schema.not_: " .. problem, 2)
  end
  return define("not", nil, { branches = { refused } })
end

--- What fits `yes` where it fits `condition`, and `no` where it does not. One of them may be nil: then all fits there.
---@param condition mooncrew.Schema
---@param yes mooncrew.Schema|nil
---@param no? mooncrew.Schema
---@return mooncrew.Schema
function M.when(condition, yes, no)
  local problem = check_branch(condition, "the condition") or yes ~= nil and check_branch(yes, "the second")
    or no ~= nil and check_branch(no, "the third") or not yes and not no and "expected a schema besides the condition"
  if problem then
    error("schema.when: " .. problem, 2)
  end
  return define("when", nil, { condition = condition, yes = yes, no = no })
end

--- The schema that a function returns, asked for when it is first needed: so a schema can contain itself.
---
---   local tree
---   tree = schema.object { value = schema.any(), children = schema.array(schema.ref(function() return tree end)) }
---@param resolve fun(): mooncrew.Schema
---@return mooncrew.Schema
function M.ref(resolve)
  if type(resolve) ~= "function" then
    error("schema.ref: expected a function that returns a schema, got " .. type(resolve), 2)
  end
  return define("ref", nil, { resolve = resolve })
end

--- The schema that a JSON Schema (draft 2020-12) describes, in the terms of the standard: fields that it does not name
--- are allowed unless it refuses them, null is not absence, and `default` is a remark that fills in nothing. Keywords
--- that are not supported (mooncrew.schema.keywords lists them) raise, with the place where they stand.
---@param description table|boolean  decoded, as json.decode gives it, or written in Lua
---@return mooncrew.Schema
function M.from_json_schema(description, ...)
  if select("#", ...) > 0 then -- a decoded `true`, the schema of everything, would hide what was meant
    error("schema.from_json_schema: takes one value; crew.json.decode returns two, true and what it decoded", 2)
  end
  local node, message = from_json_schema(description)
  return node or error("schema.from_json_schema: " .. message, 2)
end

return M
