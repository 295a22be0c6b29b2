-- What scripts want to be told beside their tasks: crew.on_error of every attempt that ended badly, crew.on_start and
-- crew.on_stop of the worker's own beginning and end. All of them run in a fiber, so they may wait.

local async = require "mooncrew.async"
local describe = require "mooncrew.raised"
local host = require "mooncrew.host"
local place = require "mooncrew.place"
local registry = require "mooncrew.registry"

local hooks = {}

---@class mooncrew.Hook
---@field run function
---@field source string  "file:line", where it was declared

---@class mooncrew.ErrorDetails
---@field outcome "failed"|"timed_out"|"invalid"|"skip_retry"|"retry_in"
---@field trace string|nil  the traceback, when the handler raised an error
---@field delay number|nil  seconds until the next attempt, when the handler or a retry function said so

-- The functions for the start end before the supervisor's load_timeout does: it kills, and cannot say what was awaited.
local LOAD_TIMEOUT_S = 30 -- unless a worker says its own
local LOAD_MARGIN, LOAD_MARGIN_MAX_S = 1 / 6, 5 -- for all that is not ours: the process' start, the way of the answer
local AFTER_STOP_S = 0.5 -- for the on_error hooks of a task that is out of time: kill_grace runs

-- How attempts end badly. Who cancels a task knows of it, and a stopping node cancels too.
local BAD = { FAILED = true, TIMED_OUT = true, INVALID = true, SKIP_RETRY = true, RETRY_IN = true }

local function declare(name)
  return function(run)
    if type(run) ~= "function" then
      error(("crew.%s: expected function, got %s"):format(name, type(run)), 2)
    elseif async.current() then
      error(("crew.%s is for scripts while they are loaded, not for a running task"):format(name), 2)
    end
    table.insert(registry.hooks[name], { run = run, source = place.of_caller(2) })
  end
end

--- Calls this whenever an attempt of a task has ended badly: it failed, ran out of time, its payload did not fit, it
--- asked for a retry or for none. Not when it was cancelled, revoked or snoozed. It runs before the task is settled and
--- may wait, within the task's time-out; after a time-out for half a second. An error in it is logged, and nothing that
--- it does changes what becomes of the task.
---@type fun(hook: fun(task: mooncrew.Context, message: string, details: mooncrew.ErrorDetails))
hooks.on_error = declare "on_error"

--- Calls this once in every worker, when all scripts are loaded and before any task is given to it. It may wait:
--- loading and all of them together have load_timeout. An error in it is like one in a script: the worker does not
--- start.
---@type fun(hook: fun())
hooks.on_start = declare "on_start"

--- Calls this when the worker ends in an orderly way: no task is left. What was declared last is called first. It may
--- wait, until kill_grace is over. An error in it is logged. A worker that is killed calls nothing.
---@type fun(hook: fun())
hooks.on_stop = declare "on_stop"

local function log_failure(name, hook, raised, task)
  host.log("error", ("a function of crew.%s failed"):format(name), { error = raised, hook = hook.source }, task)
end

local function run_logged(name, hook, task, ...)
  local ok, raised = xpcall(hook.run, describe, ...)
  if not ok then
    log_failure(name, hook, describe(raised), task)
  end
end

-- A fiber that was stopped raises wherever it waits; here it may wait again, for a while.
local function let_wait(fiber, run)
  local stopped, raised = fiber.stopped, fiber.stop_error
  if not stopped then
    return run()
  end
  fiber.stopped, fiber.stop_error = nil, nil
  local timer = host.timer_start(AFTER_STOP_S, function()
    async.stop(fiber, "TIMED_OUT")
  end)
  run()
  host.timer_stop(timer)
  fiber.stopped, fiber.stop_error = stopped, raised
end

--- Calls the functions of crew.on_error if the attempt ended badly. Raises nothing.
---@param fiber mooncrew.Fiber  the one that runs
---@param task mooncrew.Context
---@param kind string  as execute.run returns it, and the next three too
---@param text string|nil
---@param trace string|nil
---@param delay number|nil
function hooks.failed(fiber, task, kind, text, trace, delay)
  if not BAD[kind] or #registry.hooks.on_error == 0 then
    return
  end
  if not fiber.stopped then
    host.failed(task, text or "")
  end
  let_wait(fiber, function()
    for _, hook in ipairs(registry.hooks.on_error) do
      run_logged("on_error", hook, task, task, text or "", { outcome = kind:lower(), trace = trace, delay = delay })
    end
  end)
end

-- As an error in a script: one line that begins with file and line.
local function start_error(hook, fiber, raised, load_timeout)
  if fiber.stopped then
    raised = ("did not end within load_timeout (%gs), which covers loading, too"):format(load_timeout)
  elseif raised:find("^" .. hook.source:gsub(":%d+$", ""):gsub("%p", "%%%0") .. ":%d+: ") then
    return raised
  end
  return ("%s: crew.on_start: %s"):format(hook.source, raised)
end

local function start_all(fiber, load_timeout)
  for _, hook in ipairs(registry.hooks.on_start) do
    place.follow_source(hook.source)
    local ok, raised = xpcall(hook.run, describe)
    if not ok then
      return nil, start_error(hook, fiber, describe(raised), load_timeout)
    end
  end
  return true
end

--- Calls the functions of crew.on_start, until one fails. Raises nothing.
---@param fiber mooncrew.Fiber  the one that runs
---@param load_timeout? number  seconds
---@param passed? number  seconds of it that are over
---@return true|nil, string|nil message  begins with file and line
function hooks.start(fiber, load_timeout, passed)
  if #registry.hooks.on_start == 0 then
    return true
  end
  load_timeout = load_timeout or LOAD_TIMEOUT_S
  local margin = math.min(load_timeout * LOAD_MARGIN, LOAD_MARGIN_MAX_S)
  local timer = host.timer_start(math.max(load_timeout - margin - (passed or 0), 0), function()
    async.stop(fiber, "TIMED_OUT")
  end)
  local ok, message = start_all(fiber, load_timeout)
  host.timer_stop(timer)
  return ok, message
end

--- Calls the functions of crew.on_stop, the last one first. Raises nothing.
function hooks.stop()
  for i = #registry.hooks.on_stop, 1, -1 do
    run_logged("on_stop", registry.hooks.on_stop[i])
  end
end

return hooks
