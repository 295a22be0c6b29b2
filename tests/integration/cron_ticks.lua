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

--- Fails unless every tick from the first to the last was enqueued once, and nothing was enqueued besides.
---@param crew table
---@param nodes table[] stopped, so that nothing more comes
---@param interval_s integer
---@return integer first, integer last, integer count
function M.assert_each_once(crew, nodes, interval_s)
  local ticks, first, last = M.enqueued(nodes)
  local count = 0
  for tick = first, last, interval_s do
    local ids = ticks[tick] or {}
    assert.equal(1, #ids, ("tick %d (%d after the first) was enqueued %d times"):format(tick, tick - first, #ids))
    count = count + 1
  end
  local counts = crew:queue():counts()
  assert.equal(count, counts.processed + counts.pending + counts.active, "tasks that Redis has seen")
  local tally = crew.notes:tally "ran"
  for id, times in pairs(tally) do
    assert.equal(1, times, "runs of task " .. id)
  end
  return first, last, count
end

return M
