-- Enqueues the task of one tick of a cron entry, unless another node has done it.
--
-- KEYS[1] record     hash: newest, enqueued (ticks, unix s)
-- KEYS[2] claim      string: the id of the task that this tick enqueued
-- KEYS[3] pending    list of ids
-- KEYS[4] scheduled  zset: id → process at, unix s
-- KEYS[5] groups     set of the names of groups
-- ARGV[1] prefix of task keys
-- ARGV[2] prefix of group keys
-- ARGV[3] the tick, unix s
-- ARGV[4] 1: it was missed, and is wanted only if no later one was dealt with; else 0
-- ARGV[5] how long claims outlive their ticks, s
-- ARGV[6] how long the record is kept from now on, s
-- ARGV[7…12] the task, as in enqueue.lua: state, id, message, lock, ttl, place
-- RETURNS  { answer, id }: 1 enqueued; 0 taken, by the task with this id; -1 the uniqueness lock is held; -2 a task
--          with this id exists; -3 too late, nothing was written. After -1 and -2 the tick is used up without a task.
-- ERRORS   as Redis gives them, with nothing written (OOM, READONLY, WRONGTYPE …)
--
-- A tick newer than `newest` was never enqueued. Of any other the claim tells, for as long as it is kept; after that
-- the tick is refused. Both are measured on the clock of Redis. What can fail (a list that is none) comes before what
-- cannot.
local call, pcall = redis.call, redis.pcall
local RECORD, CLAIM, PENDING, SCHEDULED, GROUPS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local TASK_PREFIX, GROUP_PREFIX = ARGV[1], ARGV[2]
local TICK, WAS_MISSED, CLAIM_S, LASTS_S = tonumber(ARGV[3]), ARGV[4] == "1", tonumber(ARGV[5]), ARGV[6]
local STATE, ID, MESSAGE, LOCK, LOCK_TTL, PLACE = ARGV[7], ARGV[8], ARGV[9], ARGV[10], ARGV[11], ARGV[12]
local ENQUEUED, TAKEN, DUPLICATE, CONFLICT, TOO_LATE = 1, 0, -1, -2, -3

local now = tonumber(call("TIME")[1])
local newest = tonumber(call("HGET", RECORD, "newest") or nil)

local function is_too_late()
  return newest and TICK <= newest and (WAS_MISSED or TICK <= now - CLAIM_S)
end

-- Puts the id where it belongs; what Redis gives for it is an error's table when that failed.
local function place()
  if STATE == "scheduled" then
    return pcall("ZADD", SCHEDULED, PLACE, ID)
  elseif STATE == "pending" then
    return pcall("LPUSH", PENDING, ID)
  end
  local added = pcall("ZADD", GROUP_PREFIX .. PLACE, now, ID)
  if type(added) ~= "table" then
    added = pcall("SADD", GROUPS, PLACE)
    if type(added) == "table" then
      call("ZREM", GROUP_PREFIX .. PLACE, ID)
    end
  end
  return added
end

local function store()
  local key = TASK_PREFIX .. ID
  call("HSET", key, "msg", MESSAGE, "state", STATE)
  if STATE == "pending" then
    call("HSET", key, "pending_since", PLACE)
  elseif STATE == "aggregating" then
    call("HSET", key, "group", PLACE)
  end
  if LOCK ~= "" then
    call("HSET", key, "unique_key", LOCK)
  end
end

-- The answer, or an error's table.
local function enqueue()
  if LOCK ~= "" and not call("SET", LOCK, ID, "NX", "EX", LOCK_TTL) then
    return DUPLICATE
  end
  local exists = call("EXISTS", TASK_PREFIX .. ID) == 1
  local placed = exists or place()
  if (exists or type(placed) == "table") and LOCK ~= "" then
    call("DEL", LOCK)
  end
  if exists then
    return CONFLICT
  elseif type(placed) == "table" then
    return placed
  end
  store()
  return ENQUEUED
end

local function record(answer)
  if not newest or TICK > newest then
    call("HSET", RECORD, "newest", ARGV[3])
  end
  if answer == ENQUEUED and TICK > tonumber(call("HGET", RECORD, "enqueued") or 0) then
    call("HSET", RECORD, "enqueued", ARGV[3])
  end
  call("EXPIRE", RECORD, LASTS_S)
end

if is_too_late() then
  return { TOO_LATE, "" }
end
if not call("SET", CLAIM, ID, "NX", "EX", math.max(TICK - now, 0) + CLAIM_S) then
  return { TAKEN, call("GET", CLAIM) }
end
local answer = enqueue()
if type(answer) == "table" then
  call("DEL", CLAIM)
  return answer
end
record(answer)
return { answer, ID }
