-- A schema: a kind, options, and the methods that all kinds have.

local compile = require "mooncrew.schema.compile"
local copy = require "mooncrew.copy"
local depth = require "mooncrew.schema.depth"
local export = require "mooncrew.schema.export"
local json = require "mooncrew.json"
local path = require "mooncrew.json.path"
local places = require "mooncrew.schema.places"

---@class mooncrew.Schema
---@field kind string
---@field about string?  set by :describe()
local Schema = {}
Schema.__index = Schema

--- A schema of these parts, which it keeps.
---@param parts table
---@return mooncrew.Schema
function Schema.new(parts)
  return setmetatable(parts, Schema)
end

--- Whether a value is a schema.
---@param value any
---@return boolean
function Schema.is(value)
  return getmetatable(value) == Schema
end

-- ---- other schemas from this one ----

-- A copy with some things changed; it gets a validator of its own.
local function with(node, changes)
  local changed = copy(node)
  for key, value in pairs(changes) do
    changed[key] = value
  end
  changed.validator = nil
  return setmetatable(changed, Schema)
end

--- May be absent or null, and is nil then.
---@return mooncrew.Schema
function Schema:optional()
  return with(self, { is_optional = true })
end

--- May be null, and is json.null then: another value than one that is absent.
---@return mooncrew.Schema
function Schema:nullable()
  return with(self, { is_nullable = true })
end

-- Raised where a schema.ref leads to nothing yet.
local Unresolved = { __tostring = function(self) return self.message end }

-- The default as the schema completes it; nil and what is wrong when it does not fit.
local function complete_default(self, value)
  local required = with(self, { is_optional = false, has_default = false })
  local ok, result = required:validate(value, "default")
  if not ok then
    return nil, ("schema%s: %s"):format(self.kind ~= "shape" and "." .. self.kind or "", result)
  end
  return result
end

--- May be absent or null, and is a copy of this value then. The value must fit the schema.
---@param value any
---@return mooncrew.Schema
function Schema:default(value)
  if value == nil then
    error("schema: default needs a value; use :optional() for none", 2)
  end
  local done, result, message = pcall(complete_default, self, value)
  local is_early = not done and getmetatable(result) == Unresolved -- its schema is not complete: looked at when used
  if not done and not is_early then
    error(result, 0)
  elseif message then
    error(message, 2)
  end
  return with(self, { is_optional = true, has_default = true, default_value = is_early and value or result,
    default_is_early = is_early })
end

--- What stands for an absent value.
---@package
function Schema:settled_default()
  if self.default_is_early then
    self.default_is_early = false
    local result, message = complete_default(self, self.default_value)
    self.default_value = message and error(message, 0) or result
  end
  return self.default_value
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

-- ---- validation ----

local function validator_of(self)
  local validator = rawget(self, "validator")
  if not validator then
    validator = compile(self)
    self.validator = validator
  end
  return validator
end

local MOST_ERRORS = 100

local function list_errors(self, value, decoded, name, most)
  local out = {}
  for i, one in ipairs(validator_of(self):errors(value, decoded, most or MOST_ERRORS)) do
    out[i] = { path = name .. one.steps, message = one.message }
  end
  return out
end

local function check(self, value, decoded, name)
  local ok, result = validator_of(self).run(value, decoded)
  if ok then
    return true, result
  end
  local first = list_errors(self, value, decoded, name, 1)[1]
  return nil, first.path .. ": " .. first.message
end

--- Validates a value and returns a completed copy; the value itself stays as it is.
---@param value any
---@param name? string  what a message calls the value; "payload" when left out
---@return true|nil ok
---@return any value    or, after nil, a message that begins with the path
function Schema:validate(value, name)
  name = name or "payload"
  local steps, message = depth.check(value)
  if steps then
    return nil, name .. steps .. ": " .. message
  end
  return check(self, value, false, name)
end

--- All that is wrong with a value, not just the first: a list with a path and a message for each, at most a hundred. It
--- is empty when the value fits.
---@param value any
---@param name? string  what the paths begin with; "payload" when left out
---@return {path: string, message: string}[]
function Schema:errors(value, name)
  name = name or "payload"
  local steps, message = depth.check(value)
  if steps then
    return { { path = name .. steps, message = message } }
  end
  return list_errors(self, value, false, name)
end

--- Validates what the JSON decoder has just made, and completes it in place.
---@package
function Schema:check_decoded(value, name)
  return check(self, value, true, name)
end

---@package
function Schema:errors_decoded(value, name)
  return list_errors(self, value, true, name)
end

--- Decodes a JSON text and validates it.
---@param text string
---@param name? string
---@return true|nil ok
---@return any value    or, after nil, a message that begins with the path
function Schema:decode(text, name)
  return json.decode(text, self, name)
end

--- All that is wrong with a JSON text. What is no JSON at all, or holds a number that cannot be read exactly, is one
--- error.
---@param text string
---@param name? string
---@return {path: string, message: string}[]
function Schema:decode_errors(text, name)
  name = name or "payload"
  local errors
  local ok, message = json.decode(text, setmetatable({ check_decoded = function(_, value)
    errors = list_errors(self, value, true, name)
    return true
  end }, { __index = self }), name)
  if ok then
    return errors
  end
  local steps, what = path.split(message:sub(#name + 1))
  return { { path = name .. steps, message = what } }
end

--- Whether 64-bit integers fit at the place to which keys lead (0-based numbers for items).
---@package
---@param keys (string|number)[]
---@return boolean
function Schema:takes_int64(keys)
  return places.take_int64(self, keys)
end

--- The same as JSON Schema (draft 2020-12): a plain table for json.encode.
---@return table
function Schema:json_schema()
  return export.write(self)
end

-- What a schema.ref stands for. Asked for only once it is used, when all that it may name is there.
---@package
function Schema:target()
  local target = self.resolve()
  if not Schema.is(target) then
    error(setmetatable({ message = "schema.ref: its function must return a schema, got " .. type(target) },
      Unresolved), 0)
  elseif target.is_optional then
    error("schema.ref: the schema of its function cannot be optional or have a default; the reference can", 0)
  end
  return target
end

return Schema
