-- The time-out of a call that a stub answers, by the clock of the test: a stub that sleeps for longer is stopped.

local async = require "mooncrew.async"
local gather = require "mooncrew.gather"

local TIMED_OUT, ANSWERED = {}, {} -- what ends the gather

--- Calls a function that answers, at most for so long.
---@param clock mooncrew.testing.Clock
---@param seconds number|nil  nil: however long it takes
---@param answer fun(): any, string|nil, string|nil
---@return boolean in_time
---@return any result, string? message, string? code
local function within(clock, seconds, answer)
  if not seconds then
    return true, answer()
  end
  local result, message, code
  local ok, raised = pcall(gather, function()
    result, message, code = answer()
    error(ANSWERED, 0)
  end, function()
    async.await(function(resume)
      local timer = clock:timer_start(seconds, resume, true)
      return function()
        clock:timer_stop(timer)
      end
    end)
    error(TIMED_OUT, 0)
  end)
  if not ok and raised ~= ANSWERED and raised ~= TIMED_OUT then
    error(raised, 0)
  end
  return raised == ANSWERED, result, message, code
end

return within
