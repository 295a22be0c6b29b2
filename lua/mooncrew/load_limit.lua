-- Loading scripts within a limit of real time, for commands and tests: what they run must not hang on a script that
-- loops or blocks while it is loaded.

local native = require "mooncrew.native"
local place = require "mooncrew.place"
local time_limit = require "mooncrew.time_limit"

local M = {}

-- advice: how to allow more time
local function too_long(where, seconds, advice)
  return ("%s: it takes longer than %g s to load: while a script is loaded it must neither loop without end nor wait "
    .. "for anything; %s allows more"):format(where, seconds, advice)
end

--- Calls a function that loads scripts (mooncrew.place.run), as pcall does.
---@param seconds number
---@param at string  what is to be named where no script is at work
---@param advice string  what allows more time
---@param fn fun(...): any
---@return boolean ok, any result
---@return boolean late  it took too long: the result names file and line
function M.call(seconds, at, advice, fn, ...)
  local line
  place.follow = function(path, its_line)
    if path and path ~= at then
      at = path
      native.alarm_report("mooncrew: " .. too_long(at, seconds, advice) .. "\n")
    end
    line = its_line
  end
  local ok, result, late = time_limit.call(seconds, function(where)
    if line and (not where or where:match("^(.*):%d+$") == at) then -- a call that was broken off began there
      where = at .. ":" .. line
    end
    return too_long(where or at, seconds, advice)
  end, fn, ...)
  place.follow = function() end
  place.forget()
  return ok, result, late
end

return M
