-- Removes what is left of a queue that has no tasks. Its counters stay, as asynq leaves them, and so do the records of
-- its cron entries: without them a tick could be enqueued twice.
--
-- KEYS[1] pending           list of ids
-- KEYS[2] active            list of ids
-- KEYS[3] lease             zset of ids
-- KEYS[4] scheduled         zset of ids
-- KEYS[5] retry             zset of ids
-- KEYS[6] archived          zset of ids
-- KEYS[7] completed         zset of ids
-- KEYS[8] groups            set of the names of groups
-- KEYS[9] aggregation_sets  zset: key of a set of tasks that are being aggregated → its deadline, unix s
-- KEYS[10] paused           exists while the queue is paused
-- KEYS[11] mc_limits        hash: the limits of the queue
-- KEYS[12] mc_rate          hash: its token bucket
-- KEYS[13] mc_fold_failures  hash: group → its failures in a row
-- ARGV[1] prefix of group keys
-- RETURNS  1 removed, 0 it has tasks, -1 tasks are being worked on (nothing was removed then)
-- ERRORS   WRONGTYPE, with nothing written
local call = redis.call
local PENDING, ACTIVE, LEASE, SCHEDULED, RETRY = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local ARCHIVED, COMPLETED, GROUPS, AGGREGATION_SETS, PAUSED = KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local LIMITS, RATE, FOLD_FAILURES = KEYS[11], KEYS[12], KEYS[13]
local GROUP_PREFIX = ARGV[1]
local REMOVED, NOT_EMPTY, ACTIVE_TASKS = 1, 0, -1

-- A page of names at a time: of very many groups the first ones tell, since whoever removes a queue has had
-- walk_groups.lua forget those that are empty.
local function has_grouped_tasks()
  local cursor = "0"
  repeat
    local page = call("SSCAN", GROUPS, cursor, "COUNT", 100)
    cursor = page[1]
    for _, name in ipairs(page[2]) do
      if call("ZCARD", GROUP_PREFIX .. name) > 0 then
        return true
      end
    end
  until cursor == "0"
  return false
end

-- An aggregation set goes when its tasks have become one; a set that is only registered has no tasks.
local function is_aggregating()
  for _, key in ipairs(call("ZRANGE", AGGREGATION_SETS, 0, -1)) do
    if call("EXISTS", key) == 1 then
      return true
    end
  end
  return false
end

if call("LLEN", ACTIVE) > 0 or is_aggregating() then
  return ACTIVE_TASKS
end
local waiting = call("LLEN", PENDING) + call("ZCARD", SCHEDULED) + call("ZCARD", RETRY)
if waiting + call("ZCARD", ARCHIVED) + call("ZCARD", COMPLETED) > 0 or has_grouped_tasks() then
  return NOT_EMPTY
end
call("DEL", PENDING, ACTIVE, LEASE, SCHEDULED, RETRY, ARCHIVED, COMPLETED, GROUPS, AGGREGATION_SETS, PAUSED)
call("DEL", LIMITS, RATE, FOLD_FAILURES)
return REMOVED
