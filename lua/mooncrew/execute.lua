-- Runs one task from its bytes to its outcome: finds the handler, decodes the payload, calls middleware and handler,
-- and puts what became of it into the terms of a result frame. Nothing that a handler does makes it raise.

local duration = require "mooncrew.duration"
local host = require "mooncrew.host"
local json = require "mooncrew.json"
local outcome = require "mooncrew.outcome"
local registry = require "mooncrew.registry"
local trace = require "mooncrew.trace"

local execute = {}

---@class mooncrew.Failure
---@field text string  message and place
---@field trace string
local Failure = {}

local xpcall, type, tostring = xpcall, type, tostring

-- A raised value in words. Strings have their place in them already.
local function describe(value)
  local kind = type(value)
  if kind == "string" then
    return value ~= "" and value or "an error without a message (the string is empty)"
  elseif value == nil then
    return "an error without a message (nil was raised)"
  elseif kind ~= "table" or (getmetatable(value) or {}).__tostring then
    local text = tostring(value)
    return kind == "table" and text or ("a %s was raised as an error: %s"):format(kind, text)
  elseif type(value.message) == "string" then
    return value.message
  end
  return "a table was raised as an error: " .. (json.encode(value) or "it cannot be shown as JSON")
end

-- describe() calls the user's __tostring, which may itself fail.
local function describe_safely(value)
  local ok, text = pcall(describe, value)
  return ok and tostring(text) or "an error whose text cannot be read"
end

--- A raised value as text for people.
---@type fun(value: any): string
execute.describe = describe_safely

-- The handler of xpcall: taken here, where the stack that failed still stands.
local function on_error(value)
  if outcome.is(value) then
    return value
  end
  return setmetatable({ text = describe_safely(value), trace = trace.of(value) }, Failure)
end

--- For xpcall: a raised value as {text, trace}; an outcome stays what it is.
---@type fun(value: any): any
execute.on_error = on_error

local function run_middleware(i, payload, task, definition)
  local middleware = registry.middleware[i]
  if not middleware then
    return definition.perform(payload, task)
  end
  return middleware(payload, task, function(...)
    if select("#", ...) > 0 then
      return run_middleware(i + 1, (...), task, definition)
    end
    return run_middleware(i + 1, payload, task, definition)
  end)
end

-- The task's own delay before the next retry in seconds, nil for the default.
local function own_delay(definition, task, text)
  if not definition.retry then
    return nil
  end
  local ok, delay = pcall(definition.retry, task.retried, text)
  local seconds, message
  if ok and delay ~= nil then
    seconds, message = duration.seconds(delay)
  elseif not ok then
    message = describe_safely(delay)
  end
  if message then
    host.log("warn", "the task's retry function failed, the default delay applies", { error = message }, task)
  end
  return seconds
end

local function finish_failed(definition, task, stopped, failure)
  if type(failure) ~= "table" then -- the error handler itself failed: no stack was left to run it
    failure = { text = describe_safely(failure) }
  end
  local delay = stopped ~= "CANCELLED" and own_delay(definition, task, failure.text) or nil
  return stopped or "FAILED", failure.text, failure.trace, delay
end

local function finish_done(definition, task, value)
  if value == nil then
    return "DONE"
  elseif type(value) == "string" then
    return "DONE", value
  end
  local ok, text, message = pcall(json.encode, value, "result")
  if not ok then
    text, message = nil, describe_safely(text)
  end
  if text then
    return "DONE", text, nil, nil, true
  end
  return finish_failed(definition, task, nil, { text = "the handler's result cannot be stored: " .. tostring(message) })
end

local function decode(definition, bytes)
  local ok, fits, value = pcall(definition.decode, definition, bytes)
  if not ok then
    return nil, describe_safely(fits)
  end
  return fits, value
end

--- Runs the task. `fiber.stopped` says afterwards whether it was told to stop meanwhile.
---@param task mooncrew.Context
---@param fiber mooncrew.Fiber
---@return string kind  an outcome of the result frame (mc_outcome in runtime/protocol/frames.h): "DONE", "FAILED" …
---@return string|nil text  the result of DONE, else the error or reason
---@return string|nil trace
---@return number|nil delay  seconds
---@return boolean|nil is_json  whether the result is JSON, and not a string that the handler returned
function execute.run(task, fiber)
  local definition = registry.find(task.type)
  if not definition then
    return "FAILED", ('handler not found for task "%s"'):format(task.type)
  end
  local fits, payload = decode(definition, task.raw_payload)
  if not fits then
    return "INVALID", payload
  end
  local ok, value = xpcall(run_middleware, on_error, 1, payload, task, definition)
  if ok and fiber.stopped == "FAILED" then -- a callback of the task's did, and the handler did not hear of it
    ok, value = false, on_error(fiber.stop_error)
  end
  if ok then
    return finish_done(definition, task, value)
  elseif outcome.is(value) then
    return value.kind, value.why, nil, value.delay
  end
  return finish_failed(definition, task, fiber.stopped, value)
end

return execute
