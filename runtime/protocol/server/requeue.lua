-- Puts tasks back at the head of their queue, as if they had not been started: no retry is spent, nothing counted.
--
-- KEYS[1] active   list of ids
-- KEYS[2] lease    zset: id → when the lease ends
-- KEYS[3] pending  list of ids; the head is at the right
-- ARGV[1] prefix of task keys
-- ARGV[2] prefix of owners: "<server>:"
-- ARGV[3] now, unix ns
-- ARGV[4…] five per task, in this order:
--   id
--   attempt
--   scan     LREM's count: 1 from the newest end of active, -1 from the oldest
--   crashes  how many workers the task crashed, for the field mc_crashes; 0: this field and the next stay as they are
--   crash    when and why the last of these died, for the field mc_last_crash
-- RETURNS  the attempts whose tasks are not ours any more; these were left alone
-- ERRORS   WRONGTYPE, with nothing written, when one of the keys is not what it should be
--
-- LREM and HDEL come before any command that needs memory: they let the script pass when maxmemory is reached.
local call, pcall = redis.call, redis.pcall
local ACTIVE, LEASE, PENDING = KEYS[1], KEYS[2], KEYS[3]
local TASK_PREFIX, OWNER_PREFIX, NOW_NS = ARGV[1], ARGV[2], ARGV[3]
local FIRST, WIDTH = 4, 5
local ATTEMPT, SCAN, CRASHES, CRASH = 1, 2, 3, 4 -- from the place of a task's id

local ids, refused = {}, {}

-- INCLUDE claim

local function store(key, crashes, crash)
  if crashes ~= "0" then
    call("HSET", key, "state", "pending", "pending_since", NOW_NS, "mc_crashes", crashes, "mc_last_crash", crash)
  else
    call("HSET", key, "state", "pending", "pending_since", NOW_NS)
  end
end

-- INCLUDE push_at_head

call("ZCARD", LEASE)
call("LLEN", PENDING)
for at = FIRST, #ARGV, WIDTH do
  local id = ARGV[at]
  local key = TASK_PREFIX .. id
  if claim(id, key, ARGV[at + ATTEMPT], ARGV[at + SCAN], "mc_owner", "mc_progress") then
    store(key, ARGV[at + CRASHES], ARGV[at + CRASH])
    ids[#ids + 1] = id
  else
    refused[#refused + 1] = ARGV[at + ATTEMPT]
  end
end
if #ids > 0 then
  call("ZREM", LEASE, unpack(ids))
  push_at_head(ids)
end
return refused
