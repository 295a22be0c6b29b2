-- Nodes that stand still for 90 s (a stopped process, a frozen container, a suspended machine) and then go on: others
-- have done their tasks, and what they say late is refused.
local uv = require "luv"
local wait = require "wait"
local with_crew = require("support").with_crew

local PAUSE_S, TASKS = 90, 40

-- Who runs a task before the pause is busy for longer than it takes the others to recover it.
local T = [[
crew.task("t", { perform = function(_, task)
  note("start", task.id, task.retried)
  crew.sleep(io.open(here .. "/slow") and 30 or 0.1)
  note("end", task.id, task.retried)
end })
]]

local function send_all(pids, signal)
  for _, pid in ipairs(pids) do
    uv.kill(pid, signal)
  end
end

-- The ids of tasks that these processes had started.
local function started_by(crew, pids)
  local ids, is_one = {}, {}
  for _, pid in ipairs(pids) do
    is_one[pid] = true
  end
  for _, entry in ipairs(crew.notes:all "start") do
    if is_one[entry.pid] then table.insert(ids, entry[2]) end
  end
  return ids
end

-- Each of the tasks that a node had is refused to it, once, and it says so.
local function assert_refused(node, ids)
  for _, id in ipairs(ids) do
    node:wait_log(20, { event = "result refused", level = "warn", task_id = id })
    assert.equal(1, #node:log { event = "result refused", task_id = id }, "lines about " .. id)
  end
  assert.equal(TASKS / 2, #ids)
  assert.same({}, node:log { event = "processed task" })
end

-- It takes its 90 s of real time, once: the same under sanitizers would show nothing new.
local it_if_time = wait.patience == 1 and it or function(name) pending(name .. " (90 s: not under sanitizers)") end

describe("nodes that stand still for 90 s", function()
  it_if_time("find their tasks done elsewhere, once more each, and are refused their late results, be it one " ..
    "supervisor or all of a node", with_crew(function(crew)
      crew:script("t.lua", T)
      local queue, slow = crew:queue(), crew:file("slow", "")
      queue:add_many(TASKS, function() return { type = "t", retention = 600 } end)
      local alone, whole = crew:run { concurrency = TASKS / 2 }, crew:run { concurrency = TASKS / 2 }
      crew:wait_until("both nodes are full", 20, function() return crew.notes:count "start" == TASKS end)
      local left, stopped = alone:workers(), whole:workers()
      local by_alone, by_whole = started_by(crew, left), started_by(crew, stopped)

      send_all({ alone.pid, whole.pid, stopped[1] }, "sigstop")
      uv.fs_unlink(slow)
      local paused_ms = wait.now_ms()
      local other = crew:run { concurrency = TASKS }
      crew:wait_counts(queue, 60, { completed = TASKS, pending = 0, active = 0, lease = 0, retry = 0 })
      local took_s = (wait.now_ms() - paused_ms) / 1000
      wait.hold("nothing more happens", PAUSE_S - took_s, function()
        return queue:counts().processed == TASKS
      end)
      send_all({ alone.pid, whole.pid, stopped[1] }, "sigcont")

      assert_refused(alone, by_alone)
      assert_refused(whole, by_whole)
      local counts = queue:counts()
      assert.same({ TASKS, TASKS, 0, 0, 0 },
        { counts.completed, counts.processed, counts.failed, counts.retry, counts.archived })
      assert.equal(TASKS, #other:log { event = "processed task" })
      local starts = crew.notes:tally "start"
      for id in pairs(starts) do
        assert.equal(2, starts[id], "starts of " .. id)
        assert.equal(0, queue:task(id).message.retried, "retries of " .. id)
      end

      queue:add_many(20, function() return { type = "t" } end)
      crew:wait_counts(queue, 20, { processed = TASKS + 20, pending = 0, active = 0, lease = 0 })
      local refused = #alone:log { event = "result refused" } + #whole:log { event = "result refused" }
      print(("measured: two nodes stopped for %d s: %d tasks done elsewhere within %.1f s, %d late results refused")
        :format(PAUSE_S, TASKS, took_s, refused))
    end))
end)
