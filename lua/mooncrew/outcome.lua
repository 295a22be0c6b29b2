-- How a handler can end other than by returning or failing: it raises one of these. A pcall in the handler sees it and
-- should raise it again; mooncrew.execute recognises it.

local duration = require "mooncrew.duration"

---@class mooncrew.Outcome
---@field kind "SKIP_RETRY"|"REVOKED"|"SNOOZED"|"RETRY_IN"
---@field why string|nil
---@field delay number|nil  seconds
local Outcome = {}
Outcome.__index = Outcome

function Outcome:__tostring()
  return self.kind:lower() .. (self.why and ": " .. self.why or "")
end

local outcome = {}

---@param value any  an error value
---@return boolean
function outcome.is(value)
  return getmetatable(value) == Outcome
end

local function raise(kind, why, delay)
  error(setmetatable({ kind = kind, why = why, delay = delay }, Outcome), 0)
end

local function check_reason(method, why)
  if why ~= nil and type(why) ~= "string" then
    error(("task:%s: the reason must be a string, got %s"):format(method, type(why)), 3)
  end
  return why
end

local function check_delay(method, delay)
  local seconds, message = duration.seconds(delay)
  if not seconds then
    error(("task:%s: %s"):format(method, message), 3)
  end
  return seconds
end

--- Archives the task now, however many retries it has left.
---@param why string|nil
function outcome.skip_retry(why)
  raise("SKIP_RETRY", check_reason("skip_retry", why))
end

--- Drops the task, without a trace but the log's.
---@param why string|nil
function outcome.revoke(why)
  raise("REVOKED", check_reason("revoke", why))
end

--- Runs the task again later; no retry is spent.
---@param delay number|string  seconds or "10m"
function outcome.snooze(delay)
  raise("SNOOZED", nil, check_delay("snooze", delay))
end

--- Fails; the retry comes after this delay.
---@param delay number|string  seconds or "30s"
---@param why string|nil
function outcome.retry_in(delay, why)
  raise("RETRY_IN", check_reason("retry_in", why), check_delay("retry_in", delay))
end

return outcome
