-- Deletes the hashes of tasks that have ended, and the uniqueness locks that they hold; and takes the ids from a zset.
local function erase(set, members)
  local garbage = {}
  for _, id in ipairs(members) do
    local key = TASK_PREFIX .. id
    local lock = pcall("HGET", key, "unique_key")
    garbage[#garbage + 1] = key
    if type(lock) == "string" and pcall("GET", lock) == id then
      garbage[#garbage + 1] = lock
    end
  end
  call("DEL", unpack(garbage))
  call("ZREM", set, unpack(members))
end
