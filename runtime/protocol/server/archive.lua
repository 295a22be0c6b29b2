-- Archives tasks that failed for good, and trims the archive by age and size.
--
-- KEYS[1] active           list of ids
-- KEYS[2] lease            zset: id → when the lease ends
-- KEYS[3] archived         zset: id → when it was archived, unix s
-- KEYS[4] processed        counter over all time
-- KEYS[5] processed_today  counter of the day
-- KEYS[6] failed           counter over all time
-- KEYS[7] failed_today     counter of the day
-- ARGV[1] prefix of task keys
-- ARGV[2] prefix of owners: "<server>:"
-- ARGV[3] now, unix s
-- ARGV[4] what was archived up to this time is trimmed, unix s
-- ARGV[5] how many tasks the archive holds at most
-- ARGV[6…] six per task, in this order:
--   id
--   attempt
--   scan     LREM's count: 1 from the newest end of active, -1 from the oldest
--   message  the new encoded message; empty: msg stays as it is
--   error    why msg could not be rewritten, for the field mc_error; empty: none
--   crash    when and why its worker died, for the field mc_last_crash; empty: the field stays as it is
-- RETURNS  the attempts whose tasks are not ours any more; these were left alone
-- ERRORS   WRONGTYPE, with nothing written, when active, lease or archived is not what it should be
--
-- One call trims at most TRIM_MIN tasks, or as many as it archives if those are more: the archive cannot outgrow its
-- size, and no call takes long. A trimmed task's hash goes, and the uniqueness lock that it holds.
-- LREM and HDEL come before any command that needs memory: they let the script pass when maxmemory is reached.
local call, pcall = redis.call, redis.pcall
local ACTIVE, LEASE, ARCHIVED = KEYS[1], KEYS[2], KEYS[3]
local PROCESSED, PROCESSED_TODAY, FAILED, FAILED_TODAY = KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local TASK_PREFIX, OWNER_PREFIX, NOW_S, CUTOFF_S, MAX_SIZE = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local FIRST, WIDTH = 6, 6
local ATTEMPT, SCAN, MESSAGE, ERROR, CRASH = 1, 2, 3, 4, 5 -- from the place of a task's id
local TRIM_MIN = 100

local ids, entries, refused = {}, {}, {}

-- INCLUDE claim

local function store(at, key)
  local fields = { "state", "archived" }
  local function add(name, value)
    if value ~= "" then
      fields[#fields + 1] = name
      fields[#fields + 1] = value
    end
  end
  add("msg", ARGV[at + MESSAGE])
  add("mc_error", ARGV[at + ERROR])
  add("mc_last_crash", ARGV[at + CRASH])
  call("HSET", key, unpack(fields))
end

-- INCLUDE count

-- INCLUDE erase

local function trim(limit)
  local old = call("ZRANGEBYSCORE", ARCHIVED, "-inf", CUTOFF_S, "LIMIT", 0, limit)
  if #old > 0 then
    erase(ARCHIVED, old)
  end
  local surplus = math.min(call("ZCARD", ARCHIVED) - MAX_SIZE, limit - #old)
  if surplus > 0 then
    erase(ARCHIVED, call("ZRANGE", ARCHIVED, 0, surplus - 1))
  end
end

call("ZCARD", LEASE)
call("ZCARD", ARCHIVED)
for at = FIRST, #ARGV, WIDTH do
  local id = ARGV[at]
  local key = TASK_PREFIX .. id
  if claim(id, key, ARGV[at + ATTEMPT], ARGV[at + SCAN], "mc_owner", "mc_progress", "mc_crashes") then
    store(at, key)
    ids[#ids + 1] = id
    entries[#entries + 1] = NOW_S
    entries[#entries + 1] = id
  else
    refused[#refused + 1] = ARGV[at + ATTEMPT]
  end
end
if #ids > 0 then
  call("ZREM", LEASE, unpack(ids))
  call("ZADD", ARCHIVED, unpack(entries))
  count(PROCESSED, PROCESSED_TODAY, #ids)
  count(FAILED, FAILED_TODAY, #ids)
  trim(math.max(TRIM_MIN, #ids))
end
return refused
