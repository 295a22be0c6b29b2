-- Gives an aggregation set that was not folded back to its group. Tasks that cannot be folded go to pending, where each
-- is dealt with alone.
--
-- KEYS[1] set               zset: id → when it joined the group, unix s
-- KEYS[2] aggregation_sets  zset: key of a set → its deadline, unix s
-- KEYS[3] group             zset: id → when it joined, unix s
-- KEYS[4] groups            set of the names of groups
-- KEYS[5] pending           list of ids
-- KEYS[6] mc_fold_failures  hash: group → "<failures in a row> <next try, unix s> <error>"
-- ARGV[1] prefix of task keys
-- ARGV[2] name of the group
-- ARGV[3] now, unix ns
-- ARGV[4] the group's new entry in mc_fold_failures; empty: no failure
-- ARGV[5…] ids that go to pending
-- RETURNS  how many tasks went back to the group; -1 when the set is no more: then nothing was written
-- ERRORS   WRONGTYPE, with nothing written, when one of the keys is not what it should be
--
-- ZREM and DEL come before any command that needs memory. A hash of failures that nobody adds to for a day goes away,
-- with the groups in it that are no more.
local call, pcall = redis.call, redis.pcall
local SET, SETS, GROUP_KEY, GROUPS, PENDING, FAILURES = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local TASK_PREFIX, GROUP, NOW_NS, FAILURE = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local FIRST = 5
local REFUSED = -1
local FAILURES_TTL_S = 24 * 3600

local function check_types()
  call("ZCARD", GROUP_KEY)
  call("SCARD", GROUPS)
  call("LLEN", PENDING)
  call("HLEN", FAILURES)
end

local function send_alone(id)
  local key = TASK_PREFIX .. id
  if type(pcall("HDEL", key, "group")) == "table" or call("EXISTS", key) == 0 then
    return
  end
  call("HSET", key, "state", "pending", "pending_since", NOW_NS)
  call("LPUSH", PENDING, id)
end

if not call("ZSCORE", SETS, SET) then
  return REFUSED
end
check_types()
local entries, alone, back = call("ZRANGE", SET, 0, -1, "WITHSCORES"), {}, 0
for i = FIRST, #ARGV do
  alone[ARGV[i]] = true
end
call("ZREM", SETS, SET)
call("DEL", SET)
for i = 1, #entries, 2 do
  local id, joined = entries[i], entries[i + 1]
  if alone[id] then
    send_alone(id)
  else
    call("ZADD", GROUP_KEY, joined, id)
    back = back + 1
  end
end
if back > 0 then
  call("SADD", GROUPS, GROUP)
end
if FAILURE ~= "" then
  call("HSET", FAILURES, GROUP, FAILURE)
  call("EXPIRE", FAILURES, FAILURES_TTL_S)
end
return back
