local function leave_group(group, id)
  local left = pcall("ZREM", GROUP_PREFIX .. group, id) == 1
  if left and call("EXISTS", GROUP_PREFIX .. group) == 0 then
    call("SREM", GROUPS, group)
    pcall("HDEL", FAILURES, group)
  end
  return left
end

-- Out of where a task of this state stands; false when it is not there.
local function leave(state, group, id)
  if state == "aggregating" then
    return leave_group(group, id)
  elseif state == "pending" then
    return call("LREM", PENDING, -1, id) == 1
  end
  return pcall("ZREM", QUEUE_PREFIX .. state, id) == 1
end

-- Out of where it was found, when there is no such task.
local function leave_trace(id)
  if STATE ~= "" then
    leave(STATE, GROUP, id)
  end
end

-- Whether the state and group in its hash are other ones than those it was found in.
local function has_changed(state, group)
  return STATE ~= "" and (state ~= STATE or (state == "aggregating" and group ~= GROUP))
end
