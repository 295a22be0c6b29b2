-- Runs functions that wait for transfers, outside of a worker: fibers on the loop of mooncrew.native_http.
local async = require "mooncrew.async"
local host = require "mooncrew.host"
local native = require "mooncrew.native_http"

local M = {}

local TURN = 0.2 -- seconds

local ready = {}

local function use_host()
  host.use {
    ready = function(fiber) ready[#ready + 1] = fiber end,
    parked = function() end,
  }
end

--- Starts a function in a fiber; returns the fiber and where its results will stand, at `results`.
function M.start(fn)
  use_host()
  local seen = {}
  local fiber = async.fiber(function()
    local results = { xpcall(fn, debug.traceback) }
    seen.results = results
  end, function(_, message) seen.results = { false, message } end)
  async.step(fiber)
  return fiber, seen
end

--- Steps what is ready and turns the loop, until a condition holds.
function M.turn_until(seconds, condition)
  local deadline = os.time() + seconds
  while not condition() do
    assert(os.time() <= deadline, "nothing came in time")
    local fiber = table.remove(ready, 1)
    if fiber then async.step(fiber) else native.turn(TURN) end
  end
end

--- Runs a function to its end; its results, or its error.
function M.run(fn)
  local _, seen = M.start(fn)
  M.turn_until(60, function() return seen.results end)
  host.use()
  if not seen.results[1] then error(seen.results[2], 0) end
  return unpack(seen.results, 2, table.maxn(seen.results))
end

return M
