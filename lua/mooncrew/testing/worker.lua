-- A worker's beginning and end in a test: the functions of crew.on_start and crew.on_stop.

local async = require "mooncrew.async"
local clocks = require "mooncrew.testing.clock"
local runs = require "mooncrew.testing.run"
local session = require "mooncrew.testing.session"
local world = require "mooncrew.testing.world"

local M = {}

local function finish(run, ok, message)
  run.outcome, run.error, run.now = ok and "done" or "failed", not ok and message or nil, run.clock.now
end

-- body: (fiber) → ok, message
local function perform(body)
  local run = runs.new(clocks.new())
  session.last = run
  local ok, message = world.enter(run.clock, function()
    async.step(runs.fiber_for(run, function(fiber)
      finish(run, body(fiber))
    end, function(_, lost)
      finish(run, false, lost)
    end))
    runs.to_end(run)
  end)
  if not ok then
    error(message, 3)
  end
  return run
end

--- Calls what scripts gave to crew.on_start, as a worker does before its first task. Waiting takes no time.
---@return table run  its outcome is "done", or "failed" with the error for which the worker would not start
function M.start()
  local run = perform(require("mooncrew.hooks").start)
  return run
end

--- Calls what scripts gave to crew.on_stop, as a worker does after its last task. Waiting takes no time.
---@return table run  errors stand in its logs, as in a worker
function M.stop()
  local run = perform(function()
    require("mooncrew.hooks").stop()
    return true
  end)
  return run
end

return M
