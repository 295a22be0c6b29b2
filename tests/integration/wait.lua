-- Waiting. Whatever takes time in these tests is awaited here, on luv's default loop, against a deadline.
local uv = require "luv"

local M = {}

local POLL_MS = 10

--- Sanitizers slow everything down: limits for how quick something must be are multiplied by this.
M.patience = (os.getenv "SAN" or "") ~= "" and 4 or 1

--- Milliseconds of CLOCK_MONOTONIC, which all processes of the host share.
---@return number
function M.now_ms()
  return uv.hrtime() / 1e6
end

--- Runs the loop once, for at most a poll interval. The timer repeats, because one that is due already when the loop is
--- entered would fire before the loop waits, and leave nothing to end that wait.
local function turn()
  local timer = uv.new_timer()
  timer:start(POLL_MS, POLL_MS, function() end)
  uv.run "once"
  timer:close()
  uv.run "nowait"
end

--- The middle one of some measurements: a few that a busy machine held up do not move it.
---@param values number[]
---@return number
function M.median(values)
  local sorted = { unpack(values) }
  table.sort(sorted)
  return sorted[math.ceil(#sorted / 2)]
end

--- Polls a condition until it gives something true, and returns that; nil and its last detail after the deadline.
---@param seconds number
---@param condition fun(): any, any
function M.poll(seconds, condition)
  local deadline = M.now_ms() + seconds * M.patience * 1000
  while true do
    local value, detail = condition()
    if value then return value end
    if M.now_ms() > deadline then return nil, detail end
    turn()
  end
end

--- Waits until a condition holds, and returns what it gave. After the deadline: an error that says what was awaited and
--- the detail that the condition last gave as its second value.
---@param what string
---@param seconds number
---@param condition fun(): any, any
function M.wait_until(what, seconds, condition)
  local value, detail = M.poll(seconds, condition)
  if value then return value end
  local seen = detail and "; last seen: " .. tostring(detail) or ""
  error(("waited %g s in vain until %s%s"):format(seconds * M.patience, what, seen), 2)
end

--- The opposite: an error as soon as a condition stops to hold within the time given.
---@param what string
---@param seconds number
---@param condition fun(): any, any
function M.hold(what, seconds, condition)
  local deadline = M.now_ms() + seconds * 1000
  repeat
    local value, detail = condition()
    if not value then
      error(("it should have stayed so that %s%s"):format(what, detail and "; seen: " .. tostring(detail) or ""), 2)
    end
    turn()
  until M.now_ms() > deadline
end

return M
