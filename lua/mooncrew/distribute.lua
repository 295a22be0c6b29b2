-- Enqueueing from Lua, wherever it runs: the payload is checked and encoded here, and handed to a backend. A worker
-- puts its own in place, which sends a frame to the supervisor; elsewhere it is a client on MOONCREW_REDIS, opened when
-- it is first needed.

local json = require "mooncrew.json"
local options_of = require "mooncrew.options"
local registry = require "mooncrew.registry"
local value_size = require "mooncrew.value_size"

local M = {}

---@class mooncrew.Info  a task that was accepted
---@field id string
---@field queue string
---@field type string
---@field state "pending"|"scheduled"|"aggregating"
---@field process_at integer|nil  unix seconds, when scheduled

local function is_definition(value)
  return type(value) == "table" and type(value.type) == "string" and type(value.encode) == "function"
end

-- The type to enqueue, and the definition that is registered for it, if any.
local function resolve(target, level)
  local name, definition = target, nil
  if is_definition(target) then
    name, definition = target.type, target
  elseif type(target) == "string" then
    definition = registry.find(target)
  else
    error(("enqueue: expected a task type (string) or a definition, got %s"):format(type(target)), level + 1)
  end
  if definition and definition.type == name and name:sub(-1) == "*" then
    error(('enqueue: "%s" stands for many types: name one of them'):format(name), level + 1)
  end
  return name, definition
end

-- Without a definition: a string goes as it is, nil is empty, anything else is JSON.
local function to_bytes(definition, payload)
  if definition then
    return definition:encode(payload)
  elseif payload == nil then
    return ""
  elseif type(payload) == "string" then
    return payload
  end
  return json.encode(payload)
end

local function encode(definition, payload)
  local bytes, message, code = to_bytes(definition, payload)
  if not bytes then
    return nil, message, code
  end
  local fits, why = value_size.check("payload", bytes)
  return fits and bytes, why, not fits and "INVALID_PAYLOAD" or nil
end

--- Checks a task and makes it ready for a backend.
---@param target string|mooncrew.Definition
---@param payload any
---@param options mooncrew.Options|nil
---@param level integer|nil  of the caller to blame for wrong types, as in error(); 2 unless given
---@return string|nil type, string|nil bytes_or_message, mooncrew.NormalOptions|string|nil normal_or_code
function M.prepare(target, payload, options, level)
  level = (level or 2) + 1
  local name, definition = resolve(target, level)
  if options ~= nil and type(options) ~= "table" then
    error(("enqueue: options: expected table, got %s"):format(type(options)), level)
  end
  local bytes, message, code = encode(definition, payload)
  if not bytes then
    return nil, message, code
  end
  local normal
  normal, message, code = options_of.normalize(options_of.merge(definition and definition.options, options))
  if not normal then
    return nil, message, code
  end
  return name, bytes, normal
end

local own_client

local function enqueue_by_client(name, bytes, normal)
  if not own_client then
    local message, code
    own_client, message, code = require("mooncrew.client").open()
    if not own_client then
      return nil, message, code
    end
  end
  return own_client:send(name, bytes, normal)
end

--- What takes a prepared task on: (type, bytes, normal options) → info | nil, message, code.
---@type fun(type: string, bytes: string, normal: mooncrew.NormalOptions): mooncrew.Info|nil, string|nil, string|nil
M.backend = enqueue_by_client

--- Validates the payload by its definition, if the type has one here, and enqueues the task.
---@param target string|mooncrew.Definition  a task type or what crew.task returned
---@param payload any
---@param options mooncrew.Options|nil
---@return mooncrew.Info|nil info, string|nil message, string|nil code
function M.enqueue(target, payload, options)
  local name, bytes, normal = M.prepare(target, payload, options)
  if not name then
    return nil, bytes, normal
  end
  return M.backend(name, bytes, normal)
end

return M
