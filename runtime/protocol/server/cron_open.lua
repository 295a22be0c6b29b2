-- Opens the record of a cron entry, and begins one that is not there.
--
-- KEYS[1] record  hash: newest, enqueued (ticks, unix s)
-- ARGV[1] where a new record begins: ticks up to here were never missed, unix s
-- ARGV[2] how long the record is kept from now on, s
-- RETURNS  { newest, enqueued }; the second is nil when no tick was enqueued so far
-- ERRORS   WRONGTYPE, with nothing written
local call = redis.call
local RECORD = KEYS[1]
local START_S, LASTS_S = ARGV[1], ARGV[2]

call("HSETNX", RECORD, "newest", START_S)
call("EXPIRE", RECORD, LASTS_S)
return call("HMGET", RECORD, "newest", "enqueued")
