-- What nodes enqueued for one cron entry, by their logs, against what Redis counted: is each tick there exactly once?
local M = {}

--- A script with one entry, `@every <interval>`, whose task notes its id and is done at once.
---@param interval string
---@param options? string fields of the entry's options, as Lua
---@return string
function M.script(interval, options)
  return ([[
local tick = crew.task("tick", { perform = function(_, task) note("ran", task.id) end })
crew.cron("@every %s", tick, nil, { %s })
]]):format(interval, options or "")
end

--- The ticks that all nodes together enqueued: tick → ids of its tasks; and the first and the last one.
---@param nodes table[]
function M.enqueued(nodes)
  local ticks, first, last = {}, math.huge, -math.huge
  for _, node in ipairs(nodes) do
    for _, line in ipairs(node:log { event = "enqueued cron tick" }) do
      ticks[line.tick] = ticks[line.tick] or {}
      table.insert(ticks[line.tick], line.task_id)
      first, last = math.min(first, line.tick), math.max(last, line.tick)
    end
  end
  return ticks, first, last
end

--- How many ticks of the log say that another node was there first.
function M.taken(node)
  return #node:log { event = "cron tick taken by another node" }
end

-- A node that is killed may have enqueued a tick and not written its line: the claim in Redis tells.
local function add_claims(crew, ticks)
  for _, key in ipairs(crew.redis:call("KEYS", "asynq:{default}:mc_cron:*:*")) do
    local tick, id = tonumber(key:match ":(%d+)$"), crew.redis:call("GET", key)
    ticks[tick] = ticks[tick] or {}
    local known = false
    for _, other in ipairs(ticks[tick]) do
      known = known or other == id
    end
    if not known then table.insert(ticks[tick], id) end
  end
end

local function check(expected, seen, what)
  if expected ~= seen then error(("%s: %s where %s was expected"):format(what, seen, expected), 3) end
end

--- Fails unless every tick from the first to the last was enqueued once, and nothing was enqueued besides.
---@param crew table
---@param nodes table[] stopped, so that nothing more comes
---@param interval_s integer
---@return integer first, integer last, integer count
function M.assert_each_once(crew, nodes, interval_s)
  local ticks, first, last = M.enqueued(nodes)
  add_claims(crew, ticks)
  local count = 0
  for tick = first, last, interval_s do
    local times = #(ticks[tick] or {})
    check(1, times, ("times that tick %d, %d s after the first, was enqueued"):format(tick, tick - first))
    count = count + 1
  end
  local counts = crew:queue():counts()
  check(count, counts.processed + counts.pending + counts.active, "tasks that Redis has seen")
  for id, times in pairs((crew.notes:tally "ran")) do
    check(1, times, "runs of task " .. id)
  end
  return first, last, count
end

return M
