-- A fleet under load that loses nodes, workers and connections: every task is done, once in the books, at no retry.
local uv = require "luv"
local with_crew = require("support").with_crew

local TASKS, CONCURRENCY = 3000, 20

local T = [[
crew.task("t", { perform = function(payload, task)
  note("start", task.id)
  crew.sleep(payload.n % 50 / 1000)
  note("end", task.id)
end })
]]

describe("a fleet under load", function()
  it("loses two nodes, two workers and three connections, and nothing else", with_crew(function(crew)
    crew:script("t.lua", T)
    local queue, proxy = crew:queue(), crew:proxy()
    queue:add_many(TASKS, function(i) return { type = "t", payload = ('{"n":%d}'):format(i), retention = 600 } end)
    local few = { concurrency = CONCURRENCY }
    local first, second = crew:run(few), crew:run(few)
    local cut_off = crew:run { concurrency = CONCURRENCY, redis = proxy:url() }

    local function kill_node(node)
      node.process:kill()
      return crew:run(few)
    end
    local function kill_worker(node)
      uv.kill(node:workers()[1], "sigkill")
    end
    local blows = {
      function() first = kill_node(first) end,
      function() proxy:cut_all() end,
      function() kill_worker(second) end,
      function() proxy:cut_at '{"n":' end, -- between a dequeue and its reply
      function() second = kill_node(second) end,
      function() kill_worker(cut_off) end,
      function() proxy:cut_all() end,
    }
    for i, blow in ipairs(blows) do
      local share = i * TASKS / (#blows + 2)
      crew:wait_until(("%d tasks are done"):format(share), 60, function() return queue:counts().completed >= share end)
      blow()
    end

    crew:wait_counts(queue, 60, { completed = TASKS, processed = TASKS, failed = 0, pending = 0, active = 0, lease = 0,
      retry = 0, archived = 0, scheduled = 0 })
    local again = crew.notes:count "start" - TASKS
    for id, places in pairs(queue:places()) do
      assert.same({ "completed" }, places, "places of " .. id)
      assert.equal(0, queue:task(id).message.retried, "retries of " .. id)
    end
    local _, ended = crew.notes:tally "end"
    assert.equal(TASKS, ended)
    -- Of each worker that died: what it ran, and at most as much whose end had not reached Redis yet.
    assert.is_true(again <= 4 * 2 * CONCURRENCY, again .. " starts more than tasks")
    print(("measured: 2 nodes, 2 workers and 3 connections lost: %d tasks, %d completed, %d started again, no retry")
      :format(TASKS, queue:counts().completed, again))
  end))
end)
