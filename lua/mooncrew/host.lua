-- What the library needs from whatever runs it: a clock, timers, a log, and somebody who resumes waiting tasks.
--
-- A worker puts its own in here (mooncrew.worker), the testing module a pretended one (mooncrew.testing). Elsewhere, in
-- a program that only enqueues or in `mooncrew check`, there is nothing to wait with, and the log goes to standard
-- error.

---@class mooncrew.Host
---@field now fun(): number  wall clock, unix seconds
---@field timer_start fun(seconds: number, callback: fun()): integer  calls back once
---@field timer_stop fun(timer: integer)  a timer that has ended may be stopped again
---@field log fun(level: string, message: string, fields: table|nil, task: mooncrew.Context|nil)
---@field progress fun(task: mooncrew.Context, fraction: number, text: string|nil)  how far a task has come
---@field failed fun(task: mooncrew.Context, text: string)  an attempt has failed, which functions of the scripts are to
--- hear of next
---@field ready fun(fiber: mooncrew.Fiber)  the fiber can go on: async.step is to be called for it, soon
---@field parked fun(fiber: mooncrew.Fiber)  the fiber begins to wait
---@field refused fun(strand: mooncrew.Strand)  one that was told to stop tries to wait again
---@field stopped fun(fiber: mooncrew.Fiber): string|nil  "TIMED_OUT" or "CANCELLED" when the fiber that runs should
--- stop, also before async.stop tells it
local host = {}

local function nobody()
  error("nobody runs tasks here: this works in a worker or under mooncrew.testing", 0)
end

local PROGRESS_EVERY_S = 1

-- How far a task has come is for people who watch it, in the log: now and then, and the end.
local function log_progress(task, fraction, text)
  local now, last = host.now(), rawget(task, "progress_logged_at")
  if fraction == 1 or not last or now - last >= PROGRESS_EVERY_S then
    rawset(task, "progress_logged_at", now)
    host.log("info", "progress", { fraction = fraction, detail = text }, task)
  end
end

host.log_progress = log_progress

local defaults = {
  now = os.time,
  timer_start = nobody,
  timer_stop = nobody,
  ready = nobody,
  parked = nobody,
  stopped = function() end,
  refused = function() end,
  failed = function() end,
  progress = log_progress,
  log = function(level, message, fields)
    local text = fields and require("mooncrew.json").encode(fields)
    io.stderr:write(level, " ", message, text and " " or "", text or "", "\n")
  end,
}

--- Puts these functions in place; what is not named becomes the default again.
---@param functions table|nil
function host.use(functions)
  for name, default in pairs(defaults) do
    host[name] = functions and functions[name] or default
  end
end

host.use()

return host
