-- What the death of a worker process costs: nothing to its tasks, and a task that kills workers is put aside.
local uv = require "luv"
local wait = require "wait"
local with_crew = require("support").with_crew

-- Runs until the test lets it go.
local PATIENT = [[
crew.task("patient", { perform = function(_, task)
  note("start", task.id)
  while not io.open(here .. "/release") do crew.sleep(0.02) end
  note("end", task.id)
end })
]]

local CRASH = [[
crew.task("crash", { perform = function(_, task)
  note("crash", task.id)
  ffi.cast("int *", 0)[0] = 1
end })
]]

-- Every start of a worker is noted.
local LOADS = [[ note "load" ]]

-- Between a crash and the next worker's scripts.
local function assert_gaps_below(limit_ms, crew, crashes)
  local died, loads = crew.notes:all "crash", crew.notes:all "load"
  assert.equal(crashes, #died)
  for i, crash in ipairs(died) do
    local gap_ms = loads[i + 1].at_ms - crash.at_ms
    assert.is_true(gap_ms < limit_ms * wait.patience, ("after death %d: %d ms"):format(i, gap_ms))
  end
end

local function add_patient(queue, count)
  return queue:add_many(count, function() return { type = "patient", retention = 600 } end)
end

-- Asked while the tasks run again, because a task that is done is forgiven.
local function assert_not_blamed(queue, ids)
  for _, id in ipairs(ids) do
    local task = queue:task(id)
    assert.equal("active", task.state, "state of " .. id)
    assert.is_nil(task.mc_crashes, id .. " was blamed")
  end
end

-- Lets the tasks go, and sees all of them complete at their first try.
local function release(crew, queue, ids)
  crew:file("release", "")
  crew:wait_counts(queue, 20, { completed = #ids, pending = 0, active = 0, lease = 0, retry = 0 })
  for _, id in ipairs(ids) do
    local task = queue:task(id)
    assert.equal("completed", task.state, "state of " .. id)
    assert.equal(0, task.message.retried, "retries of " .. id)
  end
  local _, ended = crew.notes:tally "end"
  assert.equal(#ids, ended, "tasks that came to their end")
end

local function wait_starts(crew, count)
  crew:wait_until(count .. " starts are noted", 20, function()
    local starts = crew.notes:count "start"
    return starts == count, starts
  end)
end

describe("the death of a worker:", function()
  it("kill -9 with 50 tasks in flight costs none of them a retry, and they run again within a second",
    with_crew(function(crew)
      crew:script("patient.lua", PATIENT)
      local queue = crew:queue()
      local ids = add_patient(queue, 50)
      local node = crew:run { workers = 1, concurrency = 50 }
      wait_starts(crew, 50)
      local victim = crew.notes:all("start")[1].pid
      assert.same({ victim }, node:workers())

      local killed_ms = wait.now_ms()
      uv.kill(victim, "sigkill")
      wait_starts(crew, 100)
      local pause_ms = crew.notes:all("start")[51].at_ms - killed_ms
      assert.is_true(pause_ms < 1000 * wait.patience, ("the first restart came after %d ms"):format(pause_ms))
      assert_not_blamed(queue, ids)

      release(crew, queue, ids)
      local tally = crew.notes:tally "start"
      for _, id in ipairs(ids) do
        assert.equal(2, tally[id], "starts of " .. id)
      end
      local counts = queue:counts()
      assert.same({ 50, 0, 0 }, { counts.processed, counts.failed, counts.archived })
    end))

  it("a task that segfaults its worker each time is archived after max_crashes, and its 49 neighbours complete",
    with_crew(function(crew)
      crew:script("patient.lua", PATIENT)
      crew:script("crash.lua", CRASH)
      local queue = crew:queue()
      local ids = add_patient(queue, 49)
      local bad = queue:add { type = "crash", id = "bad" }
      crew:run { workers = 2, concurrency = 25, max_crashes = 3 }
      crew:wait_counts(queue, 40, { active = 49, archived = 1, pending = 0, retry = 0 })
      assert_not_blamed(queue, ids)
      release(crew, queue, ids)

      assert.equal(3, crew.notes:count "crash", "starts of the task that crashes")
      local task = queue:task(bad)
      assert.equal("archived", task.state)
      assert.matches("worker died", task.message.error_msg, "the reason says what happened")
      assert.matches("3 times", task.message.error_msg, "the reason says how often")
      assert.equal(0, task.message.retried)
    end))

  it("a worker that exits by itself with tasks in flight has crashed", with_crew(function(crew)
    crew:script("patient.lua", PATIENT)
    crew:script("exit.lua", [[
      ffi.cdef "void _exit(int code);"
      crew.task("exit", { perform = function() ffi.C._exit(0) end })
    ]])
    local queue = crew:queue()
    local ids = add_patient(queue, 5)
    local node = crew:run { workers = 1, max_crashes = 1 }
    wait_starts(crew, 5)
    queue:add { type = "exit", id = "leaver" }
    crew:wait_counts(queue, 20, { archived = 1 })
    wait_starts(crew, 10)
    assert_not_blamed(queue, ids)
    release(crew, queue, ids)
    assert.equal(1, #node:log { event = "task archived", task_id = "leaver" }, "lines about the archiving")
  end))

  it("the children of a handler die with its worker", with_crew(function(crew)
    crew:script("child.lua", [[
      crew.task("child", { perform = function()
        local out = io.popen("echo $$; exec sleep 300")
        note("child", (out:read "*l"))
        ffi.cast("int *", 0)[0] = 1
      end })
    ]])
    local queue = crew:queue()
    queue:add { type = "child" }
    crew:run { max_crashes = 1 }
    crew:wait_counts(queue, 20, { archived = 1 })
    local child = tonumber(crew.notes:all("child")[1][2])
    crew:wait_until("the handler's child has gone", 10, function()
      return not require("process").exists(child)
    end)
  end))

  it("a worker that dies while it loads is started again ever more slowly, and works once it can",
    with_crew(function(crew)
      crew:script("a_load.lua", [[
        note "load"
        local file = io.open(here .. "/broken")
        if file then ffi.cast("int *", 0)[0] = 1 end
        crew.task("t", { perform = function(_, task) note("ran", task.id) end })
      ]])
      local queue = crew:queue()
      queue:add { type = "t", id = "first" }
      local node = crew:run { workers = 1 }
      crew:wait_until("the first task has run", 20, function() return crew.notes:count "ran" == 1 end)

      local broken = crew:file("broken", "")
      uv.kill(node:workers()[1], "sigkill")
      crew:wait_until("the worker has died a few times", 30, function() return crew.notes:count "load" >= 5 end)
      local loads = crew.notes:all "load"
      local first, last = loads[3].at_ms - loads[2].at_ms, loads[5].at_ms - loads[4].at_ms
      assert.is_true(last > first, ("the waits do not grow: %d ms, then %d ms"):format(first, last))

      uv.fs_unlink(broken)
      queue:add { type = "t", id = "second" }
      crew:wait_until("the second task has run", 60, function() return crew.notes:count "ran" == 2 end)
    end))

  it("a worker that was well before it died is followed by another at once, however often that happens",
    with_crew(function(crew)
      crew:script("t.lua", LOADS .. CRASH .. [[ crew.task("good", { perform = function() note "good" end }) ]])
      local queue = crew:queue()
      crew:run { workers = 1, max_crashes = 3 }
      for round = 1, 4 do
        queue:add { type = "crash" }
        crew:wait_counts(queue, 30, { archived = round })
        if round % 2 == 0 then -- it is well when it has ended something, or has been there for a while
          queue:add { type = "good" }
          crew:wait_until("one has ended", 20, function() return crew.notes:count "good" == round / 2 end)
        else
          local deaths, ready_ms = crew.notes:count "crash", wait.now_ms() + 1500
          crew:wait_until("the next one has been there for a while", 20, function()
            return crew.notes:count "load" > deaths and wait.now_ms() > ready_ms
          end)
        end
      end
      assert_gaps_below(1000, crew, 12)
    end))

  it("a worker that ended a task before it was killed is followed by another at once, however often",
    with_crew(function(crew)
      crew:script("t.lua", LOADS .. [[ crew.task("good", { perform = function() note "good" end }) ]])
      local queue = crew:queue()
      local node = crew:run { workers = 1 }
      for round = 1, 8 do
        queue:add { type = "good" }
        crew:wait_counts(queue, 20, { processed = round })
        local killed_ms = wait.now_ms()
        uv.kill(node:workers()[1], "sigkill")
        crew:wait_until("the next one loads", 20, function() return crew.notes:count "load" > round end)
        local gap_ms = crew.notes:all("load")[round + 1].at_ms - killed_ms
        assert.is_true(gap_ms < 1000 * wait.patience, ("after death %d: %d ms"):format(round, gap_ms))
      end
    end))

  it("tasks that kill it one after the other keep those behind them waiting for little", with_crew(function(crew)
    crew:script("t.lua", LOADS .. CRASH .. [[ crew.task("good", { perform = function() note "good" end }) ]])
    local queue = crew:queue()
    for _ = 1, 4 do queue:add { type = "crash" } end
    queue:add { type = "good" }
    crew:run { workers = 1, concurrency = 1, max_crashes = 3 }
    crew:wait_until("the one behind them has run", 40, function() return crew.notes:count "good" == 1 end)
    assert_gaps_below(1000, crew, 12)
  end))

  it("a worker that dies soon after it was ready, without a task, is started again ever more slowly",
    with_crew(function(crew)
      crew:script("t.lua", LOADS .. [[
        local uv = require "luv"
        uv.new_timer():start(100, 0, function() ffi.cast("int *", 0)[0] = 1 end)
        crew.task("good", { perform = function() end })
      ]])
      local node = crew:run { workers = 1 }
      crew:wait_until("the worker has died a few times", 40, function() return crew.notes:count "load" >= 7 end)
      local loads = crew.notes:all "load"
      local last = loads[7].at_ms - loads[6].at_ms
      assert.is_true(last > 1000, ("the last wait took %d ms"):format(last))
      -- On a busy machine some die before they can say that they are ready.
      assert.is_true(#node:log { event = "worker ready" } >= 3)
    end))
end)
