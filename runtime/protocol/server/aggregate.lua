-- Moves tasks of groups that are due to aggregation sets, where nobody but the caller works on them, and reads them.
--
-- KEYS[1] groups            set of the names of groups
-- KEYS[2] aggregation_sets  zset: key of a set → its deadline, unix s by Redis' own clock
-- KEYS[3] mc_fold_failures  hash: group → "<failures in a row> <next try, unix s> <error>"
-- ARGV[1] prefix of task keys
-- ARGV[2] prefix of group keys
-- ARGV[3] now, unix s
-- ARGV[4] the deadline of the new sets is so many seconds from now
-- ARGV[5] how many sets at most
-- ARGV[6] bytes of messages at most; each set gets one task in any case
-- ARGV[7…] six per group, in this order:
--   group
--   set        id of the set to be made: its key is <group key>:<id>
--   size       the group is due when it has so many tasks; 0: its size does not matter
--   take       how many tasks go to the set at most
--   delay      it is due when its oldest task is so old, s; 0: its age does not matter
--   grace      it is due when its newest task is so old, s
-- RETURNS  per set that was made: { place of the group (counted from 0), failures in a row so far, { id, message, … } }
--          A hash without msg gives an empty message. Ids without a task hash were dropped from the group.
-- ERRORS   WRONGTYPE, with nothing written, when aggregation_sets or mc_fold_failures is not what it should be
--
-- A name in `groups` whose key is empty, or no group at all, is taken out. ZREM comes before any command that needs
-- memory: it lets the script pass when maxmemory is reached.
local call, pcall = redis.call, redis.pcall
local GROUPS, SETS, FAILURES = KEYS[1], KEYS[2], KEYS[3]
local TASK_PREFIX, GROUP_PREFIX, NOW_S = ARGV[1], ARGV[2], tonumber(ARGV[3])
local DEADLINE_S = call("TIME")[1] + ARGV[4]
local SETS_AT_MOST, BYTES_AT_MOST = tonumber(ARGV[5]), tonumber(ARGV[6])
local FIRST, WIDTH = 7, 6
local SET, SIZE, TAKE, DELAY, GRACE = 1, 2, 3, 4, 5 -- from the place of a group's name

local bytes = 0

local function number(at)
  return tonumber(ARGV[at])
end

-- Failures in a row, and when the next try may be.
local function failures_of(group)
  local failures, next_s = (call("HGET", FAILURES, group) or ""):match("^(%d+) (%d+)")
  return tonumber(failures or 0), tonumber(next_s or 0)
end

local function age_of(key, range)
  return NOW_S - tonumber(call(range, key, 0, 0, "WITHSCORES")[2])
end

local function is_due(key, size, at)
  local limit, delay = number(at + SIZE), number(at + DELAY)
  return limit > 0 and size >= limit
    or delay > 0 and age_of(key, "ZRANGE") >= delay
    or age_of(key, "ZREVRANGE") >= number(at + GRACE)
end

-- The oldest tasks as { id, message, … }, and the ids that leave the group, with their scores.
local function read(key, take)
  local entries, tasks, leaving, scores = call("ZRANGE", key, 0, take - 1, "WITHSCORES"), {}, {}, {}
  for i = 1, #entries, 2 do
    local id, task_key = entries[i], TASK_PREFIX .. entries[i]
    local message = pcall("HGET", task_key, "msg")
    local gone = type(message) == "table" or (not message and call("EXISTS", task_key) == 0)
    message = not gone and message or ""
    if #tasks > 0 and bytes + #message > BYTES_AT_MOST then
      break
    end
    bytes = bytes + #message
    leaving[#leaving + 1] = id
    if not gone then
      tasks[#tasks + 1], tasks[#tasks + 2] = id, message
      scores[#scores + 1], scores[#scores + 2] = entries[i + 1], id
    end
  end
  return tasks, leaving, scores
end

-- A command with a list that is too long for one call.
local function in_pieces(command, key, list)
  for i = 1, #list, 1000 do
    call(command, key, unpack(list, i, math.min(i + 999, #list)))
  end
end

local function move(group, key, set, take)
  local tasks, leaving, scores = read(key, take)
  in_pieces("ZREM", key, leaving)
  if call("EXISTS", key) == 0 then
    call("SREM", GROUPS, group)
  end
  if #tasks == 0 then
    return nil
  end
  in_pieces("ZADD", set, scores)
  call("ZADD", SETS, DEADLINE_S, set)
  return tasks
end

local function aggregate(at)
  local group = ARGV[at]
  local key = GROUP_PREFIX .. group
  local size = pcall("ZCARD", key)
  if size == 0 or type(size) == "table" then
    call("SREM", GROUPS, group)
    return nil
  end
  local failures, next_s = failures_of(group)
  if NOW_S < next_s or not is_due(key, size, at) then
    return nil
  end
  local tasks = move(group, key, key .. ":" .. ARGV[at + SET], number(at + TAKE))
  return tasks and { (at - FIRST) / WIDTH, failures, tasks }
end

call("ZCARD", SETS)
call("HLEN", FAILURES)
local made = {}
for at = FIRST, #ARGV, WIDTH do
  if #made == SETS_AT_MOST or bytes > BYTES_AT_MOST / 2 then
    break
  end
  made[#made + 1] = aggregate(at)
end
return made
