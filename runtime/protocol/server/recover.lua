-- Puts orphans back at the head of their queue, if they are still as they were seen. No retry is spent.
--
-- KEYS[1] active            list of ids
-- KEYS[2] lease             zset: id → when the lease ends, unix s
-- KEYS[3] pending           list of ids; the head is at the right
-- KEYS[4] aggregation_sets  zset: key of a set → its deadline
-- ARGV[1] prefix of task keys
-- ARGV[2] prefix of the queue's keys
-- ARGV[3] prefix of group keys
-- ARGV[4] now, unix ns
-- ARGV[5…] two per orphan: id, the lease score that was seen (-1: it stood in active without a lease)
-- RETURNS  a number per orphan: 1 put back, 0 changed meanwhile or only a trace, 2 dropped, as it has no task hash,
--          3 it had ended and stands among those again, 4 left as it is, for another call: this one has searched enough
-- ERRORS   WRONGTYPE, with nothing written, when active, lease or pending is not what it should be
--
-- What was seen may stand in active, in lease, or in both. If its hash names another state and it does stand there,
-- what was seen is a trace that was left behind, and is only cleared away. If it does not stand there, nobody else
-- would ever find it: it is an orphan like any other. One that has ended is not run again; when it did is lost.
--
-- To search pending takes as long as that is, so a call looks at SEARCH_AT_MOST ids there, but searches once in any
-- case. Before Redis 6.0.6, which cannot search, what should be pending is taken to be there.
--
-- LREM and ZREM come before any command that needs memory: they let the script pass when maxmemory is reached.
local call, pcall = redis.call, redis.pcall
local ACTIVE, LEASE, PENDING, SETS = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local TASK_PREFIX, QUEUE_PREFIX, GROUP_PREFIX, NOW_NS = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local FIRST, WIDTH = 5, 2
local SEEN = 1 -- from the place of an orphan's id
local CHANGED, REQUEUED, DROPPED, RELISTED, POSTPONED = 0, 1, 2, 3, 4
local SEARCH_AT_MOST = 500000
local DAY_S = 24 * 3600
local NOW_S = tonumber(NOW_NS:sub(1, -10))
local IN_ZSET = { scheduled = true, retry = true, completed = true, archived = true }
local SCORE_OF_ENDED = { archived = NOW_S, completed = NOW_S + DAY_S }

local answers, ids, requeued = {}, {}, {}
local searches = math.max(1, math.floor(SEARCH_AT_MOST / math.max(1, call("LLEN", PENDING))))

local function unchanged(id, seen)
  local score = call("ZSCORE", LEASE, id)
  return tonumber(score or -1) == seen
end

local function is_member(set, id)
  return type(pcall("ZSCORE", set, id)) == "string"
end

local all_sets -- of the queue's groups, read once

-- In its group, or in a set that is being folded.
local function is_in_group(group, id)
  if type(group) ~= "string" then
    return false
  end
  local key = GROUP_PREFIX .. group
  if is_member(key, id) then
    return true
  end
  all_sets = all_sets or pcall("ZRANGE", SETS, 0, -1)
  for _, set in ipairs(all_sets) do
    if set:sub(1, #key + 1) == key .. ":" and is_member(set, id) then
      return true
    end
  end
  return false
end

-- Whether a task stands where its hash says; nil when there is no time to find out.
local function is_listed(state, key, id)
  if requeued[id] then
    return true
  elseif state == "aggregating" then
    return is_in_group(pcall("HGET", key, "group"), id)
  elseif state ~= "pending" then
    return IN_ZSET[state] and is_member(QUEUE_PREFIX .. state, id) or false
  elseif searches == 0 then
    return nil
  end
  searches = searches - 1
  return pcall("LPOS", PENDING, id, "RANK", -1) ~= false
end

-- Orphans are old: LREM begins at the oldest.
local function leave(id)
  local was_active = call("LREM", ACTIVE, -1, id) == 1
  return call("ZREM", LEASE, id) == 1 or was_active
end

local function relist(state, id)
  local score = SCORE_OF_ENDED[state]
  return score and type(pcall("ZADD", QUEUE_PREFIX .. state, score, id)) == "number"
end

local function recover(id, seen)
  local key = TASK_PREFIX .. id
  if not unchanged(id, seen) then
    return CHANGED
  end
  local state = pcall("HGET", key, "state")
  local listed = false
  if type(state) == "string" and state ~= "active" then
    listed = is_listed(state, key, id)
  end
  if listed == nil then
    return POSTPONED
  elseif not leave(id) then
    return CHANGED
  elseif type(state) == "table" or call("EXISTS", key) == 0 then
    return DROPPED
  elseif listed then
    return CHANGED
  end
  call("HDEL", key, "mc_owner", "mc_progress")
  if relist(state, id) then
    return RELISTED
  end
  call("HSET", key, "state", "pending", "pending_since", NOW_NS)
  ids[#ids + 1] = id
  requeued[id] = true
  return REQUEUED
end

-- INCLUDE push_at_head

for at = FIRST, #ARGV, WIDTH do
  answers[#answers + 1] = recover(ARGV[at], tonumber(ARGV[at + SEEN]))
end
if #ids > 0 then
  push_at_head(ids)
end
return answers
