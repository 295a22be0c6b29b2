-- Puts off the deadline of an aggregation set that is worked on.
--
-- KEYS[1] set               its key
-- KEYS[2] aggregation_sets  zset: key of a set → its deadline, unix s by Redis' own clock
-- ARGV[1] the deadline is so many seconds from now
-- RETURNS  1; 0 the set is no more: one that was reclaimed stays away
-- ERRORS   WRONGTYPE, with nothing written, when aggregation_sets is not what it should be
--
-- ZADD would be refused when maxmemory is reached, as the first write of a script; so a write that is always allowed
-- goes first. It changes nothing: no key is blank.
local call = redis.call
local SET, SETS, LEASE_S = KEYS[1], KEYS[2], tonumber(ARGV[1])
local DONE, GONE = 1, 0

call("ZREM", SETS, "")
if not call("ZSCORE", SETS, SET) then
  return GONE
end
call("ZADD", SETS, "XX", call("TIME")[1] + LEASE_S, SET)
return DONE
