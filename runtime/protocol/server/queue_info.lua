-- Reads what stands in one queue: sizes, counters, latency, and an estimate of its memory.
--
-- KEYS[1] pending          list of ids
-- KEYS[2] active           list of ids
-- KEYS[3] scheduled        zset of ids
-- KEYS[4] retry            zset of ids
-- KEYS[5] archived         zset of ids
-- KEYS[6] completed        zset of ids
-- KEYS[7] groups           set of the names of groups
-- KEYS[8] paused           exists while the queue is paused
-- KEYS[9] processed        counter over all time
-- KEYS[10] failed          counter over all time
-- KEYS[11] processed_today  counter of the day
-- KEYS[12] failed_today     counter of the day
-- ARGV[1] prefix of task keys
-- ARGV[2] prefix of group keys
-- ARGV[3] how many tasks of a state are measured for the estimate
-- ARGV[4] of how many groups tasks are measured
-- ARGV[5] how many groups are counted, about
-- RETURNS  pending, active, scheduled, retry, archived, completed, aggregating (-1: there are more groups than are
--          counted; walk_groups.lua counts them), groups, paused (1 or 0), processed, failed, processed_today,
--          failed_today, pending_since of the oldest pending task (unix ns; 0: none), bytes of memory
-- ERRORS   WRONGTYPE
local call, pcall = redis.call, redis.pcall
local PENDING, ACTIVE, SCHEDULED, RETRY, ARCHIVED, COMPLETED = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local GROUPS, PAUSED = KEYS[7], KEYS[8]
local PROCESSED, FAILED, PROCESSED_TODAY, FAILED_TODAY = KEYS[9], KEYS[10], KEYS[11], KEYS[12]
local TASK_PREFIX, GROUP_PREFIX, SAMPLES, GROUP_SAMPLES = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local GROUPS_COUNTED = ARGV[5]

local memory = 0

local function memory_of(key)
  local bytes = pcall("MEMORY", "USAGE", key)
  return type(bytes) == "number" and bytes or 0
end

-- Adds what `size` tasks take, going by these.
local function add_tasks(ids, size)
  local sum = 0
  for _, id in ipairs(ids) do
    sum = sum + memory_of(TASK_PREFIX .. id)
  end
  if #ids > 0 then
    memory = memory + sum / #ids * size
  end
end

local function read_list(key)
  local size = call("LLEN", key)
  memory = memory + memory_of(key)
  add_tasks(call("LRANGE", key, 0, SAMPLES - 1), size)
  return size
end

local function read_set(key)
  local size = call("ZCARD", key)
  memory = memory + memory_of(key)
  add_tasks(call("ZRANGE", key, 0, SAMPLES - 1), size)
  return size
end

local function read_groups(group_count)
  local total, sample = 0, {}
  local page = call("SSCAN", GROUPS, 0, "COUNT", GROUPS_COUNTED)
  local names, is_whole = page[2], page[1] == "0"
  memory = memory + memory_of(GROUPS)
  for i, name in ipairs(names) do
    local key = GROUP_PREFIX .. name
    total = total + call("ZCARD", key)
    if i <= GROUP_SAMPLES then
      memory = memory + memory_of(key)
      for _, id in ipairs(call("ZRANGE", key, 0, SAMPLES - 1)) do
        sample[#sample + 1] = id
      end
    end
  end
  add_tasks(sample, is_whole and total or total / #names * group_count)
  return is_whole and total or -1
end

-- Counters go back as text: a Lua number cannot hold all of them.
local function counter(key)
  local value = pcall("GET", key)
  return type(value) == "string" and value or "0"
end

local function oldest_since()
  local id = call("LRANGE", PENDING, -1, -1)[1]
  local since = id and pcall("HGET", TASK_PREFIX .. id, "pending_since")
  return type(since) == "string" and since or "0"
end

local group_count = call("SCARD", GROUPS)
local sizes = {
  read_list(PENDING), read_list(ACTIVE), read_set(SCHEDULED), read_set(RETRY), read_set(ARCHIVED), read_set(COMPLETED),
  read_groups(group_count), group_count, call("EXISTS", PAUSED),
}
for _, value in ipairs { counter(PROCESSED), counter(FAILED), counter(PROCESSED_TODAY), counter(FAILED_TODAY) } do
  sizes[#sizes + 1] = value
end
sizes[#sizes + 1] = oldest_since()
sizes[#sizes + 1] = math.floor(memory)
return sizes
