-- Redis is away for 30 s, longer than leases can be kept up, while two nodes have tasks in hand: nobody steals what its
-- owner still runs.
local wait = require "wait"
local with_crew = require("support").with_crew

local OUTAGE_S = 30
local DURABLE = { redis = { "--appendonly", "yes", "--appendfsync", "always" } }

-- Counted from the begin of the outage, 10 tasks end before it is over, and 30 after it; 20 more wait for a free slot.
local IN_HAND, IN_LINE = 40, 20
local SLEEP = [[
crew.task("t", { perform = function(payload, task)
  note("start", task.id)
  local away
  repeat
    crew.sleep(0.05)
    away = io.open(here .. "/away")
  until away
  away:close()
  crew.sleep(payload.s)
  note("end", task.id)
end })
]]

local function assert_each_once(crew, first)
  local tally, different = crew.notes:tally(first)
  assert.equal(IN_HAND + IN_LINE, different, "tasks with a note '" .. first .. "'")
  for id, times in pairs(tally) do
    assert.equal(1, times, ("notes '%s' of %s"):format(first, id))
  end
end

local function sees_an_outage(begin, finish)
  return function(crew)
    crew:script("t.lua", SLEEP)
    local queue = crew:queue()
    queue:add_many(IN_HAND + IN_LINE, function(i)
      local s = i > IN_HAND and 0.1 or i % 4 == 0 and 10 or 50
      return { type = "t", retention = 600, payload = ('{"s":%g}'):format(s) }
    end)
    local nodes = { crew:run { concurrency = IN_HAND / 2 }, crew:run { concurrency = IN_HAND / 2 } }
    crew:wait_until("both nodes are full", 20, function() return crew.notes:count "start" == IN_HAND end)
    crew:wait_until("both nodes have had a beat", 20, function()
      return #crew.redis:call("ZRANGE", "asynq:workers", 0, -1) == 2
    end)
    local in_hand = crew.notes:tally "start"

    begin(crew)
    crew:file("away", "")
    wait.hold("handlers go on", OUTAGE_S, function()
      return nodes[1].process:alive() and nodes[2].process:alive()
    end)
    assert.equal(IN_HAND / 4, crew.notes:count "end", "tasks that ended during the outage")
    finish(crew)

    local all = IN_HAND + IN_LINE
    crew:wait_counts(queue, 60, { completed = all, processed = all, failed = 0, pending = 0, active = 0, lease = 0,
      retry = 0, archived = 0 })
    assert_each_once(crew, "start")
    assert_each_once(crew, "end")
    for id in pairs(queue:places()) do
      assert.equal(0, queue:task(id).message.retried, "retries of " .. id)
    end
    for _, node in ipairs(nodes) do
      assert.same({}, node:log { event = "task lost" })
      for _, entry in ipairs(node:log { event = "task recovered" }) do -- a dequeue whose reply was lost
        assert.is_nil(in_hand[entry.task_id], entry.task_id .. " was taken from its owner")
      end
      assert.equal(1, #node:log { event = "redis is away" })
      assert.equal(1, #node:log { event = "redis is back" })
    end
    local counts = queue:counts()
    print(("measured: Redis away for %d s, two nodes: %d tasks, %d started, %d completed, %d processed"):format(
      OUTAGE_S, all, crew.notes:count "start", counts.completed, counts.processed))
  end
end

describe("when Redis is away for 30 s, two nodes lose none of their tasks and run none twice:", function()
  it("its process stands still", with_crew(sees_an_outage(function(crew)
    crew.server:freeze()
  end, function(crew)
    crew.server:thaw()
  end)))

  it("it is stopped and started again with what it had on disk", with_crew(sees_an_outage(function(crew)
    crew.server:stop "sigterm"
  end, function(crew)
    crew.server:start()
  end), DURABLE))
end)
