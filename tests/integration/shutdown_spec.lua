-- Signals: TERM and INT end the node without losing or failing anything, TSTP makes it quiet.
local wait = require "wait"
local with_crew = require("support").with_crew

local SLEEP = [[
crew.task("sleep", { perform = function(payload, task)
  note("start", task.id)
  crew.sleep(payload.s)
  note("end", task.id)
end })
]]

-- Tasks of 0 to 2 s, evenly spread.
local function mixed_sleepers(queue, count)
  return queue:add_many(count, function(i)
    return { type = "sleep", payload = ('{"s":%.2f}'):format(i * 37 % 200 / 100), retention = 3600 }
  end)
end

local function long_sleepers(queue, count)
  return queue:add_many(count, function() return { type = "sleep", payload = '{"s":60}', retention = 3600 } end)
end

-- Every id is in exactly one place, and its hash says the same.
local function assert_one_place(queue, ids)
  local places = queue:places()
  for _, id in ipairs(ids) do
    assert.equal(1, #(places[id] or {}), ("places of %s: %s"):format(id, table.concat(places[id] or {}, ", ")))
    local task = queue:task(id)
    assert.equal(places[id][1], task.state, "state of " .. id)
    assert.equal(0, task.message.retried, "retries of " .. id)
  end
end

local function assert_nothing_failed(queue)
  local counts = queue:counts()
  for _, name in ipairs { "active", "lease", "retry", "archived", "failed" } do
    assert.equal(0, counts[name], name)
  end
  return counts
end

describe("a signal:", function()
  it("TERM under load loses no task, fails none, and ends within the shutdown time-out and a second",
    with_crew(function(crew)
      crew:script("sleep.lua", SLEEP)
      local queue = crew:queue()
      local ids = mixed_sleepers(queue, 1000)
      local config = { workers = 2, concurrency = 100, shutdown_timeout = "1s" }
      local node = crew:run(config)
      crew:wait_until("the load is on", 20, function() return crew.notes:count "end" >= 150 end)

      local asked_ms = wait.now_ms()
      node:send "sigterm"
      local code, signal = node:wait(10)
      local took_ms = wait.now_ms() - asked_ms
      assert.equal(0, signal, "signal that ended the node")
      assert.equal(0, code, "exit code")
      assert.is_true(took_ms < 1000 + 1000 * wait.patience, ("it took %d ms"):format(took_ms))

      assert_one_place(queue, ids)
      local counts = assert_nothing_failed(queue)
      assert.is_true(counts.pending > 0, "something was left to do, or this test shows nothing")
      assert.equal(1000, counts.pending + counts.completed)
      local _, ended = crew.notes:tally "end"
      assert.equal(ended, counts.completed, "what came to its end counts as completed")

      crew:run(config)
      crew:wait_counts(queue, 60, { completed = 1000, pending = 0, active = 0, lease = 0 })
      assert_nothing_failed(queue)
    end))

  it("what TERM cuts short goes back to the head of its queue, in its order", with_crew(function(crew)
    crew:script("sleep.lua", SLEEP)
    local queue = crew:queue()
    local ids = long_sleepers(queue, 30)
    local node = crew:run { workers = 1, concurrency = 10, shutdown_timeout = "0s" }
    crew:wait_until("10 tasks run", 20, function() return crew.notes:count "start" == 10 end)
    node:send "sigterm"
    assert.equal(0, (node:wait(10)))
    local waiting = queue:ids "pending" -- newest first: the head is the last
    for i, id in ipairs(ids) do
      assert.equal(id, waiting[#waiting + 1 - i], "number " .. i .. " from the head")
    end
    assert_one_place(queue, ids)
    assert_nothing_failed(queue)
  end))

  it("Ctrl-C in a terminal, under load, cuts no handler short before the shutdown time-out", with_crew(function(crew)
    crew:script("sleep.lua", SLEEP)
    local queue = crew:queue()
    local ids = mixed_sleepers(queue, 600)
    local terminal = crew:terminal { workers = 2, concurrency = 50, shutdown_timeout = "20s" }
    crew:wait_until("the load is on", 20, function() return crew.notes:count "end" >= 100 end)
    terminal:type "\3"
    local code, signal = terminal.process:wait(15)
    assert.equal(0, signal, "signal that ended the node")
    assert.equal(0, code, "exit code; the terminal shows:\n" .. terminal:text():sub(-2000))

    assert.same(crew.notes:tally "start", crew.notes:tally "end", "what was started came to its end")
    assert_one_place(queue, ids)
    local counts = assert_nothing_failed(queue)
    assert.equal(crew.notes:count "end", counts.completed)
    assert.is_true(counts.pending > 0, "something was left to do, or this test shows nothing")
  end))

  it("a second INT ends the node at once, and puts back what ran", with_crew(function(crew)
    crew:script("sleep.lua", SLEEP)
    local queue = crew:queue()
    local ids = long_sleepers(queue, 20)
    local node = crew:run { workers = 2, concurrency = 10, prefetch = 0, shutdown_timeout = "300s" }
    crew:wait_until("20 tasks run", 20, function() return crew.notes:count "start" == 20 end)
    node:send "sigint"
    node:wait_log(10, { event = "stopping" })
    wait.hold("the first INT waits for the tasks", 0.5, function() return node.process:alive() end)
    node:send "sigint"
    assert.equal(0, (node:wait(10)))
    assert_one_place(queue, ids)
    assert.equal(20, assert_nothing_failed(queue).pending)
  end))

  it("TSTP: what runs comes to its end, and nothing new is taken", with_crew(function(crew)
    crew:script("sleep.lua", SLEEP)
    local queue = crew:queue()
    queue:add { type = "sleep", payload = '{"s":2}', id = "running", retention = 600 }
    local node = crew:run()
    crew:wait_until("the task runs", 20, function() return crew.notes:count "start" == 1 end)
    node:send "sigtstp"
    local status = require("message").decode_server
    crew:wait_until("the node calls itself stopped", 20, function()
      local key = crew.redis:call("ZRANGE", "asynq:servers", 0, 0)[1]
      local info = key and crew.redis:call("GET", key)
      return info and status(info).status == "stopped"
    end)
    queue:add { type = "sleep", payload = '{"s":0}', id = "waiting" }
    crew:wait_counts(queue, 20, { completed = 1, active = 0, lease = 0 })
    wait.hold("the new task waits", 1.5, function() return queue:counts().pending == 1 end)
    assert.equal(1, crew.notes:count "end")
    node:send "sigterm"
    assert.equal(0, (node:wait(10)))
    assert.equal(1, assert_nothing_failed(queue).pending)
  end))

  it("a node that ends takes its workers and its entry in Redis with it", with_crew(function(crew)
    crew:script("sleep.lua", SLEEP)
    local node = crew:run { workers = 2 }
    crew:wait_until("the node is in the list", 20, function() return crew.redis:call("ZCARD", "asynq:servers") == 1 end)
    local workers = crew:wait_until("it has two workers", 20, function()
      local found = node:workers()
      return #found == 2 and found
    end)
    node:send "sigterm"
    assert.equal(0, (node:wait(10)))
    for _, pid in ipairs(workers) do
      assert.is_false(require("process").exists(pid), "worker " .. pid .. " is still there")
    end
    assert.equal(0, crew.redis:call("ZCARD", "asynq:servers"))
    assert.same({}, crew.redis:call("KEYS", "asynq:servers:*"))
  end))
end)
