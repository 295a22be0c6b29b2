-- Ends an aggregation set: the task that its tasks were folded into is accepted and they are deleted, or nothing is
-- done.
--
-- KEYS[1] set               zset: the ids that were folded
-- KEYS[2] aggregation_sets  zset: key of a set → its deadline, unix s
-- KEYS[3] mc_fold_failures  hash: group → its failures in a row
-- KEYS[4] pending           list of ids
-- KEYS[5] scheduled         zset: id → process at, unix s
-- ARGV[1] prefix of task keys
-- ARGV[2] name of the group
-- ARGV[3] state of the new task: pending or scheduled
-- ARGV[4] its id
-- ARGV[5] its message
-- ARGV[6] key of its uniqueness lock; empty: not unique
-- ARGV[7] TTL of the lock, s
-- ARGV[8] place: pending: now in unix ns; scheduled: process at, unix s
-- ARGV[9…] two per folded task whose message names a lock: its id, the key of the lock
-- RETURNS  1 accepted, 0 a task with this id exists, -1 its lock is held, -2 the set is no more (it was reclaimed, or
--          this very call was answered before); then nothing was written
-- ERRORS   WRONGTYPE, with nothing written, when one of the keys is not what it should be
--
-- A set's id is used once, so that the set's being registered is the fence. What the folded tasks hold (their locks,
-- their ids) is free for the new one. DEL comes before any command that needs memory.
--
-- Where asynq's client adds a unique task to a group it writes no unique_key: then only the message names the lock.
local call, pcall = redis.call, redis.pcall
local SET, SETS, FAILURES, PENDING, SCHEDULED = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local TASK_PREFIX, GROUP, STATE, ID, MESSAGE = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local LOCK, TTL_S, PLACE = ARGV[6], ARGV[7], ARGV[8]
local FIRST = 9
local ACCEPTED, CONFLICT, DUPLICATE, REFUSED = 1, 0, -1, -2

local lock_in_message = {}

local function check_types()
  call("HLEN", FAILURES)
  call("LLEN", PENDING)
  call("ZCARD", SCHEDULED)
end

local function delete(id)
  local key = TASK_PREFIX .. id
  local lock = pcall("HGET", key, "unique_key") or lock_in_message[id]
  if type(lock) == "string" and lock ~= "" and pcall("GET", lock) == id then
    call("DEL", lock)
  end
  call("DEL", key)
end

local function store()
  local key = TASK_PREFIX .. ID
  if LOCK ~= "" then
    call("SET", LOCK, ID, "EX", TTL_S)
    call("HSET", key, "unique_key", LOCK)
  end
  if STATE == "scheduled" then
    call("HSET", key, "msg", MESSAGE, "state", STATE)
    call("ZADD", SCHEDULED, PLACE, ID)
  else
    call("HSET", key, "msg", MESSAGE, "state", STATE, "pending_since", PLACE)
    call("LPUSH", PENDING, ID)
  end
end

if not call("ZSCORE", SETS, SET) then
  return REFUSED
end
check_types()
for at = FIRST, #ARGV, 2 do
  lock_in_message[ARGV[at]] = ARGV[at + 1]
end
local ids, folded = call("ZRANGE", SET, 0, -1), {}
for _, id in ipairs(ids) do
  folded[id] = true
end
if not folded[ID] and call("EXISTS", TASK_PREFIX .. ID) == 1 then
  return CONFLICT
end
local holder = LOCK ~= "" and pcall("GET", LOCK)
if holder and not folded[holder] then
  return DUPLICATE
end
for _, id in ipairs(ids) do
  delete(id)
end
call("DEL", SET)
call("ZREM", SETS, SET)
call("HDEL", FAILURES, GROUP)
store()
return ACCEPTED
