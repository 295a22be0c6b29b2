-- Takes a task out of active, if it is ours and there. (Someone who knows no owners may have taken it: then it is not
-- ours either.) The further arguments are fields of its hash that go when it was there.
local function claim(id, key, attempt, scan, ...)
  if pcall("HGET", key, "mc_owner") ~= OWNER_PREFIX .. attempt then
    return false
  end
  local found = call("LREM", ACTIVE, scan, id) == 1
  if not found then
    call("HDEL", key, "mc_owner")
  elseif ... then
    call("HDEL", key, ...)
  end
  return found
end
