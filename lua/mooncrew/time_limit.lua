-- A limit of real time for Lua code that others wrote, for whoever develops: what they run must not hang. A worker does
-- without: there the supervisor sees from outside what takes too long.
--
-- When the time is over, an error is raised at every instruction, until the code has unwound; so no pcall keeps it.
-- Meanwhile nothing is compiled, since compiled code cannot be interrupted. What blocks in C is broken off by the alarm
-- of runtime/lualib/alarm.h.

local native = require "mooncrew.native"

local M = {}

local LIBRARY = debug.getinfo(1, "S").source:match("^(.*)time_limit%.lua$") -- what all of our sources begin with

--- Whether a function stands in a file that is none of this library's.
---@param info table  of debug.getinfo, with "S"
---@return boolean
function M.is_foreign(info)
  return info.source:sub(1, 1) == "@" and info.source:sub(1, #LIBRARY) ~= LIBRARY
end

--- Where code that others wrote has come to: "file:line". nil: none of it is on the stack.
---@param level integer  where to begin, 1 being the function that calls this
---@return string|nil
function M.place(level)
  local info = debug.getinfo(level + 1, "Sl")
  while info do
    if info.currentline > 0 and M.is_foreign(info) then
      return ("%s:%d"):format(info.source:match("^@(.*)") or info.short_src, info.currentline)
    end
    level = level + 1
    info = debug.getinfo(level + 1, "Sl")
  end
end

--- Begins a limit. It takes the place of the one that holds, which goes on when this one is stopped.
---@param seconds number
---@param over fun()  called at every instruction once the time is over, and meant to raise; level 2 of its stack is
---  what was interrupted
---@param report string  what is written where the process has to be ended, since a call cannot be broken off
---@param compiled boolean|nil  the compiler stays on: then only native.alarm_now() is sure to be heard
---@return fun() stop
function M.start(seconds, over, report, compiled)
  local compiles = jit.status() and not compiled
  if compiles then
    jit.off()
    jit.flush()
  end
  local left, outer, outer_report = native.alarm_clear()
  native.alarm_set(seconds, over, report)
  return function()
    native.alarm_clear()
    if left then
      native.alarm_set(left, outer, outer_report)
    end
    if compiles then
      jit.on()
    end
  end
end

--- Calls a function within a limit, as pcall does.
---@param seconds number
---@param say fun(place: string|nil): string  the error, when it takes longer; place: where it had come to
---@param fn fun(...): any
---@return boolean ok, any result  what the function returned or raised
---@return boolean late  it took longer; the result is what was said
function M.call(seconds, say, fn, ...)
  local message, ended, call
  local stop = M.start(seconds, function()
    if ended or debug.getinfo(2, "f").func == call then
      return
    end
    message = message or say(M.place(2))
    error(message, 0)
  end, "mooncrew: " .. say() .. "\n")
  call = function(...)
    local ok, result = pcall(fn, ...)
    ended = true
    return ok, result
  end
  local ok, result = call(...)
  stop()
  if message then
    return false, message, true
  end
  return ok, result, false
end

return M
