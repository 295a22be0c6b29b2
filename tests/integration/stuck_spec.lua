-- Workers that do not move on: they get no new tasks, lose those that they have not started, and are killed where
-- nothing else would ever end them.
local uv = require "luv"
local wait = require "wait"
local with_crew = require("support").with_crew

local QUICK = [[ crew.task("quick", { perform = function(_, task) note("quick", task.id) end }) ]]

-- Blocks the whole worker until the test lets it go.
local BLOCK = [[
ffi.cdef "int usleep(unsigned);"
crew.task("block", { perform = function(_, task)
  note("block", task.id)
  while not io.open(here .. "/release") do ffi.C.usleep(1000) end
end })
]]

local function wait_noted(crew, word, count, seconds)
  crew:wait_until(("%d notes of %s"):format(count, word), seconds or 20, function()
    local noted = crew.notes:count(word)
    return noted >= count, noted
  end)
end

describe("a worker that is stuck", function()
  it("gives up what it has not started to the others, and says so nowhere twice", with_crew(function(crew)
    crew:script("block.lua", BLOCK)
    crew:script("quick.lua", QUICK)
    local queue = crew:queue()
    -- Two block a worker each, at once; of the rest, handed out with them, some have not started when that happens.
    queue:add_many(2, function(i) return { type = "block", id = "block" .. i } end)
    queue:add_many(60, function(i) return { type = "quick", id = "quick" .. i, retention = 600 } end)
    local node = crew:run { workers = 3, concurrency = 50, kill_grace = "30s" }
    wait_noted(crew, "block", 2)
    local _, different
    crew:wait_until("all others have run on the third worker", 20, function()
      _, different = crew.notes:tally "quick"
      return different == 60, different
    end)
    crew:wait_counts(queue, 20, { completed = 60, active = 2, pending = 0 })
    crew:file("release", "")
    crew:wait_counts(queue, 20, { active = 0, processed = 62, failed = 0 })
    for id, times in pairs((crew.notes:tally "quick")) do
      assert.equal(1, times, "runs of " .. id)
    end
    assert.same({}, node:log { event = "result refused" })
  end))

  it("by a task is named in the log with the task, gets no new ones, and gets some again", with_crew(function(crew)
    crew:script("block.lua", BLOCK)
    crew:script("quick.lua", QUICK)
    local queue = crew:queue()
    local node = crew:run { workers = 1, kill_grace = "30s" }
    queue:add { type = "block", id = "blocker" }
    local line = node:wait_log(20, { event = "worker does not answer", task_id = "blocker" })
    assert.equal("block", line.type)
    queue:add { type = "quick" }
    wait.hold("the new task stays in the queue", 0.5, function() return queue:counts().pending == 1 end)
    crew:file("release", "")
    wait_noted(crew, "quick", 1)
    node:wait_log(20, { event = "worker answers again" })
    assert.equal(1, #node:log { event = "worker does not answer" })
  end))

  it("is none whose handlers compute all the time, but in steps: others start there meanwhile",
    with_crew(function(crew)
      crew:script("busy.lua", [[
        local uv = require "luv"
        crew.task("busy", { perform = function()
          note "busy"
          repeat
            local stop = uv.hrtime() + 250e6 -- more than from one look to the next
            repeat until uv.hrtime() > stop
            crew.sleep(0)
          until io.open(here .. "/release")
        end })
      ]])
      crew:script("quick.lua", QUICK)
      local queue = crew:queue()
      local node = crew:run { workers = 1, kill_grace = "30s" }
      queue:add { type = "busy" }
      wait_noted(crew, "busy", 1)
      wait.hold("it computes", 1, function() return true end)
      queue:add_many(5, function(i) return { type = "quick", id = "quick" .. i } end)
      wait_noted(crew, "quick", 5)
      crew:file("release", "")
      crew:wait_counts(queue, 20, { active = 0, processed = 6, failed = 0 })
      assert.same({}, node:log { event = "task requeued" })
      assert.same({}, node:log { event = "worker does not answer" })
    end))

  it("outside of any task is killed, nobody is blamed, and its successor goes on with what it had",
    with_crew(function(crew)
      crew:script("luv.lua", [[
        crew.task("leave", { perform = function(_, task)
          note("start", task.id)
          if crew == nil or io.open(here .. "/once") then return "second" end
          io.open(here .. "/once", "w"):close()
          require("mooncrew.host").timer_start(0.05, function() while true do end end)
          crew.sleep(60)
        end })
      ]])
      local queue = crew:queue()
      local id = queue:add { type = "leave", retention = 600 }
      local node = crew:run { workers = 1, kill_grace = "1s" }
      crew:wait_counts(queue, 30, { completed = 1, active = 0 })
      assert.equal(2, crew.notes:count "start")
      assert.equal(0, queue:task(id).message.retried)
      local line = node:wait_log(5, { event = "worker killed" })
      assert.matches("it did not answer for .* and ran no task", line.detail)
      local began, again = crew.notes:all("start")[1], crew.notes:all("start")[2]
      assert.is_true(again.at_ms - began.at_ms < 6000 * wait.patience, "well under its time-out")
    end))

  it("since its process was stopped while it was idle is replaced", with_crew(function(crew)
    crew:script("quick.lua", QUICK)
    local queue = crew:queue()
    local node = crew:run { workers = 1, kill_grace = "500ms" }
    queue:add { type = "quick", id = "first" }
    wait_noted(crew, "quick", 1)
    uv.kill(node:workers()[1], "sigstop")
    queue:add { type = "quick", id = "second" }
    wait_noted(crew, "quick", 2)
    crew:wait_counts(queue, 20, { processed = 2, failed = 0, active = 0 })
  end))

  it("is not killed for what the supervisor has not heard while it stood still itself", with_crew(function(crew)
    crew:script("quick.lua", QUICK)
    local queue = crew:queue()
    local node = crew:run { workers = 1, kill_grace = "200ms" }
    queue:add { type = "quick", id = "first" }
    wait_noted(crew, "quick", 1)
    local worker = node:workers()[1]
    node:send "sigstop"
    wait.hold("the node stands still", 4, function() return true end)
    node:send "sigcont"
    queue:add { type = "quick", id = "second" }
    wait_noted(crew, "quick", 2)
    wait.hold("the worker lives", 1, function() return node:workers()[1] == worker end)
    assert.same({}, node:log { event = "worker killed" })
  end))

  it("is not killed for a task that stopped, when it was cancelled, while the supervisor stood still",
    with_crew(function(crew)
      crew:script("t.lua", [[ crew.task("t", { perform = function(_, task)
        if task.id ~= "cancelled" then return crew.sleep(6) end
        pcall(crew.sleep, 60)
        note "told"
        pcall(os.execute, "sleep 0.3") -- the supervisor stands still by now
      end }) ]])
      local queue = crew:queue()
      local node = crew:run { workers = 1, kill_grace = "1s" }
      queue:add { type = "t", id = "beside" }
      queue:add { type = "t", id = "cancelled" }
      crew:wait_until("both run", 20, function() return queue:counts().active == 2 end)
      crew:wait_until("it is told", 20, function()
        crew:command { "task", "cancel", "cancelled" }
        return crew.notes:count "told" == 1
      end)
      node:send "sigstop"
      wait.hold("the node stands still", 2.5, function() return true end)
      node:send "sigcont"
      crew:wait_counts(queue, 30, { processed = 2, active = 0 })
      assert.same({}, node:log { event = "worker killed" })
    end))

  it("is not killed for scripts that it loaded while the supervisor stood still", with_crew(function(crew)
    crew:script("t.lua", [[ os.execute "sleep 0.3" ]] .. QUICK)
    local queue = crew:queue()
    local node = crew:run { workers = 1, load_timeout = "1s" }
    queue:add { type = "quick", id = "first" }
    crew:wait_until("it loads", 20, function() return #node:workers() == 1 end)
    node:send "sigstop"
    wait.hold("the node stands still", 2.5, function() return true end)
    node:send "sigcont"
    wait_noted(crew, "quick", 1)
    assert.same({}, node:log { event = "worker does not become ready" })
  end))
end)

describe("task:cancelled()", function()
  local POLL = [[
    crew.task("poll", { perform = function(_, task)
      note("start", task.id)
      local n = 0
      while not task:cancelled() do n = n + 1 end
      note("heard", task.id)
      error("stopped when told to", 0)
    end })
  ]]

  it("tells a compiled loop that never waits of a cancellation", with_crew(function(crew)
    crew:script("poll.lua", POLL)
    local queue = crew:queue()
    local node = crew:run { workers = 1, kill_grace = "30s" }
    queue:add { type = "poll", id = "polls", retry = 0 }
    wait_noted(crew, "start", 1)
    local code, text = crew:command { "task", "cancel", "polls" }
    assert.equal(0, code, text)
    local asked_ms = wait.now_ms()
    crew:wait_counts(queue, 20, { archived = 1, active = 0 })
    assert.is_true(crew.notes:all("heard")[1].at_ms - asked_ms < 1000 * wait.patience)
    assert.matches("stopped when told to", queue:task("polls").message.error_msg)
    assert.same({}, node:log { event = "worker killed" })
  end))

  it("tells it that its time is up", with_crew(function(crew)
    crew:script("poll.lua", POLL)
    local queue = crew:queue()
    crew:run { workers = 1, kill_grace = "30s" }
    queue:add { type = "poll", id = "polls", retry = 0, timeout = 1 }
    crew:wait_counts(queue, 20, { archived = 1, active = 0 })
    local took_ms = crew.notes:all("heard")[1].at_ms - crew.notes:all("start")[1].at_ms
    assert.is_true(took_ms >= 990 and took_ms < 2000 * wait.patience, ("heard after %d ms"):format(took_ms))
  end))

  it("tells it of a stop, so that its task goes back without spending a retry", with_crew(function(crew)
    crew:script("poll.lua", POLL)
    local queue = crew:queue()
    local node = crew:run { workers = 1, kill_grace = "30s", shutdown_timeout = "100ms" }
    queue:add { type = "poll", id = "polls" }
    wait_noted(crew, "start", 1)
    node:send "sigterm"
    assert.equal(0, (node:wait(10)))
    assert.same({ "polls" }, queue:ids "pending")
    assert.equal(0, queue:task("polls").message.retried)
    assert.equal(1, crew.notes:count "heard")
  end))
end)
