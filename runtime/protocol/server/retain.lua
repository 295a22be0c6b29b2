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

local ids, entries, locks, refused = {}, {}, {}, {}

-- INCLUDE claim

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

-- INCLUDE count

call("ZCARD", LEASE)
call("ZCARD", COMPLETED)
for at = FIRST, #ARGV, WIDTH do
  local id, lock = ARGV[at], ARGV[at + LOCK]
  local key = TASK_PREFIX .. id
  if claim(id, key, ARGV[at + ATTEMPT], ARGV[at + SCAN], "mc_owner", "mc_progress", "mc_crashes") then
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
  count(PROCESSED, PROCESSED_TODAY, #ids)
end
if #locks > 0 then
  call("DEL", unpack(locks))
end
return refused
