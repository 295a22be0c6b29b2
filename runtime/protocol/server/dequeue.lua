-- Takes tasks from the head of a queue: they become active, leased and owned.
--
-- KEYS[1] pending  list of ids; the head is at the right
-- KEYS[2] paused   exists while the queue is paused
-- KEYS[3] active   list of ids; new ones at the left
-- KEYS[4] lease    zset: id → when the lease ends, unix s
-- ARGV[1] prefix of task keys
-- ARGV[2] prefix of owners: "<server>:"
-- ARGV[3] attempt of the first task; the others count on (below 2^53)
-- ARGV[4] how many tasks at most; at least 1
-- ARGV[5] when the leases end, unix s
-- RETURNS  { paused (0 or 1), { id, message, … }, { id, … }, { place, crashes, … } }
--          The second list holds ids without a task hash: they are gone from the queue. The third says which of the
--          tasks (counted from 0) crashed workers before, and how often. A hash without msg gives an empty message.
-- ERRORS   WRONGTYPE, with nothing written, when one of the keys is not what it should be
--
-- Ids leave pending last, so a failure on the way loses none. HDEL comes before any command that needs memory: it lets
-- the script pass when maxmemory is reached, so that a full Redis can be worked off.
local call, pcall = redis.call, redis.pcall
local PENDING, PAUSED, ACTIVE, LEASE = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local TASK_PREFIX, OWNER_PREFIX, LEASE_UNTIL = ARGV[1], ARGV[2], ARGV[5]
local FIRST_ATTEMPT, COUNT = tonumber(ARGV[3]), tonumber(ARGV[4])

local tasks, taken, leases, missing, crashes = {}, {}, {}, {}, {}

local function take(id)
  local key = TASK_PREFIX .. id
  local fields = pcall("HMGET", key, "msg", "mc_crashes")
  local message, crashed = fields[1], fields[2]
  if fields.err or (not message and call("EXISTS", key) == 0) then
    missing[#missing + 1] = id
    return
  end
  local n = #taken
  call("HDEL", key, "pending_since")
  call("HSET", key, "state", "active", "mc_owner", OWNER_PREFIX .. string.format("%.0f", FIRST_ATTEMPT + n))
  taken[n + 1] = id
  tasks[2 * n + 1], tasks[2 * n + 2] = id, message or ""
  leases[2 * n + 1], leases[2 * n + 2] = LEASE_UNTIL, id
  if crashed then
    crashes[#crashes + 1] = n
    crashes[#crashes + 1] = crashed
  end
end

if call("EXISTS", PAUSED) == 1 then
  return { 1, {}, {}, {} }
end
local ids = call("LRANGE", PENDING, -COUNT, -1)
if #ids == 0 then
  return { 0, {}, {}, {} }
end
call("LLEN", ACTIVE)
call("ZCARD", LEASE)
for i = #ids, 1, -1 do
  take(ids[i])
end
if #taken > 0 then
  call("LPUSH", ACTIVE, unpack(taken))
  call("ZADD", LEASE, unpack(leases))
end
call("LTRIM", PENDING, 0, -#ids - 1)
return { 0, tasks, missing, crashes }
