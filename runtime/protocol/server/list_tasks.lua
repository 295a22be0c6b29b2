-- Reads one page of the tasks that stand in a list or a sorted set. Only the page is read, not what lies before it.
--
-- KEYS[1] place  list or zset of ids
-- KEYS[2] lease  zset: id → when the lease ends, unix s
-- ARGV[1] prefix of task keys
-- ARGV[2] list or zset
-- ARGV[3] how many tasks at most
-- ARGV[4] how many come before the page; not used when the next two are given
-- ARGV[5] the score of the last task of the page before; empty: none
-- ARGV[6] its id
-- RETURNS  how many tasks there are; how many come before the page; an array with three items per task: id, score (of a
--          zset; of a list: when the lease ends; empty: none), and the fields of its hash as HGETALL gives them
-- ERRORS   WRONGTYPE
--
-- Lists begin with the oldest, which is at their right end. Sets are ordered by score, then by id, byte by byte.
local call, pcall = redis.call, redis.pcall
local PLACE, LEASE = KEYS[1], KEYS[2]
local TASK_PREFIX, KIND, SIZE, SKIP = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local AFTER_SCORE, AFTER_ID = ARGV[5], ARGV[6]

local function fields_of(id)
  local fields = pcall("HGETALL", TASK_PREFIX .. id)
  return fields.err and {} or fields
end

-- Lua's own comparison follows the server's locale; Redis' does not.
local function is_before(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = a:byte(i), b:byte(i)
    if x ~= y then
      return x < y
    end
  end
  return #a < #b
end

-- How many entries come up to and with (score, id), which may be gone: among those of this score the place is searched
-- by halves.
local function rank_after(score, id)
  local low, high = call("ZCOUNT", PLACE, "-inf", "(" .. score), call("ZCOUNT", PLACE, "-inf", score)
  while low < high do
    local middle = math.floor((low + high) / 2)
    local found = call("ZRANGE", PLACE, middle, middle)[1]
    if is_before(id, found) then
      high = middle
    else
      low = middle + 1
    end
  end
  return low
end

local function read_list(skip)
  local ids, tasks = call("LRANGE", PLACE, -skip - SIZE, -skip - 1), {}
  for i = #ids, 1, -1 do
    tasks[#tasks + 1] = ids[i]
    tasks[#tasks + 1] = call("ZSCORE", LEASE, ids[i]) or ""
    tasks[#tasks + 1] = fields_of(ids[i])
  end
  return { call("LLEN", PLACE), skip, tasks }
end

local function read_set(skip)
  local entries, tasks = call("ZRANGE", PLACE, skip, skip + SIZE - 1, "WITHSCORES"), {}
  for i = 1, #entries, 2 do
    tasks[#tasks + 1] = entries[i]
    tasks[#tasks + 1] = entries[i + 1]
    tasks[#tasks + 1] = fields_of(entries[i])
  end
  return { call("ZCARD", PLACE), skip, tasks }
end

if KIND == "list" then
  return read_list(SKIP)
end
return read_set(AFTER_SCORE == "" and SKIP or rank_after(AFTER_SCORE, AFTER_ID))
