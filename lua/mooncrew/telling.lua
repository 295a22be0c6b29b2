-- How often tasks tell how far they have come: at once at first, then once a second at most, and then the latest word,
-- however often a handler speaks. A word that waits is sent when the second is over, also if the handler says no more.

local telling = {}

local EVERY_S = 1

---@class mooncrew.Telling  of one task
---@field fraction number  the latest word
---@field text string|nil
---@field at number  unix seconds
---@field sent_at number|nil  monotonic seconds: when one was sent last
---@field timer integer|nil  runs while a word waits

---@class mooncrew.TellingHost
---@field send fun(task: mooncrew.Context, fraction: number, at: number, text: string|nil)
---@field now fun(): number  wall clock, unix seconds
---@field clock fun(): number  monotonic seconds
---@field timer_start fun(seconds: number, callback: fun()): integer
---@field timer_stop fun(timer: integer)

local function send(host, task, told)
  told.sent_at, told.timer = host.clock(), nil
  host.send(task, told.fraction, told.at, told.text)
end

--- A task that runs says how far it has come.
---@param host mooncrew.TellingHost
---@param task mooncrew.Context
---@param fraction number
---@param text string|nil
function telling.tell(host, task, fraction, text)
  local told = rawget(task, "told")
  if not told then
    told = {}
    rawset(task, "told", told)
  end
  told.fraction, told.text, told.at = fraction, text, host.now()
  local wait_s = told.sent_at and told.sent_at + EVERY_S - host.clock() or 0
  if wait_s <= 0 then
    if told.timer then -- it is late: the handler has kept the loop from running it
      host.timer_stop(told.timer)
    end
    send(host, task, told)
  elseif not told.timer then
    told.timer = host.timer_start(wait_s, function()
      send(host, task, told)
    end)
  end
end

--- The task has ended: what it has not sent is of no interest any more.
---@param host mooncrew.TellingHost
---@param task mooncrew.Context|nil
function telling.stop(host, task)
  local told = task and rawget(task, "told")
  if told and told.timer then
    host.timer_stop(told.timer)
    told.timer = nil
  end
end

return telling
