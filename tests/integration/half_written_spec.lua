-- Tasks of which a part is missing (evicted, restored from a backup, deleted by hand): what can be run is run, what
-- cannot is archived or dropped with the reason, and nothing stays in `active` or `lease`.
local with_crew = require("support").with_crew

local T = [[ crew.task("t", { perform = function(_, task) note("ran", task.id, task.retried) end }) ]]

-- Puts a task where no enqueue would: places are "pending", "active" and "lease", without the others; fields are those
-- of its hash to be gone; lease_s is the lease's score.
local function break_task(queue, id, places, gone, lease_s)
  queue:add { type = "t", id = id, retention = 600 }
  queue.redis:call("LREM", queue:key "pending", 0, id)
  for _, place in ipairs(places) do
    if place == "lease" then
      queue.redis:call("ZADD", queue:key "lease", lease_s or os.time() + 20, id)
    else
      queue.redis:call("LPUSH", queue:key(place), id)
    end
  end
  queue.redis:call("HSET", queue:key("t:" .. id), "state", places[1] == "pending" and "pending" or "active")
  if gone == "hash" then queue.redis:call("DEL", queue:key("t:" .. id)) end
  if gone and gone ~= "hash" then queue.redis:call("HDEL", queue:key("t:" .. id), gone) end
end

local function assert_dropped(queue, node, id)
  assert.is_nil(queue:task(id), id)
  assert.equal(1, #node:log { event = "task without data dropped", level = "warn", task_id = id }, "lines about " .. id)
end

local function assert_archived(queue, node, id)
  local task = queue:task(id)
  assert.equal("archived", task.state, id)
  assert.matches("blank", task.mc_error, id)
  assert.is_nil(task.msg, "nothing is put in the place of what is missing")
  assert.equal(1, #node:log { event = "task archived", task_id = id }, "lines about " .. id)
end

describe("a task of which a part is missing", function()
  it("is run if it can be, and otherwise archived or dropped, within 30 s", with_crew(function(crew)
    crew:script("t.lua", T)
    local queue = crew:queue()
    break_task(queue, "no-lease", { "active" })
    break_task(queue, "lease-alone", { "lease" })
    break_task(queue, "no-state", { "active", "lease" }, "state")
    break_task(queue, "lease-no-integer", { "active", "lease" }, nil, os.time() + 20.5)
    break_task(queue, "lease-no-end", { "active", "lease" }, nil, "inf")
    break_task(queue, "pending-no-hash", { "pending" }, "hash")
    break_task(queue, "active-no-hash", { "active", "lease" }, "hash")
    break_task(queue, "lease-no-hash", { "lease" }, "hash")
    break_task(queue, "pending-no-msg", { "pending" }, "msg")
    break_task(queue, "active-no-msg", { "active" }, "msg")
    local node = crew:run()
    crew:wait_counts(queue, 30, { completed = 5, archived = 2, pending = 0, active = 0, lease = 0, retry = 0 })
    for _, id in ipairs { "no-lease", "lease-alone", "no-state", "lease-no-integer", "lease-no-end" } do
      assert.equal("completed", queue:task(id).state, id)
      assert.equal(0, queue:task(id).message.retried, id)
    end
    for _, id in ipairs { "pending-no-hash", "active-no-hash", "lease-no-hash" } do
      assert_dropped(queue, node, id)
    end
    for _, id in ipairs { "pending-no-msg", "active-no-msg" } do
      assert_archived(queue, node, id)
    end
    assert.equal(5, crew.notes:count "ran")
  end))

  it("is run when it stands in `active` alone, whatever its hash says, and no retry is spent",
    with_crew(function(crew)
      crew:script("t.lua", T)
      local queue = crew:queue()
      local states = { "pending", "scheduled", "retry", "aggregating", "no state at all" }
      for i, state in ipairs(states) do
        break_task(queue, "o" .. i, { "active" })
        queue.redis:call("HSET", queue:key("t:o" .. i), "state", state)
      end
      local node = crew:run()
      crew:wait_counts(queue, 30, { completed = #states, pending = 0, active = 0, lease = 0, retry = 0, scheduled = 0 })
      for i, state in ipairs(states) do
        assert.equal(0, queue:task("o" .. i).message.retried, state)
        assert.equal(1, #node:log { event = "task recovered", level = "warn", task_id = "o" .. i }, state)
      end
      assert.equal(#states, crew.notes:count "ran")
    end))

  it("is none when only its traces are left: they are cleared away, and what is done stays done",
    with_crew(function(crew)
      crew:script("t.lua", T)
      local queue = crew:queue()
      queue:add { type = "t", id = "done", retention = 600 }
      crew:run()
      crew:wait_counts(queue, 20, { completed = 1 })
      crew.redis:call("LPUSH", queue:key "active", "done")
      crew.redis:call("ZADD", queue:key "lease", os.time() + 3600, "done", os.time() - 3600, "nobody")
      crew:wait_counts(queue, 30, { completed = 1, processed = 1, pending = 0, active = 0, lease = 0 })
      assert.equal("completed", queue:task("done").state)
      assert.equal(1, crew.notes:count "ran")
    end))
end)
