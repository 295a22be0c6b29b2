-- Extends the leases of tasks that are held.
--
-- KEYS[1] lease  zset: id → when the lease ends, unix s
-- ARGV[1] prefix of task keys
-- ARGV[2] prefix of owners: "<server>:"
-- ARGV[3] when the leases end now, unix s
-- ARGV[4…] two per task: id, attempt
-- RETURNS  the attempts whose tasks are not ours any more; these were left alone
-- ERRORS   WRONGTYPE, with nothing written, when lease is not what it should be
--
-- Leases must be kept up when maxmemory is reached too. ZADD would be refused then, as the first write of a script;
-- so a write that is always allowed goes first. It changes nothing: no id is blank.
local call, pcall = redis.call, redis.pcall
local LEASE = KEYS[1]
local TASK_PREFIX, OWNER_PREFIX, LEASE_UNTIL = ARGV[1], ARGV[2], ARGV[3]
local FIRST, WIDTH = 4, 2
local ATTEMPT = 1 -- from the place of a task's id

local entries, refused = {}, {}
call("ZREM", LEASE, "")
for at = FIRST, #ARGV, WIDTH do
  local id = ARGV[at]
  if pcall("HGET", TASK_PREFIX .. id, "mc_owner") == OWNER_PREFIX .. ARGV[at + ATTEMPT] then
    entries[#entries + 1] = LEASE_UNTIL
    entries[#entries + 1] = id
  else
    refused[#refused + 1] = ARGV[at + ATTEMPT]
  end
end
if #entries > 0 then
  call("ZADD", LEASE, "XX", unpack(entries))
end
return refused
