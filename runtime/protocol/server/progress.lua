-- Notes how far tasks have come, in their field mc_progress: JSON with fraction, at and maybe text.
--
-- KEYS[1] lease  zset: id → when the lease ends
-- ARGV[1] prefix of task keys
-- ARGV[2] prefix of owners: "<server>:"
-- ARGV[3…] six per task, in this order:
--   id
--   attempt
--   fraction  from 0 to 1
--   at        when it had come so far, unix s
--   has_text  1 or 0
--   text      in words; UTF-8
-- RETURNS  how many were noted; tasks that are not ours any more were left alone
-- ERRORS   WRONGTYPE, with nothing written, when lease is not what it should be; OOM, with nothing written
--
-- A server that knows no owners leaves mc_owner behind when it takes a task away, but not the lease.
local call, pcall = redis.call, redis.pcall
local LEASE = KEYS[1]
local TASK_PREFIX, OWNER_PREFIX = ARGV[1], ARGV[2]
local FIRST, WIDTH = 3, 6
local ATTEMPT, FRACTION, AT, HAS_TEXT, TEXT = 1, 2, 3, 4, 5 -- from the place of a task's id

local function is_ours(id, key, attempt)
  return pcall("HGET", key, "mc_owner") == OWNER_PREFIX .. attempt and call("ZSCORE", LEASE, id)
end

local noted = 0
for at = FIRST, #ARGV, WIDTH do
  local id = ARGV[at]
  local key = TASK_PREFIX .. id
  if is_ours(id, key, ARGV[at + ATTEMPT]) then
    call("HSET", key, "mc_progress", cjson.encode({
      fraction = tonumber(ARGV[at + FRACTION]),
      at = tonumber(ARGV[at + AT]),
      text = ARGV[at + HAS_TEXT] == "1" and ARGV[at + TEXT] or nil,
    }))
    noted = noted + 1
  end
end
return noted
