local DAY_COUNTER_TTL_S = 90 * 24 * 3600

-- At the end of int64 a counter begins again at 1. One that is no number is left alone: it must not hold up tasks.
local function increase(key, by)
  local total = pcall("INCRBY", key, by)
  if type(total) == "table" then
    return total.err:find("overflow", 1, true) and call("SET", key, 1)
  end
  return total
end

-- Counts in both, over all time and of the day; the day's goes once asynq would delete it.
local function count(key, key_today, by)
  increase(key, by)
  if increase(key_today, by) == by then
    call("EXPIRE", key_today, DAY_COUNTER_TTL_S)
  end
end
