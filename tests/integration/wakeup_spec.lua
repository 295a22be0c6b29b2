-- How soon a task that is enqueued begins, and how it goes on where Redis refuses wake-ups.
local wait = require "wait"
local with_crew = require("support").with_crew

local T = [[ crew.task("t", { perform = function(_, task) note("ran", task.id) end }) ]]

-- Adds tasks one at a time, as asynq's Go client does; returns the median of the ms from LPUSH to the handler's start.
local function pickup_ms(crew, queue, ran, count)
  local waits = {}
  for i = 1, count do
    local pushed_ms = wait.now_ms()
    queue:add { type = "t" }
    crew:wait_until("the task has run", 10, function() return crew.notes:count "ran" == ran + i end)
    waits[i] = crew.notes:all("ran")[ran + i].at_ms - pushed_ms
  end
  return wait.median(waits)
end

-- Adds tasks one at a time and checks the median; `ran` says how many have run before.
local function assert_quick(crew, queue, ran)
  local took_ms = pickup_ms(crew, queue, ran, 20)
  assert.is_true(took_ms < 100 * wait.patience, ("the median is %.1f ms"):format(took_ms))
end

local function start(crew, config)
  crew:script("t.lua", T)
  local queue, node = crew:queue(), crew:run(config)
  queue:add { type = "t" }
  crew:wait_until("the node works", 20, function() return crew.notes:count "ran" == 1 end)
  return queue, node
end

describe("an idle queue", function()
  it("is picked up in milliseconds from an unmodified asynq producer", with_crew(function(crew)
    local queue, node = start(crew)
    assert_quick(crew, queue, 1)
    assert.equal(0, #node:log { event = "wake-ups refused" }, node:text())
  end))

  for name, kind in pairs { ["takes notices"] = "pubsub", ["sends commands"] = "normal" } do
    it("is picked up just as well after the connection that " .. name .. " was cut", with_crew(function(crew)
      local queue, node = start(crew)
      assert.is_true(crew.redis:call("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes") >= 1, "there was a connection")
      queue:add { type = "t" }
      crew:wait_until("the next task has run", 10, function() return crew.notes:count "ran" == 2 end)
      wait.wait_until("the node tracks again", 10, function()
        return crew.redis:call("CLIENT", "LIST"):find "flags=%a*t%a* "
      end)
      assert_quick(crew, queue, 2)
      assert.equal(0, #node:log { event = "wake-ups refused" }, node:text())
    end))
  end

  it("is picked up after Redis was emptied by FLUSHALL", with_crew(function(crew)
    local queue = start(crew)
    crew.redis:call("FLUSHALL")
    assert_quick(crew, queue, 1)
  end))

  it("is polled where the server refuses wake-ups, and that is logged once", with_crew(function(crew)
    crew.redis:call("ACL", "SETUSER", "crew", "on", ">pw", "~*", "&*", "+@all", "-client|tracking")
    local queue, node = start(crew, {
      redis = "redis+unix://crew:pw@" .. crew.server.socket, task_check_interval = "200ms",
    })
    for i = 2, 5 do
      queue:add { type = "t" }
      crew:wait_until("task " .. i .. " has run", 10, function() return crew.notes:count "ran" == i end)
    end
    crew.redis:call("CLIENT", "KILL", "USER", "crew") -- it is not said again after a reconnect
    queue:add { type = "t" }
    crew:wait_until("the last task has run", 10, function() return crew.notes:count "ran" == 6 end)
    local refusals = node:log { event = "wake-ups refused" }
    assert.equal(1, #refusals, "lines about it in the log:\n" .. node:text())
    assert.matches("permissions", refusals[1].reply)
  end))
end)
