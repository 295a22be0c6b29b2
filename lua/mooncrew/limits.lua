-- Limits of a queue as people write them: { concurrency = 3, rate = "10/s" }.
--
-- They hold for all servers of the queue together and can be changed while these run. `concurrency` is how many tasks
-- are at work at a time; `rate` how many begin per time, evenly spread: "10/s", "100/m", "5/10s".

local duration = require "mooncrew.duration"

local M = {}

local LARGEST = 1000000 -- of both numbers; MC_LIMIT_MAX in the runtime
local UNITS = { { 86400000, "d" }, { 3600000, "h" }, { 60000, "m" }, { 1000, "s" }, { 1, "ms" } }

---@class mooncrew.Limits
---@field concurrency integer|nil  tasks at a time
---@field rate string|nil  tasks per time: "10/s"

--- "10/s" → 10, 1000.
---@param text string
---@return integer|nil tasks
---@return integer|string interval_ms or a message
function M.parse_rate(text)
  local tasks, per = tostring(text):match("^%s*(%d+)%s*/%s*(%S+)%s*$")
  local seconds = per and duration.seconds(per:match("^%a") and "1" .. per or per)
  if type(text) ~= "string" or not seconds or seconds == 0 or tonumber(tasks) == 0 then
    return nil, ("rate: '%s' is no rate: write tasks per time, such as \"10/s\", \"100/m\" or \"5/10s\""):format(
      tostring(text))
  elseif tonumber(tasks) > LARGEST then
    return nil, ("rate: must be from 1 to %d tasks, not '%s'"):format(LARGEST, text)
  end
  return tonumber(tasks), math.floor(seconds * 1000 + 0.5)
end

--- 10, 1000 → "10/s".
---@param tasks integer
---@param interval_ms integer
---@return string
function M.format_rate(tasks, interval_ms)
  for _, unit in ipairs(UNITS) do
    if interval_ms % unit[1] == 0 then
      local count = interval_ms / unit[1]
      return ("%d/%s%s"):format(tasks, count == 1 and "" or ("%d"):format(count), unit[2])
    end
  end
  return ("%d/%.14gms"):format(tasks, interval_ms)
end

--- The three numbers of the runtime (0: none) as a table.
---@return mooncrew.Limits
function M.table_of(concurrency, rate, interval_ms)
  return {
    concurrency = concurrency > 0 and concurrency or nil,
    rate = rate > 0 and M.format_rate(rate, interval_ms) or nil,
  }
end

-- nil stays nil, false becomes 0.
local function concurrency_of(value)
  if value == nil or value == false then
    return value == false and 0 or nil
  end
  if type(value) ~= "number" or value < 1 or value > LARGEST or value % 1 ~= 0 then
    return nil, ("concurrency: must be a whole number from 1 to %d, or false for no limit, not '%s'"):format(LARGEST,
      tostring(value))
  end
  return value
end

--- The numbers for the runtime, of a table of changes: what is missing stays, false clears.
---@param changes { concurrency: integer|false|nil, rate: string|false|nil }
---@return table|nil numbers  concurrency, rate, interval_ms; nil where nothing changes
---@return string? message
function M.numbers_of(changes)
  local concurrency, message = concurrency_of(changes.concurrency)
  if message then
    return nil, message
  end
  local numbers = { concurrency = concurrency }
  if changes.rate == false then
    numbers.rate = 0
  elseif changes.rate ~= nil then
    numbers.rate, numbers.interval_ms = M.parse_rate(changes.rate)
    if not numbers.rate then
      return nil, numbers.interval_ms
    end
  end
  return numbers
end

return M
