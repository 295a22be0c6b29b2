-- Schemas: what a payload must look like. A schema validates, fills in defaults and marks arrays.
--
--   local user = schema.object {
--     name = schema.string { min_length = 1 },
--     age  = schema.integer { min = 0 }:optional(),
--     tags = schema.array(schema.string()):default({}),
--   }
--   local ok, value = user:validate { name = "ann" }     -- true, { name = "ann", tags = {} }
--   local ok, message = user:validate { name = 7 }       -- nil, "payload.name: expected string, got number"
--
-- Every value is required unless its schema is optional or has a default. Null counts as absent, except for `any`.
-- A schema never changes: its methods return a new one. Wrong definitions raise an error at the place of the mistake.

local compile = require "mooncrew.schema.compile"
local export = require "mooncrew.schema.export"
local json = require "mooncrew.json"
local runtime = require "mooncrew.schema.runtime"
local set_options = require "mooncrew.schema.options"

local M = {}

---@class mooncrew.Schema
---@field kind string
---@field about string?  set by :describe()
local Schema = {}
Schema.__index = Schema

--- Whether a value is a schema.
---@param value any
---@return boolean
function M.is(value)
  return getmetatable(value) == Schema
end

-- ---- definitions ----

local function define(kind, options, parts)
  local node = parts or {}
  node.kind = kind
  local message = set_options(node, options)
  if message then
    return nil, ("schema.%s: %s"):format(kind, message)
  end
  return setmetatable(node, Schema)
end

local function article(value)
  return ("a schema, got %s"):format(type(value))
end

--- A text. Lengths count characters; pattern is a regular expression (PCRE2) that is searched for anywhere in it.
---@param options? { min_length: integer?, max_length: integer?, pattern: string? }
---@return mooncrew.Schema
function M.string(options)
  local node, message = define("string", options)
  return node or error(message, 2)
end

--- A whole number that a double holds exactly: within ±(2^53 - 1).
---@param options? { min: integer?, max: integer? }
---@return mooncrew.Schema
function M.integer(options)
  local node, message = define("integer", options)
  return node or error(message, 2)
end

--- A finite number.
---@param options? { min: number?, max: number? }
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

--- A 64-bit integer, exact: int64_t in LuaJIT. In plain Lua 5.1 a number, and beyond ±(2^53 - 1) an error.
---@return mooncrew.Schema
function M.int64(options)
  local node, message = define("int64", options)
  return node or error(message, 2)
end

--- Anything, null too, which is json.null unless the schema is optional.
---@return mooncrew.Schema
function M.any(options)
  local node, message = define("any", options)
  return node or error(message, 2)
end

local function list_values(values)
  local set, shown = {}, {}
  for i, value in ipairs(values) do
    local kind = type(value)
    if kind ~= "string" and kind ~= "boolean" and not (kind == "number" and value == value) then
      return nil, ("value %d is a %s; texts, numbers and booleans are possible"):format(i, kind)
    end
    set[value] = true
    shown[i] = kind == "string" and ('"%s"'):format(value) or tostring(value)
  end
  return set, table.concat(shown, ", ")
end

--- One of the listed texts, numbers or booleans.
---@param values (string|number|boolean)[]
---@return mooncrew.Schema
function M.enum(values)
  if type(values) ~= "table" or #values == 0 then
    error("schema.enum: expected a list of values", 2)
  end
  local set, listed = list_values(values)
  if not set then
    error("schema.enum: " .. listed, 2)
  end
  return define("enum", nil, { set = set, listed = listed, values = runtime.copy(values) })
end

--- A list of items that all fit one schema.
---@param item mooncrew.Schema
---@param options? { min_items: integer?, max_items: integer? }
---@return mooncrew.Schema
function M.array(item, options)
  if not M.is(item) then
    error("schema.array: the item must be " .. article(item), 2)
  elseif item.is_optional and not item.has_default then
    error("schema.array: an item cannot be optional, it would leave a hole", 2)
  end
  local node, message = define("array", options, { item = item })
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

--- A table with named fields. Other fields are refused, unless allow_unknown keeps them as they are.
---@param fields table<string, mooncrew.Schema>
---@param options? { allow_unknown: boolean? }
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
---@return mooncrew.Schema
function M.map(value)
  if not M.is(value) then
    error("schema.map: the value must be " .. article(value), 2)
  end
  return define("map", nil, { value = value })
end

-- ---- methods ----

-- A copy with some things changed; it gets a validator of its own.
local function with(node, changes)
  local copy = {}
  for key, value in pairs(node) do
    copy[key] = value
  end
  for key, value in pairs(changes) do
    copy[key] = value
  end
  copy.run = nil
  return setmetatable(copy, Schema)
end

--- May be absent or null, and is nil then.
---@return mooncrew.Schema
function Schema:optional()
  return with(self, { is_optional = true })
end

--- May be absent or null, and is a copy of this value then. The value must fit the schema.
---@param value any
---@return mooncrew.Schema
function Schema:default(value)
  if value == nil then
    error("schema: default needs a value; use :optional() for none", 2)
  end
  local required = with(self, { is_optional = false, has_default = false })
  local ok, result = required:validate(value, "default")
  if not ok then
    error(("schema.%s: %s"):format(self.kind, result), 2)
  end
  return with(self, { is_optional = true, has_default = true, default_value = result })
end

--- Says for people what the value is.
---@param text string
---@return mooncrew.Schema
function Schema:describe(text)
  if type(text) ~= "string" then
    error("schema: describe needs a text, got " .. type(text), 2)
  end
  return with(self, { about = text })
end

local function check(self, value, decoded, name)
  local run = rawget(self, "run")
  if not run then
    run = compile(self)
    self.run = run
  end
  local ok, result, message = run(value, decoded)
  if ok then
    return true, result
  end
  return nil, name .. result .. ": " .. message
end

--- Validates a value and returns a completed copy; the value itself stays as it is.
---@param value any
---@param name? string  what a message calls the value; "payload" when left out
---@return true|nil ok
---@return any value    or, after nil, a message that begins with the path
function Schema:validate(value, name)
  return check(self, value, false, name or "payload")
end

--- Validates what the JSON decoder has just made, and completes it in place.
---@package
function Schema:check_decoded(value, name)
  return check(self, value, true, name)
end

--- Decodes a JSON text and validates it.
---@param text string
---@param name? string
---@return true|nil ok
---@return any value    or, after nil, a message that begins with the path
function Schema:decode(text, name)
  return json.decode(text, self, name)
end

--- The same as JSON Schema (draft 2020-12): a plain table for json.encode.
---@return table
function Schema:json_schema()
  return export.write(self)
end

--- The schema of the place to which keys lead (0-based numbers for items), nil where there is none.
---@param keys (string|number)[]
---@return mooncrew.Schema|nil
function Schema:find(keys)
  local node = self
  for _, key in ipairs(keys) do
    node = node.fields and node.fields[key] or node.item or node.value
    if not node then
      return nil
    end
  end
  return node
end

return M
