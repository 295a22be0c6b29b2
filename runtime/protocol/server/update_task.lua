-- Replaces the message of a task that is not being worked on, and moves its uniqueness lock along.
--
-- KEYS[1] task  hash
-- ARGV[1] id
-- ARGV[2] the message as it was read
-- ARGV[3] the new message
-- ARGV[4] key of the new lock; empty: the lock stays as it is
-- ARGV[5] prefix of group keys
-- ARGV[6] key of the lock that the old message names; empty: none
-- RETURNS  1 done, 0 there is no such task, -1 it is active, -2 it is completed, -3 its message has changed since it
--          was read, -4 another task holds the new lock, -5 its group is being folded
-- ERRORS   WRONGTYPE, with nothing written
--
-- The new lock is taken only if the task still holds the old one, for as long as that would have lasted: a lock that
-- has run out is not brought back. (Where asynq's client adds a unique task to a group, only the message names it.)
local call, pcall = redis.call, redis.pcall
local TASK = KEYS[1]
local ID, OLD_MESSAGE, NEW_MESSAGE = ARGV[1], ARGV[2], ARGV[3]
local NEW_LOCK, GROUP_PREFIX, OLD_LOCK = ARGV[4], ARGV[5], ARGV[6]
local DONE, MISSING, ACTIVE, COMPLETED, CHANGED, DUPLICATE, FOLDING = 1, 0, -1, -2, -3, -4, -5

-- A task that is in an aggregation set has left its group: whoever folds it has read the message.
local function is_in_group(group)
  return group and type(pcall("ZSCORE", GROUP_PREFIX .. group, ID)) == "string"
end

-- False when another task holds the new lock.
local function move_lock(old)
  if old == "" or old == NEW_LOCK or pcall("GET", old) ~= ID then
    return true
  end
  local ttl_ms = call("PTTL", old)
  local taken
  if ttl_ms == -1 then -- without an end
    taken = call("SET", NEW_LOCK, ID, "NX")
  else
    taken = call("SET", NEW_LOCK, ID, "NX", "PX", math.max(ttl_ms, 1))
  end
  if not taken and pcall("GET", NEW_LOCK) ~= ID then
    return false
  end
  call("DEL", old)
  return true
end

if call("EXISTS", TASK) == 0 then
  return MISSING
end
local fields = call("HMGET", TASK, "state", "msg", "unique_key", "group")
if fields[1] == "active" then
  return ACTIVE
elseif fields[1] == "completed" then
  return COMPLETED
elseif fields[1] == "aggregating" and not is_in_group(fields[4]) then
  return FOLDING
elseif fields[2] ~= OLD_MESSAGE then
  return CHANGED
elseif NEW_LOCK == "" then
  call("HSET", TASK, "msg", NEW_MESSAGE)
elseif move_lock(fields[3] or OLD_LOCK) then
  call("HSET", TASK, "msg", NEW_MESSAGE, "unique_key", NEW_LOCK)
else
  return DUPLICATE
end
return DONE
