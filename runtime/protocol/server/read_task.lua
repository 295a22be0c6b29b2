-- Reads everything known of one task.
--
-- KEYS[1] task   hash
-- KEYS[2] lease  zset: id → when the lease ends, unix s
-- ARGV[1] id
-- ARGV[2] prefix of the queue's keys
-- ARGV[3] prefix of group keys
-- RETURNS  nothing when there is no such task; else its score where it stands (active: when the lease ends; empty:
--          none), and the fields of its hash as HGETALL gives them
-- ERRORS   WRONGTYPE
local call, pcall = redis.call, redis.pcall
local TASK, LEASE = KEYS[1], KEYS[2]
local ID, QUEUE_PREFIX, GROUP_PREFIX = ARGV[1], ARGV[2], ARGV[3]

-- The sorted set that holds a task of this state.
local function set_of(state, group)
  if state == "active" then
    return LEASE
  elseif state == "aggregating" then
    return GROUP_PREFIX .. (group or "")
  end
  return QUEUE_PREFIX .. (state or "")
end

if call("EXISTS", TASK) == 0 then
  return {}
end
local place = call("HMGET", TASK, "state", "group")
local score = pcall("ZSCORE", set_of(place[1], place[2]), ID)
return { type(score) == "string" and score or "", call("HGETALL", TASK) }
