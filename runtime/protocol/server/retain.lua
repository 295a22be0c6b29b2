-- Ends tasks that are done and that are kept for a while, with their results.
--
-- KEYS[1] active           list of ids
-- KEYS[2] lease            zset: id → when the lease ends
-- KEYS[3] completed        zset: id → when it expires, unix s
-- KEYS[4] processed        counter over all time
-- KEYS[5] processed_today  counter of the day
-- ARGV[1] prefix of task keys
-- ARGV[2] prefix of owners: "<server>:"
-- ARGV[3…] eight per task, in this order:
--   id
--   attempt
--   scan     LREM's count: 1 from the newest end of active, -1 from the oldest
--   message  the new encoded message; empty: msg stays as it is
--   until    when the task expires, unix s
--   lock     key of the uniqueness lock, released if this id holds it; empty: none
--   has_result  1 or 0
--   result
-- RETURNS  the attempts whose tasks are not ours any more; these were left alone
-- ERRORS   WRONGTYPE, with nothing written, when active, lease or completed is not what it should be
--
-- LREM and HDEL come before any command that needs memory: they let the script pass when maxmemory is reached.
local call, pcall = redis.call, redis.pcall
local ACTIVE, LEASE, COMPLETED, PROCESSED, PROCESSED_TODAY = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local TASK_PREFIX, OWNER_PREFIX = ARGV[1], ARGV[2]
local FIRST, WIDTH = 3, 8
local ATTEMPT, SCAN, MESSAGE, UNTIL, LOCK, HAS_RESULT, RESULT = 1, 2, 3, 4, 5, 6, 7 -- from the place of a task's id
local DAY_COUNTER_TTL_S = 90 * 24 * 3600

local ids, entries, locks, refused = {}, {}, {}, {}

-- Out of active, if it is ours and there. (Someone who knows no owners may have taken it: then it is not ours either.)
local function claim(id, key, attempt, scan)
  if pcall("HGET", key, "mc_owner") ~= OWNER_PREFIX .. attempt then
    return false
  end
  local found = call("LREM", ACTIVE, scan, id) == 1
  if found then
    call("HDEL", key, "mc_owner", "mc_progress", "mc_crashes")
  else
    call("HDEL", key, "mc_owner")
  end
  return found
end

local function store(key, at)
  local fields = { "state", "completed" }
  if ARGV[at + MESSAGE] ~= "" then
    fields[#fields + 1] = "msg"
    fields[#fields + 1] = ARGV[at + MESSAGE]
  end
  if ARGV[at + HAS_RESULT] == "1" then
    fields[#fields + 1] = "result"
    fields[#fields + 1] = ARGV[at + RESULT]
  end
  call("HSET", key, unpack(fields))
end

-- At the end of int64 a counter begins again at 1. One that is no number is left alone: it must not hold up tasks.
local function count(key, by)
  local total = pcall("INCRBY", key, by)
  if type(total) == "table" then
    return total.err:find("overflow", 1, true) and call("SET", key, 1)
  end
  return total
end

call("ZCARD", LEASE)
call("ZCARD", COMPLETED)
for at = FIRST, #ARGV, WIDTH do
  local id, lock = ARGV[at], ARGV[at + LOCK]
  local key = TASK_PREFIX .. id
  if claim(id, key, ARGV[at + ATTEMPT], ARGV[at + SCAN]) then
    store(key, at)
    ids[#ids + 1] = id
    entries[#entries + 1] = ARGV[at + UNTIL]
    entries[#entries + 1] = id
    if lock ~= "" and pcall("GET", lock) == id then
      locks[#locks + 1] = lock
    end
  else
    refused[#refused + 1] = ARGV[at + ATTEMPT]
  end
end
if #ids > 0 then
  call("ZREM", LEASE, unpack(ids))
  call("ZADD", COMPLETED, unpack(entries))
  count(PROCESSED, #ids)
  if count(PROCESSED_TODAY, #ids) == #ids then
    call("EXPIRE", PROCESSED_TODAY, DAY_COUNTER_TTL_S)
  end
end
if #locks > 0 then
  call("DEL", unpack(locks))
end
return refused
