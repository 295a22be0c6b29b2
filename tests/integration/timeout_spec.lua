-- Time limits: a handler that waits is told, one that does not yield is stopped with its process, and nobody else pays.
local wait = require "wait"
local with_crew = require("support").with_crew

local HANG = [[
crew.task("hang", { perform = function(_, task)
  note("hang", task.id)
  while true do end
end })
]]

local function assert_timed_out(queue, id)
  local task = queue:task(id)
  assert.matches("context deadline exceeded", task.message.error_msg)
  return task
end

describe("a time limit", function()
  it("raises an error in the handler where it waits, which may clean up", with_crew(function(crew)
    crew:script("t.lua", [[
      crew.task("t", { perform = function(_, task)
        note("start", task.id)
        local ok, why = pcall(crew.sleep, 60)
        note("told", tostring(ok), tostring(why))
        error(why, 0)
      end })
    ]])
    local queue = crew:queue()
    local id = queue:add { type = "t", timeout = 1 }
    crew:run()
    crew:wait_counts(queue, 20, { retry = 1, active = 0, lease = 0, failed = 1 })
    local start, told = crew.notes:all("start")[1], crew.notes:all("told")[1]
    assert.equal("false", told[2])
    assert.matches("context deadline exceeded", told[3])
    assert.is_true(told.at_ms - start.at_ms >= 990, "not before its time")
    assert.is_true(told.at_ms - start.at_ms < 2000 * wait.patience, "soon after it")
    assert.equal(1, assert_timed_out(queue, id).message.retried)
  end))

  it("holds again at every later wait", with_crew(function(crew)
    crew:script("t.lua", [[
      crew.task("t", { perform = function()
        for i = 1, 3 do note("told", tostring(pcall(crew.sleep, 60))) end
      end })
    ]])
    local queue = crew:queue()
    queue:add { type = "t", timeout = 1, retry = 0 }
    crew:run()
    crew:wait_until("the handler was told three times", 20, function() return crew.notes:count "told" == 3 end)
    local told = crew.notes:all "told"
    assert.is_true(told[3].at_ms - told[1].at_ms < 1000 * wait.patience, "later waits do not wait")
  end))

  it("ends a handler at its deadline when that comes before its time-out", with_crew(function(crew)
    crew:script("t.lua", [[
      crew.task("t", { perform = function(_, task) note("start", task.id) crew.sleep(60) end })
    ]])
    local queue = crew:queue()
    local id = queue:add { type = "t", timeout = 600, deadline = os.time() + 3 }
    crew:run()
    crew:wait_counts(queue, 20, { retry = 1, active = 0 })
    assert_timed_out(queue, id)
    local task = queue:task(id)
    assert.is_true(task.message.last_failed_at <= task.message.deadline + 2 * wait.patience, "at the deadline")
    assert.is_true(task.message.last_failed_at >= task.message.deadline, "not before")
  end))

  it("stops a handler that loops, after the kill grace, while other workers go on", with_crew(function(crew)
    crew:script("hang.lua", HANG)
    crew:script("quick.lua", [[
      crew.task("quick", { perform = function(_, task) note("quick", task.id) end })
    ]])
    local queue, stream = crew:queue(), crew:queue "stream"
    crew:run { workers = 2, concurrency = 10, kill_grace = "1s", queues = { default = 1, stream = 1 } }
    queue:add { type = "hang", id = "hung", timeout = 2, retry = 0 }
    crew:wait_until("the handler hangs", 20, function() return crew.notes:count "hang" == 1 end)
    local hang = crew.notes:all("hang")[1]

    local sent = 0
    crew:wait_until("the hung task is archived", 20, function()
      stream:add { type = "quick" }
      sent = sent + 1
      return queue:counts().archived == 1
    end)
    local took_ms = wait.now_ms() - hang.at_ms
    assert.is_true(took_ms >= 2000, ("stopped after %d ms"):format(took_ms))
    assert.is_true(took_ms < 3000 + 1500 * wait.patience, ("stopped after %d ms"):format(took_ms))
    assert_timed_out(queue, "hung")
    assert.equal(1, crew.notes:count "hang", "starts of the hung task")

    crew:wait_counts(stream, 20, { processed = sent, failed = 0, active = 0 })
    local meanwhile = 0
    for _, entry in ipairs(crew.notes:all "quick") do
      if entry.pid ~= hang.pid and entry.at_ms > hang.at_ms and entry.at_ms < hang.at_ms + 2000 then
        meanwhile = meanwhile + 1
      end
    end
    assert.is_true(meanwhile >= 10, meanwhile .. " tasks of the other worker ran while the handler hung")
    crew:wait_until("the hung process has gone", 5, function() return not require("process").exists(hang.pid) end)
  end))

  it("of a hung handler costs its neighbours no retry, also those whose own time ran out meanwhile",
    with_crew(function(crew)
      crew:script("hang.lua", HANG)
      crew:script("neighbour.lua", [[
        crew.task("neighbour", { perform = function(payload, task)
          note("start", task.id, task.retried)
          repeat crew.sleep(0.02) until io.open(here .. "/release")
        end })
      ]])
      local queue = crew:queue()
      -- Ten with time to spare, ten whose time runs out while the worker hangs.
      local ids = queue:add_many(20, function(i)
        return { type = "neighbour", timeout = i <= 10 and 600 or 3, retention = 600 }
      end)
      crew:run { workers = 1, concurrency = 50, kill_grace = "2s" }
      crew:wait_until("the neighbours run", 20, function() return crew.notes:count "start" == 20 end)
      local victim = crew.notes:all("start")[1].pid
      queue:add { type = "hang", id = "hung", timeout = 2, retry = 0 }
      crew:wait_until("the handler hangs", 20, function() return crew.notes:count "hang" == 1 end)

      crew:wait_until("the neighbours run again", 20, function() return crew.notes:count "start" == 40 end)
      for _, id in ipairs(ids) do
        assert.is_nil(queue:task(id).mc_crashes, id .. " was blamed")
      end
      crew:file("release", "")
      crew:wait_counts(queue, 30, { completed = 20, archived = 1, pending = 0, active = 0, lease = 0, retry = 0 })
      assert_timed_out(queue, "hung")
      assert.is_false(require("process").exists(victim))
      for _, id in ipairs(ids) do
        assert.equal(0, queue:task(id).message.retried, "retries of " .. id)
      end
      assert.equal(40, crew.notes:count "start", "starts of neighbours")
      assert.equal(1, queue:counts().failed, "failures: the hung one alone")
    end))

  it("can be overrun by what is done without waiting, and the task is done", with_crew(function(crew)
    crew:script("t.lua", [[
      crew.task("t", { perform = function()
        local stop = os.clock() + 1.3
        repeat until os.clock() > stop
        return "in spite of all"
      end })
    ]])
    local queue = crew:queue()
    local id = queue:add { type = "t", timeout = 1, retention = 600 }
    crew:run { kill_grace = "10s" }
    crew:wait_counts(queue, 30, { completed = 1, active = 0 })
    assert.equal("in spite of all", queue:task(id).result)
  end))
end)
