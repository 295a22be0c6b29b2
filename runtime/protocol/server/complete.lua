-- Ends tasks that are done and that nobody retains: they are deleted and counted.
--
-- KEYS[1] active           list of ids
-- KEYS[2] lease            zset: id → when the lease ends
-- KEYS[3] processed        counter over all time
-- KEYS[4] processed_today  counter of the day
-- ARGV[1] prefix of task keys
-- ARGV[2] prefix of owners: "<server>:"
-- ARGV[3…] four per task, in this order:
--   id
--   attempt
--   scan     LREM's count: 1 from the newest end of active, -1 from the oldest
--   lock     key of the uniqueness lock, released if this id holds it; empty: none
-- RETURNS  the attempts whose tasks are not ours any more; these were left alone
-- ERRORS   WRONGTYPE, with nothing written, when active or lease is not what it should be
local call, pcall = redis.call, redis.pcall
local ACTIVE, LEASE, PROCESSED, PROCESSED_TODAY = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local TASK_PREFIX, OWNER_PREFIX = ARGV[1], ARGV[2]
local FIRST, WIDTH = 3, 4
local ATTEMPT, SCAN, LOCK = 1, 2, 3 -- from the place of a task's id

local ids, garbage, refused = {}, {}, {}

-- INCLUDE claim

-- INCLUDE count

call("ZCARD", LEASE)
for at = FIRST, #ARGV, WIDTH do
  local id, lock = ARGV[at], ARGV[at + LOCK]
  local key = TASK_PREFIX .. id
  if claim(id, key, ARGV[at + ATTEMPT], ARGV[at + SCAN]) then
    ids[#ids + 1] = id
    garbage[#garbage + 1] = key
    if lock ~= "" and pcall("GET", lock) == id then
      garbage[#garbage + 1] = lock
    end
  else
    refused[#refused + 1] = ARGV[at + ATTEMPT]
  end
end
if #ids > 0 then
  call("ZREM", LEASE, unpack(ids))
  call("DEL", unpack(garbage))
  count(PROCESSED, PROCESSED_TODAY, #ids)
end
return refused
