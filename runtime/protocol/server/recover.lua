-- Puts orphans back at the head of their queue, if they are still as they were seen. No retry is spent.
--
-- KEYS[1] active   list of ids
-- KEYS[2] lease    zset: id → when the lease ends, unix s
-- KEYS[3] pending  list of ids; the head is at the right
-- ARGV[1] prefix of task keys
-- ARGV[2] now, unix ns
-- ARGV[3…] two per orphan: id, the lease score that was seen (-1: it stood in active without a lease)
-- RETURNS  a number per orphan: 1 put back, 0 changed meanwhile and not put back, 2 dropped, as it has no task hash
-- ERRORS   WRONGTYPE, with nothing written, when one of the keys is not what it should be
--
-- LREM and ZREM come before any command that needs memory: they let the script pass when maxmemory is reached.
local call, pcall = redis.call, redis.pcall
local ACTIVE, LEASE, PENDING = KEYS[1], KEYS[2], KEYS[3]
local TASK_PREFIX, NOW_NS = ARGV[1], ARGV[2]
local FIRST, WIDTH = 3, 2
local SEEN = 1 -- from the place of an orphan's id
local CHANGED, REQUEUED, DROPPED = 0, 1, 2

local answers, ids = {}, {}

local function unchanged(id, seen)
  local score = call("ZSCORE", LEASE, id)
  return tonumber(score or -1) == seen
end

-- What was seen may stand in active, in lease, or in both. If its hash names another state, it stands there already,
-- and what was seen was left behind: it is only cleared away. Orphans are old: LREM begins at the oldest.
local function recover(id, seen)
  local key = TASK_PREFIX .. id
  if not unchanged(id, seen) then
    return CHANGED
  end
  local was_active = call("LREM", ACTIVE, -1, id) == 1
  local had_lease = call("ZREM", LEASE, id) == 1
  if not was_active and not had_lease then
    return CHANGED
  end
  local state = pcall("HGET", key, "state")
  if type(state) == "table" or call("EXISTS", key) == 0 then
    return DROPPED
  end
  if state and state ~= "active" then
    return CHANGED
  end
  call("HDEL", key, "mc_owner", "mc_progress")
  call("HSET", key, "state", "pending", "pending_since", NOW_NS)
  ids[#ids + 1] = id
  return REQUEUED
end

-- The first orphan given ends rightmost, and is the next one that is dequeued.
local function push_at_head()
  local reversed = {}
  for i = #ids, 1, -1 do
    reversed[#reversed + 1] = ids[i]
  end
  call("RPUSH", PENDING, unpack(reversed))
end

call("LLEN", PENDING)
for at = FIRST, #ARGV, WIDTH do
  answers[#answers + 1] = recover(ARGV[at], tonumber(ARGV[at + SEEN]))
end
if #ids > 0 then
  push_at_head()
end
return answers
