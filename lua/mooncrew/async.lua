-- Waiting without blocking. A task runs in coroutines of its own, strands (mooncrew.strand); a strand that waits has
-- exactly one pending operation, with one function that cancels it.
--
-- What it refuses to do:
--   * resume a strand from inside another one: resume() only marks it ready, the host steps it from its own loop;
--   * resume twice: a wait ends once, what comes later is ignored;
--   * wait anywhere but in the strand's own coroutine: a coroutine that a handler made would be left hanging.
-- Being stopped (cancelled, or out of time) is sticky: the wait that is pending raises, and so does every later one.

local host = require "mooncrew.host"
local strand = require "mooncrew.strand"

local async = {
  fiber = strand.fiber,
  step = strand.step,
  stop = strand.stop,
}

local current_thread, is_yieldable = coroutine.running, coroutine.isyieldable
local park, wake = strand.park, strand.wake

--- The fiber that runs right now, nil outside of any.
---@return mooncrew.Fiber|nil
function async.current()
  local running = strand.running()
  return running and running.fiber
end

--- Whether what runs right now was told to stop: its task, or the branch of a gather that it is.
---@return boolean
function async.stopped()
  local running = strand.running()
  return running ~= nil and running.stopped ~= nil
end

--- The strand that may wait here. Raises when there is none, or when it was told to stop.
---@param level integer  whom an error blames, 1 being the function that calls this
---@return mooncrew.Strand
function async.waiting_strand(level)
  local running = strand.running()
  if not running then
    error("waiting works only while a task runs, not while scripts are loaded or in a callback", level + 1)
  elseif current_thread() ~= running.thread then
    error("waiting works only in the handler's own coroutine, not in one that it made (coroutine.wrap, "
      .. "coroutine.create)", level + 1)
  elseif not is_yieldable() then
    error("waiting does not work inside a function that C code calls (table.sort, string.gsub and the like)", level + 1)
  elseif running.stopped then
    host.refused(running)
    error(running.stop_error, 0)
  end
  return running
end

local function keep(wait, ...)
  wait.finished = true
  wait.count = select("#", ...)
  if wait.count <= 1 then
    wait.value = ...
  else
    wait.values = { ... }
  end
end

local function give(wait)
  if wait.values then
    return unpack(wait.values, 1, wait.count)
  elseif wait.count == 1 then
    return wait.value
  end
end

-- level: whom an error blames, 1 being the function that calls this.
local function await(start, level)
  local self = async.waiting_strand(level + 1)
  local wait = { finished = false, parked = false }
  local function resume(...)
    if wait.finished then
      return
    end
    keep(wait, ...)
    if wait.parked then
      wake(self)
    end
  end
  wait.cancel = start(resume)
  if wait.finished then
    return give(wait)
  end
  if self.stopped then -- while start waited on its own account
    strand.cancel(self, wait)
  else
    wait.parked = true
    park(self, wait)
  end
  if not wait.count then
    error(self.stop_error, 0)
  end
  return give(wait)
end

--- Waits until an operation ends, while other tasks run.
---
--- `start(resume)` begins the operation and returns the function that cancels it (or nil when it cannot be cancelled).
--- `resume(...)` ends the wait, and its arguments are what await returns; it may be called at once, from inside start.
--- A second call of it is ignored. When the task is cancelled or runs out of time meanwhile, the operation is cancelled
--- and await raises `context canceled` or `context deadline exceeded`.
---@param start fun(resume: fun(...)): fun()|nil
---@return any ...
function async.await(start)
  if type(start) ~= "function" then
    error(("crew.async.await: expected function, got %s"):format(type(start)), 2)
  end
  return await(start, 1) -- a tail call: our own frame is gone
end

--- Waits for this many seconds, at least; 0 lets other tasks run. For crew.sleep.
---@param seconds number
---@param level integer  whom an error blames, as in error()
function async.sleep(seconds, level)
  await(function(resume)
    local timer = host.timer_start(seconds, resume)
    return function()
      host.timer_stop(timer)
    end
  end, level)
end

return async
