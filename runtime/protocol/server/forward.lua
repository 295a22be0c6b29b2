-- Moves tasks that are due from `scheduled` and `retry` to `pending`, or to the group that their hash names.
--
-- KEYS[1] scheduled  zset: id → process at, unix s
-- KEYS[2] retry      zset: id → process at, unix s
-- KEYS[3] pending    list of ids
-- KEYS[4] groups     set of the names of groups
-- ARGV[1] prefix of task keys
-- ARGV[2] prefix of group keys
-- ARGV[3] now, unix s
-- ARGV[4] now, unix ns
-- ARGV[5] how many of each set at most
-- RETURNS  how many ids left the two sets; those without a task hash were dropped
-- ERRORS   WRONGTYPE, with nothing written, when scheduled, retry or pending is not what it should be
--
-- ZREM comes before any command that needs memory: it lets the script pass when maxmemory is reached. A task whose
-- group key is of another type goes to pending: alone is better than never.
local call, pcall = redis.call, redis.pcall
local SCHEDULED, RETRY, PENDING, GROUPS = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local TASK_PREFIX, GROUP_PREFIX, NOW_S, NOW_NS, BATCH = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

local function join(group, id)
  local key = GROUP_PREFIX .. group
  if type(pcall("ZADD", key, NOW_S, id)) == "table" then
    return false
  end
  if type(pcall("SADD", GROUPS, group)) == "table" then
    call("ZREM", key, id)
    return false
  end
  return true
end

-- False for an id without a task hash; else where the task goes now.
local function place(id)
  local key = TASK_PREFIX .. id
  local fields = pcall("HMGET", key, "state", "group")
  if fields.err or (not fields[1] and call("EXISTS", key) == 0) then
    return false
  end
  local group = fields[2]
  if group and group ~= "" and join(group, id) then
    call("HSET", key, "state", "aggregating")
    return "group"
  end
  call("HSET", key, "state", "pending", "pending_since", NOW_NS)
  return "pending"
end

local function forward(delayed)
  local ids, pending = call("ZRANGEBYSCORE", delayed, "-inf", NOW_S, "LIMIT", 0, BATCH), {}
  if #ids == 0 then
    return 0
  end
  call("ZREM", delayed, unpack(ids))
  for _, id in ipairs(ids) do
    if place(id) == "pending" then
      pending[#pending + 1] = id
    end
  end
  if #pending > 0 then
    call("LPUSH", PENDING, unpack(pending))
  end
  return #ids
end

call("LLEN", PENDING)
call("ZCARD", RETRY)
return forward(SCHEDULED) + forward(RETRY)
