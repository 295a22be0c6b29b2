-- Makes tasks pending now, wherever they wait or ended.
--
-- KEYS[1] pending           list of ids
-- KEYS[2] groups            set of the names of groups
-- KEYS[3] mc_fold_failures  hash: group → its failures in a row
-- ARGV[1] prefix of task keys
-- ARGV[2] prefix of the queue's keys
-- ARGV[3] prefix of group keys
-- ARGV[4] the state that the tasks were found in; empty: whatever they are in
-- ARGV[5] the group that they were found in; empty unless aggregating
-- ARGV[6] now, unix ns
-- ARGV[7…] ids
-- RETURNS  a number per id: 1 done, 0 there is no such task, -1 it is active, -2 it is pending, -3 it does not stand
--          where its state says, -4 it is in another state than the one given
-- ERRORS   WRONGTYPE, with nothing written, when pending is not what it should be
--
-- When a state is given, an id without a task leaves the place where it was found. One whose hash names another state
-- or group stays there: what is contradictory is not for us to lose.
local call, pcall = redis.call, redis.pcall
local PENDING, GROUPS, FAILURES = KEYS[1], KEYS[2], KEYS[3]
local TASK_PREFIX, QUEUE_PREFIX, GROUP_PREFIX = ARGV[1], ARGV[2], ARGV[3]
local STATE, GROUP, NOW_NS = ARGV[4], ARGV[5], ARGV[6]
local FIRST = 7
local DONE, MISSING, ACTIVE, ALREADY, ELSEWHERE, CHANGED = 1, 0, -1, -2, -3, -4

local answers, ids = {}, {}

-- INCLUDE leave

local function run(id)
  local key = TASK_PREFIX .. id
  local fields = pcall("HMGET", key, "state", "group")
  local state, group = fields[1] or STATE, fields[2] or GROUP
  if fields.err or call("EXISTS", key) == 0 then
    leave_trace(id)
    return MISSING
  elseif has_changed(state, group) then
    return CHANGED
  elseif state == "active" then
    return ACTIVE
  elseif state == "pending" then
    return ALREADY
  elseif not leave(state, group, id) then
    return ELSEWHERE
  end
  call("HSET", key, "state", "pending", "pending_since", NOW_NS)
  call("HDEL", key, "result", "mc_error")
  ids[#ids + 1] = id
  return DONE
end

call("LLEN", PENDING)
for at = FIRST, #ARGV do
  answers[#answers + 1] = run(ARGV[at])
end
if #ids > 0 then
  call("LPUSH", PENDING, unpack(ids))
end
return answers
