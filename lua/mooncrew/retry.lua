-- When a failed task is tried again: what scripts write, as a function.

local duration = require "mooncrew.duration"

-- A list of delays: one for each retry, the last for all that follow.
local function read_list(list)
  local delays = {}
  for i, delay in ipairs(list) do
    local seconds, message = duration.seconds(delay)
    if not seconds then
      return nil, ("[%d]: %s"):format(i, message)
    end
    delays[i] = seconds
  end
  if #delays == 0 then
    return nil, ": the list of delays is empty"
  end
  return function(retried)
    return delays[math.min(retried + 1, #delays)]
  end
end

---@alias mooncrew.RetryFunction fun(retried: integer, message: string, task: mooncrew.Context): number|string|nil

--- A delay, a list of delays, or a function, as a function.
---@param retry number|string|(number|string)[]|mooncrew.RetryFunction
---@return mooncrew.RetryFunction|nil
---@return string|nil message  to be put behind a name: "[2]: …", ": …"
return function(retry)
  if type(retry) == "function" then
    return retry
  elseif type(retry) == "table" then
    return read_list(retry)
  end
  local seconds, message = duration.seconds(retry)
  if not seconds then
    return nil, ": " .. message
  end
  return function()
    return seconds
  end
end
