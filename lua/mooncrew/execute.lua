-- Runs one task from its bytes to its outcome: finds the handler, decodes the payload, calls middleware and handler,
-- and puts what became of it into the terms of a result frame. Nothing that a handler does makes it raise.

local describe = require "mooncrew.raised"
local duration = require "mooncrew.duration"
local hooks = require "mooncrew.hooks"
local host = require "mooncrew.host"
local json = require "mooncrew.json"
local outcome = require "mooncrew.outcome"
local registry = require "mooncrew.registry"
local trace = require "mooncrew.trace"
local value_size = require "mooncrew.value_size"

local execute = {}

---@class mooncrew.Failure
---@field text string  message and place
---@field trace string
local Failure = {}

local xpcall, type, tostring = xpcall, type, tostring

--- A raised value as text for people.
---@type fun(value: any): string
execute.describe = describe

-- The handler of xpcall: taken here, where the stack that failed still stands.
local function on_error(value)
  if outcome.is(value) then
    return value
  end
  return setmetatable({ text = describe(value), trace = trace.of(value) }, Failure)
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

-- What a retry function says, in seconds; nil for nothing, or when it fails.
local function ask_delay(whose, retry, task, text)
  local ok, delay = pcall(retry, task.retried, text, task)
  local seconds, message
  if ok and delay ~= nil then
    seconds, message = duration.seconds(delay)
  elseif not ok then
    message = describe(delay)
  end
  if message then
    host.log("warn", whose .. " retry function failed, the default delay applies", { error = message }, task)
  end
  return seconds
end

-- The delay before the next retry in seconds: as the task says, else as crew.retry says, else nil for the default. Of a
-- task that was stopped too: then a function that would wait fails, as every wait of the task does.
local function delay_of(definition, task, text, stopped)
  if not stopped and (definition.retry or registry.retry) then
    host.failed(task, text)
  end
  local delay = definition.retry and ask_delay("the task's", definition.retry, task, text)
  if not delay and registry.retry then
    delay = ask_delay("the scripts'", registry.retry.delay, task, text)
  end
  return delay or nil
end

local function finish_failed(definition, task, stopped, failure)
  if type(failure) ~= "table" then -- the error handler itself failed: no stack was left to run it
    failure = { text = describe(failure) }
  end
  return stopped or "FAILED", failure.text, failure.trace, delay_of(definition, task, failure.text, stopped)
end

-- The result's bytes, or nil and why there are none.
local function encode_result(value)
  local text, message = value, nil
  if type(value) ~= "string" then
    local ok
    ok, text, message = pcall(json.encode, value, "result")
    if not ok then
      return nil, describe(text)
    end
  end
  if not text then
    return nil, message
  end
  local fits, why = value_size.check("result", text)
  return fits and text, why
end

local function finish_done(definition, task, value)
  if value == nil then
    return "DONE"
  end
  local text, message = encode_result(value)
  if text then
    return "DONE", text, nil, nil, type(value) ~= "string" or nil
  end
  return finish_failed(definition, task, nil, { text = "the handler's result cannot be stored: " .. tostring(message) })
end

local function decode(definition, bytes)
  local ok, fits, value = pcall(definition.decode, definition, bytes)
  if not ok then
    return nil, describe(fits)
  end
  return fits, value
end

local function attempt(task, fiber)
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

--- Runs the task, and the functions of crew.on_error if it ends badly. `fiber.stopped` says afterwards whether it was
--- told to stop meanwhile.
---@param task mooncrew.Context
---@param fiber mooncrew.Fiber
---@return string kind  an outcome of the result frame (mc_outcome in frames_to_supervisor.h): "DONE", "FAILED" …
---@return string|nil text  the result of DONE, else the error or reason
---@return string|nil trace
---@return number|nil delay  seconds
---@return boolean|nil is_json  whether the result is JSON, and not a string that the handler returned
function execute.run(task, fiber)
  local kind, text, stack, delay, is_json = attempt(task, fiber)
  if kind ~= "DONE" then
    hooks.failed(fiber, task, kind, text, stack, delay)
  end
  return kind, text, stack, delay, is_json
end

return execute
