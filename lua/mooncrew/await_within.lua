-- A wait with a time limit, over async.await.

local async = require "mooncrew.async"
local host = require "mooncrew.host"

--- Waits until the operation ends or the time is up; what was begun is then cancelled.
---@param seconds number
---@param start fun(resume: fun(...)): fun()|nil  as for async.await; returns the function that cancels
---@return boolean in_time  false: the time is up
---@return any ...  what resume was given
local function await_within(seconds, start)
  return async.await(function(resume)
    local timer, cancel, ended
    local function finish(...)
      ended = true
      if timer then
        host.timer_stop(timer)
      end
      resume(true, ...)
    end
    cancel = start(finish)
    if ended then
      return nil
    end
    timer = host.timer_start(seconds, function()
      resume(false) -- first: it stands, whatever the cancelling says or raises
      if cancel then
        cancel()
      end
    end)
    return function()
      host.timer_stop(timer)
      if cancel then
        cancel()
      end
    end
  end)
end

return await_within
