-- Gives aggregation sets that are past their deadline back to their groups: whoever worked on them is gone.
--
-- KEYS[1] aggregation_sets  zset: key of a set → its deadline, unix s by Redis' own clock
-- KEYS[2] groups            set of the names of groups
-- ARGV[1] prefix of group keys
-- ARGV[2] how many sets at most
-- RETURNS  { group, how many tasks went back to it } per set
-- ERRORS   WRONGTYPE, with nothing written, when one of the keys is not what it should be
--
-- The key of a set is <group key>:<id>, with no colon in the id. What is registered and is no such key, or has another
-- type, is only taken off the list. ZREM comes before any command that needs memory.
local call, pcall = redis.call, redis.pcall
local SETS, GROUPS = KEYS[1], KEYS[2]
local GROUP_PREFIX, AT_MOST = ARGV[1], ARGV[2]

local function group_of(set)
  local group_key = set:match("^(.+):[^:]*$")
  if group_key and #group_key > #GROUP_PREFIX and group_key:sub(1, #GROUP_PREFIX) == GROUP_PREFIX then
    return group_key:sub(#GROUP_PREFIX + 1), group_key
  end
end

local function give_back(set)
  local group, group_key = group_of(set)
  local entries = group and pcall("ZRANGE", set, 0, -1, "WITHSCORES")
  call("ZREM", SETS, set)
  if not group or entries.err or type(pcall("ZCARD", group_key)) == "table" then
    return nil
  end
  call("DEL", set)
  for i = 1, #entries, 2 do
    call("ZADD", group_key, entries[i + 1], entries[i])
  end
  if #entries > 0 then
    call("SADD", GROUPS, group)
  end
  return { group, #entries / 2 }
end

call("SCARD", GROUPS)
local given = {}
for _, set in ipairs(call("ZRANGEBYSCORE", SETS, "-inf", call("TIME")[1], "LIMIT", 0, AT_MOST)) do
  given[#given + 1] = give_back(set)
end
return given
