-- A reply of Redis that never arrives: what it said has happened all the same.
local wait = require "wait"
local with_crew = require("support").with_crew

describe("a connection that is cut", function()
  it("between a dequeue and its reply delays its tasks by less than 20 s, and costs no retry", with_crew(function(crew)
    crew:script("t.lua", [[
      crew.task("t", { payload = "raw", perform = function(_, task) note("ran", task.id, task.retried) end })
    ]])
    local queue, proxy = crew:queue(), crew:proxy()
    crew:run { redis = proxy:url(), concurrency = 50 }
    queue:add { type = "t", id = "warm-up" }
    crew:wait_until("the node works", 20, function() return crew.notes:count "ran" == 1 end)

    proxy:cut_at "the payload that is cut off"
    local ids = queue:add_many(20, function() return { type = "t", payload = "the payload that is cut off" } end)
    crew:wait_until("the connection was cut", 10, function() return proxy.cuts == 1 end)
    local cut_ms = wait.now_ms()
    crew:wait_counts(queue, 30, { pending = 0, active = 0, lease = 0, retry = 0, archived = 0, processed = 21 })

    local ran = crew.notes:all "ran"
    local took_s = (ran[#ran].at_ms - cut_ms) / 1000
    assert.is_true(took_s < 20 * wait.patience, ("the last task ran %.1f s after the cut"):format(took_s))
    local tally = crew.notes:tally "ran"
    for _, id in ipairs(ids) do
      assert.equal(1, tally[id], "runs of " .. id)
    end
    for _, entry in ipairs(ran) do
      assert.equal("0", entry[3], "retries of " .. entry[2])
    end
  end))

  it("while tasks run costs none of them anything", with_crew(function(crew)
    crew:script("t.lua", [[
      crew.task("t", { perform = function(payload, task)
        note("start", task.id)
        crew.sleep(1)
        note("end", task.id)
      end })
    ]])
    local queue, proxy = crew:queue(), crew:proxy()
    queue:add_many(20, function() return { type = "t" } end)
    local node = crew:run { redis = proxy:url() }
    crew:wait_until("20 tasks run", 20, function() return crew.notes:count "start" == 20 end)
    proxy:cut_all()
    crew:wait_counts(queue, 30, { pending = 0, active = 0, lease = 0, retry = 0, processed = 20, failed = 0 })
    assert.equal(20, crew.notes:count "start", "starts")
    assert.is_true(node.process:alive())
  end))
end)
