-- Puts tasks off until later: failed ones to `retry`, snoozed ones to `scheduled`.
--
-- KEYS[1] active           list of ids
-- KEYS[2] lease            zset: id → when the lease ends
-- KEYS[3] delayed          zset: id → process at, unix s; the retry or the scheduled set
-- KEYS[4] processed        counter over all time
-- KEYS[5] processed_today  counter of the day
-- KEYS[6] failed           counter over all time
-- KEYS[7] failed_today     counter of the day
-- ARGV[1] prefix of task keys
-- ARGV[2] prefix of owners: "<server>:"
-- ARGV[3] the new state: retry or scheduled
-- ARGV[4…] six per task, in this order:
--   id
--   attempt
--   scan     LREM's count: 1 from the newest end of active, -1 from the oldest
--   message  the new encoded message; empty: msg stays as it is
--   at       process at, unix s
--   failure  1: counts as processed and failed; 0: does not
-- RETURNS  the attempts whose tasks are not ours any more; these were left alone
-- ERRORS   WRONGTYPE, with nothing written, when active, lease or delayed is not what it should be
--
-- LREM and HDEL come before any command that needs memory: they let the script pass when maxmemory is reached.
local call, pcall = redis.call, redis.pcall
local ACTIVE, LEASE, DELAYED = KEYS[1], KEYS[2], KEYS[3]
local PROCESSED, PROCESSED_TODAY, FAILED, FAILED_TODAY = KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local TASK_PREFIX, OWNER_PREFIX, STATE = ARGV[1], ARGV[2], ARGV[3]
local FIRST, WIDTH = 4, 6
local ATTEMPT, SCAN, MESSAGE, PROCESS_AT, FAILURE = 1, 2, 3, 4, 5 -- from the place of a task's id

local ids, entries, failures, refused = {}, {}, 0, {}

-- INCLUDE claim

local function store(key, message)
  if message ~= "" then
    call("HSET", key, "msg", message, "state", STATE)
  else
    call("HSET", key, "state", STATE)
  end
end

-- INCLUDE count

call("ZCARD", LEASE)
call("ZCARD", DELAYED)
for at = FIRST, #ARGV, WIDTH do
  local id = ARGV[at]
  local key = TASK_PREFIX .. id
  if claim(id, key, ARGV[at + ATTEMPT], ARGV[at + SCAN], "mc_owner", "mc_progress") then
    store(key, ARGV[at + MESSAGE])
    ids[#ids + 1] = id
    entries[#entries + 1] = ARGV[at + PROCESS_AT]
    entries[#entries + 1] = id
    failures = failures + tonumber(ARGV[at + FAILURE])
  else
    refused[#refused + 1] = ARGV[at + ATTEMPT]
  end
end
if #ids > 0 then
  call("ZREM", LEASE, unpack(ids))
  call("ZADD", DELAYED, unpack(entries))
end
if failures > 0 then
  count(PROCESSED, PROCESSED_TODAY, failures)
  count(FAILED, FAILED_TODAY, failures)
end
return refused
