-- Real I/O in a test: what a handler waits for that the clock of the test knows nothing of. That is a request that is
-- really sent (mooncrew.testing.stubs), and what a handler does with luv itself. It takes real time, in which the
-- clock stands still.

local patience = require "mooncrew.testing.patience"

local outside = {}

local REQUEST_LIMIT_S = 60 -- a request has a time-out of its own
local LUV_LIMIT_S = 5
local SLICE_S = 0.01

-- Whether anything is on luv's loop: a handler's own operation, or a server that the test itself runs.
local function luv_alive()
  local uv = package.loaded.luv
  return uv ~= nil and uv.loop_alive()
end

-- One turn of the loop of real requests, and of the loop of a server in this process that may be the one who answers.
local function turn_requests(clock)
  if clock.real == 0 then
    return false
  end
  local server = luv_alive()
  require("mooncrew.native_http").turn(server and 0.001 or SLICE_S)
  if server then
    package.loaded.luv.run("nowait")
  end
  return true
end

-- One turn of luv's loop, if a handler may wait for what is on it: it waits, and for no timer.
local function turn_luv(clock)
  if clock.open == 0 or clock:has_timers() or not luv_alive() then
    return false
  end
  local uv = package.loaded.luv
  local more = uv.run("nowait")
  if more and #clock.ready == 0 then
    uv.sleep(1)
  end
  return more
end

local function now_s()
  return require("luv").hrtime() / 1e9
end

local function await_by(turn, clock, limit_s)
  local till
  while turn(clock) and #clock.ready == 0 do
    till = till or now_s() + limit_s
    if now_s() > till then
      break
    end
  end
  return #clock.ready > 0
end

--- Waits for real I/O, if there is any under way.
---@param clock mooncrew.testing.Clock
---@return boolean  whether a fiber is ready
function outside.await(clock)
  local answered = clock.real > 0 and patience.besides(await_by, turn_requests, clock, REQUEST_LIMIT_S)
  return answered or await_by(turn_luv, clock, LUV_LIMIT_S)
end

return outside
