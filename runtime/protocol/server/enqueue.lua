-- Accepts new tasks of one queue, whatever their kinds, and answers for each.
--
-- KEYS[1] pending    list of ids
-- KEYS[2] scheduled  zset: id → process at, unix s
-- KEYS[3] groups     set of the names of groups
-- ARGV[1] prefix of task keys
-- ARGV[2] prefix of group keys
-- ARGV[3] now, unix s: the score in a group
-- ARGV[4…] six per task, in this order:
--   state    pending, scheduled or aggregating
--   id
--   message  the encoded task message
--   lock     key of the uniqueness lock; empty: not unique
--   ttl      of the lock, s
--   place    pending: now in unix ns; scheduled: process at, unix s; aggregating: the group's name
-- RETURNS  an answer per task, in order: 1 accepted, 0 a task with this id exists, -1 the lock is held,
--          -2 the lock is held by this very id; or an error, and nothing of the task was written
-- ERRORS   as Redis gives them, with nothing written (OOM, READONLY …)
--
-- What can fail for good (a list that is none, memory that is full) is done first for each task, so that nothing is
-- left half made: locks, then the places, then the hashes, which are new and cannot fail.
local call, pcall = redis.call, redis.pcall
local PENDING, SCHEDULED, GROUPS = KEYS[1], KEYS[2], KEYS[3]
local TASK_PREFIX, GROUP_PREFIX, NOW_S = ARGV[1], ARGV[2], ARGV[3]
local FIRST, WIDTH = 4, 6
local ID, MESSAGE, LOCK, TTL, PLACE = 1, 2, 3, 4, 5 -- from the place of a task's state
local ACCEPTED, CONFLICT, DUPLICATE, DUPLICATE_OF_ITSELF = 1, 0, -1, -2

local answers = {}
local accepted = { pending = {}, scheduled = {}, aggregating = {} }

local function is_unique(at)
  return ARGV[at + LOCK] ~= ""
end

local function lock(at)
  local key, id = ARGV[at + LOCK], ARGV[at + ID]
  if call("SET", key, id, "NX", "EX", ARGV[at + TTL]) then
    return ACCEPTED
  end
  return pcall("GET", key) == id and DUPLICATE_OF_ITSELF or DUPLICATE
end

local function answer(at, value)
  answers[(at - FIRST) / WIDTH + 1] = value
end

local function refuse(tasks, failure)
  for _, at in ipairs(tasks) do
    if is_unique(at) then
      call("DEL", ARGV[at + LOCK])
    end
    answer(at, { err = failure.err })
  end
end

-- One look at all keys; only when one of them exists, which is rare, one by one.
local function any_exists()
  local keys = {}
  for at = FIRST, #ARGV, WIDTH do
    keys[#keys + 1] = TASK_PREFIX .. ARGV[at + ID]
  end
  return call("EXISTS", unpack(keys)) > 0
end

local function admit()
  local seen, some_exist = {}, any_exists()
  for at = FIRST, #ARGV, WIDTH do
    local id = ARGV[at + ID]
    local verdict = is_unique(at) and lock(at) or ACCEPTED
    if verdict == ACCEPTED and (seen[id] or some_exist and call("EXISTS", TASK_PREFIX .. id) == 1) then
      verdict = CONFLICT
      if is_unique(at) then
        call("DEL", ARGV[at + LOCK])
      end
    end
    if verdict == ACCEPTED then
      local tasks = accepted[ARGV[at]]
      tasks[#tasks + 1] = at
      seen[id] = true
    end
    answer(at, verdict)
  end
end

local function store(at, ...)
  local key = TASK_PREFIX .. ARGV[at + ID]
  if is_unique(at) then
    call("HSET", key, "msg", ARGV[at + MESSAGE], "state", ARGV[at], "unique_key", ARGV[at + LOCK], ...)
  else
    call("HSET", key, "msg", ARGV[at + MESSAGE], "state", ARGV[at], ...)
  end
end

local function enqueue_pending(tasks)
  local ids = {}
  for i, at in ipairs(tasks) do
    ids[i] = ARGV[at + ID]
  end
  local pushed = pcall("LPUSH", PENDING, unpack(ids))
  if type(pushed) == "table" then
    return refuse(tasks, pushed)
  end
  for _, at in ipairs(tasks) do
    store(at, "pending_since", ARGV[at + PLACE])
  end
end

local function enqueue_scheduled(tasks)
  local entries = {}
  for _, at in ipairs(tasks) do
    entries[#entries + 1] = ARGV[at + PLACE]
    entries[#entries + 1] = ARGV[at + ID]
  end
  local added = pcall("ZADD", SCHEDULED, unpack(entries))
  if type(added) == "table" then
    return refuse(tasks, added)
  end
  for _, at in ipairs(tasks) do
    store(at)
  end
end

local function enqueue_in_group(at)
  local group, id = ARGV[at + PLACE], ARGV[at + ID]
  local added = pcall("ZADD", GROUP_PREFIX .. group, NOW_S, id)
  if type(added) == "table" then
    return refuse({ at }, added)
  end
  added = pcall("SADD", GROUPS, group)
  if type(added) == "table" then
    call("ZREM", GROUP_PREFIX .. group, id)
    return refuse({ at }, added)
  end
  store(at, "group", group)
end

admit()
if #accepted.pending > 0 then
  enqueue_pending(accepted.pending)
end
if #accepted.scheduled > 0 then
  enqueue_scheduled(accepted.scheduled)
end
for _, at in ipairs(accepted.aggregating) do
  enqueue_in_group(at)
end
return answers
