-- Counts the tasks of some of a queue's groups: a page of their names, so that very many groups never hold Redis up.
-- Where it is told to, it forgets the names of groups that have no tasks.
--
-- KEYS[1] groups           set of the names of groups
-- ARGV[1] prefix of group keys
-- ARGV[2] cursor           0 at first, then what the last call returned
-- ARGV[3] how many names a page has, about
-- ARGV[4] 1: forget groups without tasks, 0: leave everything as it is
-- RETURNS  the next cursor (0: that was the last page), the number of tasks. A name that comes while pages are read may
--          be counted or not, and one may be counted twice while Redis makes room for more names
-- ERRORS   WRONGTYPE
local call = redis.call
local GROUPS = KEYS[1]
local GROUP_PREFIX, CURSOR, PAGE, FORGET = ARGV[1], ARGV[2], ARGV[3], ARGV[4] == "1"

local total = 0
local page = call("SSCAN", GROUPS, CURSOR, "COUNT", PAGE)
for _, name in ipairs(page[2]) do
  local size = call("ZCARD", GROUP_PREFIX .. name)
  total = total + size
  if FORGET and size == 0 then
    call("SREM", GROUPS, name)
  end
end
return { page[1], total }
