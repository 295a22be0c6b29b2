-- Deletes what is kept no longer: completed tasks that expired, archived ones that are too old or too many.
--
-- KEYS[1] completed  zset: id → when it expires, unix s
-- KEYS[2] archived   zset: id → when it was archived, unix s
-- ARGV[1] prefix of task keys
-- ARGV[2] now, unix s
-- ARGV[3] what was archived up to this time goes, unix s
-- ARGV[4] how many tasks the archive holds at most; the oldest go first
-- ARGV[5] how many ids at most, in all
-- RETURNS  how many ids went; when that is as many as were allowed there may be more
-- ERRORS   WRONGTYPE, with nothing written, when completed or archived is not what it should be
--
-- With its id goes a task's hash, and the uniqueness lock that it holds. Nothing here needs memory: the script passes
-- when maxmemory is reached.
local call, pcall = redis.call, redis.pcall
local COMPLETED, ARCHIVED = KEYS[1], KEYS[2]
local TASK_PREFIX, NOW_S, CUTOFF_S, MAX_SIZE, BATCH = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])

local left = BATCH

-- INCLUDE erase

local function drop(set, ids)
  if #ids > 0 then
    erase(set, ids)
    left = left - #ids
  end
end

local function drop_older(set, than)
  if left > 0 then
    drop(set, call("ZRANGEBYSCORE", set, "-inf", than, "LIMIT", 0, left))
  end
end

local archived = call("ZCARD", ARCHIVED)
drop_older(COMPLETED, NOW_S)
if archived > 0 then
  drop_older(ARCHIVED, CUTOFF_S)
  local surplus = math.min(call("ZCARD", ARCHIVED) - MAX_SIZE, left)
  if surplus > 0 then
    drop(ARCHIVED, call("ZRANGE", ARCHIVED, 0, surplus - 1))
  end
end
return BATCH - left
