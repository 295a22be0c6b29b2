-- What a handler is told about the task it runs, and what it can do with it: the second argument of `perform`.

local async = require "mooncrew.async"
local distribute = require "mooncrew.distribute"
local host = require "mooncrew.host"
local log = require "mooncrew.log"
local outcome = require "mooncrew.outcome"

-- The methods end in tail calls, so that an error about their arguments names the handler's line.

---@class mooncrew.Context
---@field id string
---@field type string
---@field queue string
---@field retried integer  how often it was retried before this attempt
---@field max_retry integer
---@field deadline number|nil  unix seconds; nil when it has neither deadline nor time-out
---@field headers table<string, string>
---@field raw_payload string  the bytes as they came
---@field log mooncrew.Logger  its lines carry the task's id and type
local Context = {}

-- Made when first asked for: most handlers need neither.
local lazy = {
  headers = function()
    return {}
  end,
  log = log.new,
}

function Context:__index(key)
  local make = lazy[key]
  if not make then
    return Context[key]
  end
  local value = make(self)
  rawset(self, key, value)
  return value
end

--- Archives the task now, however many retries it has left. Does not return.
---@param why string|nil
function Context:skip_retry(why) -- luacheck: no self
  return outcome.skip_retry(why)
end

--- Drops the task. Does not return.
---@param why string|nil
function Context:revoke(why) -- luacheck: no self
  return outcome.revoke(why)
end

--- Runs the task again later; no retry is spent. Does not return.
---@param delay number|string  seconds or "10m"
function Context:snooze(delay) -- luacheck: no self
  return outcome.snooze(delay)
end

--- Fails; the retry comes after this delay. Does not return.
---@param delay number|string  seconds or "30s"
---@param why string|nil
function Context:retry_in(delay, why) -- luacheck: no self
  return outcome.retry_in(delay, why)
end

--- Whether the task was cancelled or is out of time: for handlers that compute for long. True as soon as it is so, also
--- while the handler has not waited; from then on every wait raises. In a function that crew.gather runs: also whether
--- that one was stopped because another failed.
---@return boolean
function Context:cancelled()
  local fiber = rawget(self, "fiber")
  if not fiber or fiber.task ~= self then
    return false
  end
  local why = not fiber.stopped and host.stopped(fiber)
  if why then
    async.stop(fiber, why)
  end
  return fiber.stopped ~= nil or async.stopped()
end

--- Tells how far the task has come, for whoever watches it.
---@param fraction number  from 0 to 1
---@param text string|nil  in words: "400 of 1000"
function Context:progress(fraction, text)
  if type(fraction) ~= "number" or not (fraction >= 0 and fraction <= 1) then
    error(("task:progress: expected a number from 0 to 1, got %s"):format(tostring(fraction)), 2)
  elseif text ~= nil and type(text) ~= "string" then
    error(("task:progress: the text must be a string, got %s"):format(type(text)), 2)
  end
  host.progress(self, fraction, text)
end

--- Enqueues another task; like crew.enqueue.
---@param type string|mooncrew.Definition
---@param payload any
---@param options table|nil
---@return table|nil info, string|nil message, string|nil code
function Context:enqueue(type, payload, options) -- luacheck: no self
  return distribute.enqueue(type, payload, options)
end

local context = {}

--- Makes the fields given into a context.
---@param fields table
---@return mooncrew.Context
function context.new(fields)
  return setmetatable(fields, Context)
end

return context
