-- crew.task: defines and registers a task type. What it returns, the definition, is also the type's distributor.

local distribute = require "mooncrew.distribute"
local json = require "mooncrew.json"
local native = require "mooncrew.native"
local place = require "mooncrew.place"
local normalize = require("mooncrew.options").normalize
local read_retry = require "mooncrew.retry"
local registry = require "mooncrew.registry"
local schemas = require "mooncrew.schema"
local unknown = require "mooncrew.unknown"

---@class mooncrew.Definition
---@field type string  the task type, or a prefix when it ends in "*"
---@field options table  the options declared: queue max_retry timeout unique retention
---@field payload mooncrew.Schema|"raw"|nil
---@field perform fun(payload: any, task: mooncrew.Context): any
---@field retry mooncrew.RetryFunction|nil
---@field description string|nil
---@field source string  "file:line"
local Definition = {}
Definition.__index = Definition

local ANY = schemas.any()

local OPTIONS = { "queue", "max_retry", "timeout", "unique", "retention" }
local FIELDS = { payload = true, perform = true, retry = true, description = true }
for _, name in ipairs(OPTIONS) do
  FIELDS[name] = true
end

local function is_schema(value)
  return type(value) == "table" and type(value.validate) == "function" and type(value.decode) == "function"
end

-- Each check returns nothing when all is well, else what is wrong.
local checks = {
  perform = function(value)
    if type(value) ~= "function" then
      return ("expected function, got %s"):format(type(value))
    end
  end,
  payload = function(value)
    if value ~= nil and value ~= "raw" and not is_schema(value) then
      return 'expected a schema (crew.schema.object { … }) or "raw"'
    end
  end,
  description = function(value)
    if value ~= nil and type(value) ~= "string" then
      return ("expected string, got %s"):format(type(value))
    end
  end,
}

local function check_name(name)
  if type(name) ~= "string" or name == "" then
    return "the task type must be a string that is not empty"
  elseif name:find("%z") or not native.utf8_valid(name) then
    return "the task type must be valid UTF-8 without NUL"
  elseif name:find("*", 1, true) and not name:find("^[^*]+%*$") then
    return ('task "%s": "*" stands for the rest of a name, so it can only end it'):format(name)
  end
end

local function check_fields(def)
  for field in pairs(def) do
    if not FIELDS[field] then
      return (unknown("field", field, FIELDS))
    end
  end
  for field, check in pairs(checks) do
    local wrong = check(def[field])
    if wrong then
      return ("%s: %s"):format(field, wrong)
    end
  end
end

local function declared_options(def)
  local options = {}
  for _, name in ipairs(OPTIONS) do
    options[name] = def[name]
  end
  local ok, message = normalize(options)
  if not ok then
    return nil, message
  end
  return options
end

-- What the worker will see, which checks again: a default may break what counts fields, or asks for others beside them.
local function complete(schema, payload)
  local ok, value = schema:validate(payload)
  if not ok or value == payload then
    return ok, value
  end
  local again, message = schema:validate(value)
  if not again then
    return nil, message .. " (once defaults are filled in)"
  end
  return true, value
end

--- The payload as the bytes that travel.
---@param payload any
---@return string|nil bytes, string|nil message, string|nil code
function Definition:encode(payload)
  local schema = self.payload
  if schema == "raw" then
    if payload ~= nil and type(payload) ~= "string" then
      return nil, ("payload: expected string (raw bytes), got %s"):format(type(payload)), "INVALID_PAYLOAD"
    end
    return payload or ""
  elseif schema then
    local ok, value = complete(schema, payload)
    if not ok then
      return nil, value, "INVALID_PAYLOAD"
    end
    payload = value
  end
  if payload == nil then
    return ""
  end
  return json.encode(payload)
end

--- The payload from the bytes that came.
---@param bytes string
---@return true|nil, any value  the value, or why it does not fit (it begins with the path)
function Definition:decode(bytes)
  local schema = self.payload
  if schema == "raw" then
    return true, bytes
  elseif schema then
    if bytes == "" then
      return schema:validate(nil)
    end
    return schema:decode(bytes)
  elseif bytes == "" then
    return true, nil
  end
  return json.decode(bytes)
end

--- Whether a payload fits, and what it is once it is completed. Without a schema everything fits.
---@param payload any
---@return true|nil ok
---@return any value  or, after nil, what is wrong first; it begins with the path
function Definition:validate(payload)
  local schema = self.payload
  if schema == "raw" or not schema then
    return true, payload
  end
  return schema:validate(payload)
end

--- All that is wrong with a payload, a hundred errors at most. None when it fits.
---@param payload any
---@return {path: string, message: string}[]
function Definition:errors(payload)
  local schema = self.payload
  return schema and schema ~= "raw" and schema:errors(payload) or {}
end

--- All that is wrong with the bytes of a payload. None when they fit.
---@param bytes string
---@return {path: string, message: string}[]
function Definition:decode_errors(bytes)
  local schema = self.payload
  if schema == "raw" or not schema and bytes == "" then
    return {}
  elseif bytes == "" then
    return schema:errors(nil)
  end
  return (schema or ANY):decode_errors(bytes)
end

--- Validates the payload and enqueues a task of this type.
---@param payload any
---@param options table|nil
---@return table|nil info, string|nil message, string|nil code
function Definition:enqueue(payload, options)
  if self.type:sub(-1) == "*" then
    error(('"%s" stands for many types: name one, as in crew.enqueue("%s", …)'):format(self.type,
      (self.type:gsub("%*$", "resize"))), 2)
  end
  return distribute.enqueue(self, payload, options)
end

--- What the payload must look like, as JSON Schema (draft 2020-12) with the task type as its title. Without a payload
--- schema: one that accepts any JSON. Nil for raw payloads, which are no JSON.
---@return table|nil
function Definition:json_schema()
  local schema = self.payload
  if schema == "raw" then
    return nil
  end
  local out = schema and schema:json_schema() or ANY:json_schema()
  out.title = self.type
  out.description = out.description or self.description
  return out
end

local function build(name, def, source)
  local wrong = check_fields(def)
  if wrong then
    return nil, wrong
  end
  local options, message = declared_options(def)
  if not options then
    return nil, message
  end
  local retry
  if def.retry ~= nil then
    retry, message = read_retry(def.retry)
    if not retry then
      return nil, "retry" .. message
    end
  end
  return setmetatable({ type = name, options = options, payload = def.payload, perform = def.perform, retry = retry,
    description = def.description, source = source }, Definition)
end

--- Defines and registers a task type. Mistakes in the definition raise, and so does a type that is taken.
---@param name string  the task type; "image:*" serves every type that begins with "image:"
---@param def table  queue max_retry timeout unique retention payload perform retry description
---@return mooncrew.Definition
local function task(name, def)
  local wrong = check_name(name)
  if wrong then
    error(wrong, 2)
  elseif type(def) ~= "table" then
    error(('task "%s": the definition must be a table, got %s'):format(name, type(def)), 2)
  end
  local definition, message = build(name, def, place.of_caller(2))
  if not definition then
    error(('task "%s": %s'):format(name, message), 2)
  end
  local ok, taken = registry.add(definition)
  if not ok then
    error(taken, 2)
  end
  return definition
end

return task
