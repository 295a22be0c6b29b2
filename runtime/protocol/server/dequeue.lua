-- Takes tasks from the head of a queue: they become active, leased and owned.
--
-- KEYS[1] pending  list of ids; the head is at the right
-- KEYS[2] paused   exists while the queue is paused
-- KEYS[3] active   list of ids; new ones at the left
-- KEYS[4] lease    zset: id → when the lease ends, unix s
-- KEYS[5] limits   hash: concurrency; rate and interval_ms; a field that is not there is no limit
-- KEYS[6] bucket   hash of ours: tokens, and when they were counted; not there: as full as it gets
-- ARGV[1] prefix of task keys
-- ARGV[2] prefix of owners: "<server>:"
-- ARGV[3] attempt of the first task; the others count on (below 2^53)
-- ARGV[4] how many tasks at most; at least 1
-- ARGV[5] when the leases end, unix s
-- RETURNS  { wait, { id, message, … }, { id, … }, { place, crashes, … }, { concurrency, rate, interval ms, wait ms } }
--          wait says what must change before the queue gives more: 0 nothing, 1 it is paused, 2 as many are leased as
--          its concurrency allows, 3 as many began as its rate allows: more in wait ms.
--          The second list holds ids without a task hash: they are gone from the queue. The third says which of the
--          tasks (counted from 0) crashed workers before, and how often. A hash without msg gives an empty message.
--          The last list is empty unless wait is 2 or 3; a limit that is not set is 0.
-- ERRORS   WRONGTYPE, with nothing written, when one of the keys is not what it should be; likewise when a limit is no
--          whole number
--
-- The rate is a token bucket by Redis' own clock. It holds one token, and what comes in SLACK_MS beside it: so tasks
-- begin evenly spread, and a server that asks a little late loses nothing.
--
-- Ids leave pending last, so a failure on the way loses none. HDEL comes before any command that needs memory: it lets
-- the script pass when maxmemory is reached, so that a full Redis can be worked off.
local call, pcall = redis.call, redis.pcall
local PENDING, PAUSED, ACTIVE, LEASE, LIMITS, BUCKET = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local TASK_PREFIX, OWNER_PREFIX, LEASE_UNTIL = ARGV[1], ARGV[2], ARGV[5]
local FIRST_ATTEMPT, COUNT = tonumber(ARGV[3]), tonumber(ARGV[4])

local OPEN, IS_PAUSED, AT_CONCURRENCY, AT_RATE = 0, 1, 2, 3
local SLACK_MS = 100
local WAIT_MIN_MS = 10 -- high rates give several at a time rather than one call for each

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
  call("HDEL", key, "pending_since", "mc_progress")
  call("HSET", key, "state", "active", "mc_owner", OWNER_PREFIX .. string.format("%.0f", FIRST_ATTEMPT + n))
  taken[n + 1] = id
  tasks[2 * n + 1], tasks[2 * n + 2] = id, message or ""
  leases[2 * n + 1], leases[2 * n + 2] = LEASE_UNTIL, id
  if crashed then
    crashes[#crashes + 1] = n
    crashes[#crashes + 1] = crashed
  end
end

-- The limits of the queue. All of it stands in one function, so that a queue without limits pays for none of it.
-- RETURNS  how many ids they let pass; and a function of how many ids then left pending, to be called at the end, that
--          gives wait and the list of limits for the answer
local function limit()
  local slots, tokens, now_ms, bucket_size = math.huge, math.huge, nil, nil

  local function whole(text, name)
    if text and not text:find("^%d+$") then
      error(("%s: %s must be a whole number, not '%s'"):format(LIMITS, name, text), 0)
    end
    return tonumber(text or 0)
  end

  local fields = call("HMGET", LIMITS, "concurrency", "rate", "interval_ms")
  local concurrency, rate = whole(fields[1], "concurrency"), whole(fields[2], "rate")
  local interval_ms = whole(fields[3], "interval_ms")

  local function count_tokens()
    local time, kept = call("TIME"), call("HMGET", BUCKET, "tokens", "at_ms")
    now_ms = time[1] * 1000 + time[2] / 1000
    bucket_size = 1 + rate * math.min(interval_ms, SLACK_MS) / interval_ms
    local before, at_ms = tonumber(kept[1]), tonumber(kept[2])
    if not before or not at_ms then
      return bucket_size
    elseif at_ms > now_ms then -- the clock was set back: not to be waited for
      call("HDEL", BUCKET, "") -- no such field: it is here for what follows, see above
      call("HSET", BUCKET, "at_ms", ("%.3f"):format(now_ms))
      at_ms = now_ms
    end
    return math.min(bucket_size, before + (now_ms - at_ms) * rate / interval_ms)
  end

  -- The bucket goes by itself when it would be full again.
  local function spend(count)
    tokens = tokens - count
    call("HSET", BUCKET, "tokens", ("%.17g"):format(tokens), "at_ms", ("%.3f"):format(now_ms))
    call("PEXPIRE", BUCKET, ("%.0f"):format(math.ceil((bucket_size - tokens) * interval_ms / rate) + 1000))
  end

  if concurrency > 0 then
    slots = concurrency - call("ZCARD", LEASE)
  end
  if rate > 0 then
    if interval_ms == 0 then
      error(LIMITS .. ": a rate needs interval_ms", 0)
    end
    tokens = count_tokens()
  end
  local most = math.max(math.min(COUNT, slots, math.floor(tokens)), 0)

  return most, function(left)
    if rate > 0 and #taken > 0 then
      spend(#taken)
    end
    if left == most and most >= slots then
      return AT_CONCURRENCY, { concurrency, rate, interval_ms, 0 }
    elseif tokens < 1 then
      local wait_ms = math.max(math.ceil((1 - tokens) * interval_ms / rate), WAIT_MIN_MS)
      return AT_RATE, { concurrency, rate, interval_ms, wait_ms }
    end
    return OPEN, {}
  end
end

local most, finish_limit = COUNT, nil
if call("EXISTS", PAUSED, LIMITS) > 0 then -- hardly any queue has either: one look finds out
  if call("EXISTS", PAUSED) == 1 then
    return { IS_PAUSED, {}, {}, {}, {} }
  end
  most, finish_limit = limit()
end
local ids = most > 0 and call("LRANGE", PENDING, -most, -1) or {}
if #ids > 0 then
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
end
local wait, limits = OPEN, {}
if finish_limit then
  wait, limits = finish_limit(#ids)
end
return { wait, tasks, missing, crashes, limits }
