-- How a handler can end, and what becomes of its task.
local with_crew = require("support").with_crew

-- Runs one task of a script to wherever it goes; returns its hash, its queue, and the node.
local function settle(crew, body, task, where)
  crew:script("t.lua", body)
  local queue = crew:queue()
  local whole = { type = "t", id = "one" }
  for name, value in pairs(task) do
    whole[name] = value
  end
  queue:add(whole)
  local node = crew:run()
  local wanted = { active = 0, lease = 0, pending = 0 }
  if where then wanted[where] = 1 else wanted.processed = 1 end
  crew:wait_counts(queue, 20, wanted)
  return queue:task "one", queue, node
end

-- Seconds from now to the task's next run.
local function delay_s(queue, set)
  return queue:score(set, "one") - os.time()
end

local function assert_between(low, value, high, what)
  assert.is_true(value >= low and value <= high, ("%s: %s is not within %s and %s"):format(what, value, low, high))
end

local FAIL = [[
local function deep() error("no such user") end
crew.task("t", { perform = function() deep() end })
]]

describe("a handler that", function()
  it("raises an error is tried again after asynq's default delay", with_crew(function(crew)
    local task, queue = settle(crew, FAIL, {}, "retry")
    assert.equal("retry", task.state)
    assert.equal(1, task.message.retried)
    assert.matches("no such user", task.message.error_msg)
    assert.matches("t%.lua:2:", task.message.error_msg, "message and place")
    assert.is_nil(task.message.error_msg:find("\n", 1, true), "no traceback in Redis")
    assert_between(os.time() - 20, task.message.last_failed_at, os.time(), "last failed at")
    assert_between(15 - 20, delay_s(queue, "retry"), 15 + 29, "delay")
    local counts = queue:counts()
    assert.equal(1, counts.processed)
    assert.equal(1, counts.failed)
    assert.is_nil(task.mc_owner, "a task that is not active has no owner")
  end))

  it("fails for the fourth time waits longer: n^4 + 15 + random·(n+1)", with_crew(function(crew)
    local task, queue = settle(crew, FAIL, { retried = 3 }, "retry")
    assert.equal(4, task.message.retried)
    assert_between(81 + 15 - 20, delay_s(queue, "retry"), 81 + 15 + 29 * 4, "delay")
    assert_between(81 + 15, queue:score("retry", "one") - task.message.last_failed_at, 81 + 15 + 29 * 4 + 1, "delay")
  end))

  it("fails when its retries are used up is archived", with_crew(function(crew)
    local task, queue = settle(crew, FAIL, { retry = 2, retried = 2 }, "archived")
    assert.equal("archived", task.state)
    assert.matches("no such user", task.message.error_msg)
    assert_between(os.time() - 20, queue:score("archived", "one"), os.time(), "archived at")
    assert.equal(1, queue:counts().failed)
  end))

  it("fails and has a retry function of its own waits for what that says", with_crew(function(crew)
    local task, queue = settle(crew, [[
      crew.task("t", {
        retry = function(retried, err) note("retry", retried, err) return 1000 end,
        perform = function() error("busy") end,
      })
    ]], {}, "retry")
    assert_between(1000, queue:score("retry", "one") - task.message.last_failed_at, 1001, "delay")
    local asked = crew.notes:all "retry"
    assert.equal(1, #asked)
    assert.equal("0", asked[1][2], "it is told how often the task was retried")
    assert.matches("busy", asked[1][3], "it is told the error")
  end))

  it("raises something that is no text is a failure like any other", with_crew(function(crew)
    local task = settle(crew, [[ crew.task("t", { perform = function() error({ code = 7 }) end }) ]], {}, "retry")
    assert.equal(1, task.message.retried)
    assert.is_true(#task.message.error_msg > 0)
  end))

  it("raises bytes that are no UTF-8 leaves a message that Go can read", with_crew(function(crew)
    local task = settle(crew, [[
      crew.task("t", { perform = function() error("bad \255\0 byte", 0) end })
    ]], {}, "retry")
    assert.equal("bad \239\191\189\239\191\189 byte", task.message.error_msg)
  end))

  it("asks to skip the retries is archived now", with_crew(function(crew)
    local task = settle(crew, [[ crew.task("t", { perform = function(_, task) task:skip_retry("no use") end }) ]], {},
      "archived")
    assert.matches("no use", task.message.error_msg)
    assert.equal(0, task.message.retried)
  end))

  it("revokes its task drops it", with_crew(function(crew)
    local task, queue = settle(crew, [[ crew.task("t", { perform = function(_, task) task:revoke("gone") end }) ]],
      { retention = 600 })
    assert.is_nil(task)
    local counts = queue:counts()
    assert.equal(0, counts.completed + counts.archived + counts.retry + counts.failed)
  end))

  it("snoozes is run again later, with no retry spent and no counter moved", with_crew(function(crew)
    local task, queue = settle(crew, [[ crew.task("t", { perform = function(_, task) task:snooze("10m") end }) ]], {},
      "scheduled")
    assert.equal("scheduled", task.state)
    assert.equal(0, task.message.retried)
    assert_between(600 - 20, delay_s(queue, "scheduled"), 601, "delay")
    assert.equal(0, queue:counts().processed)
    assert.equal(0, queue:counts().failed)
  end))

  it("asks for a retry in some time fails, and has it then", with_crew(function(crew)
    local task, queue = settle(crew, [[
      crew.task("t", { perform = function(_, task) task:retry_in("30s", "rate limited") end })
    ]], {}, "retry")
    assert.matches("rate limited", task.message.error_msg)
    assert.equal(1, task.message.retried)
    assert_between(30, queue:score("retry", "one") - task.message.last_failed_at, 31, "delay")
    assert.equal(1, queue:counts().failed)
  end))

  it("fails is run again when its time has come, until it succeeds", with_crew(function(crew)
    crew:script("t.lua", [[
      crew.task("t", { perform = function(_, task)
        note("try", task.retried)
        if task.retried < 2 then task:retry_in(1, "not yet") end
      end })
    ]])
    local queue = crew:queue()
    queue:add { type = "t" }
    crew:run()
    crew:wait_counts(queue, 30, { processed = 3, failed = 2, retry = 0, active = 0, pending = 0 })
    local tries = crew.notes:all "try"
    assert.same({ "0", "1", "2" }, { tries[1][2], tries[2][2], tries[3][2] })
    assert.is_true(tries[2].at_ms - tries[1].at_ms >= 900)
  end))

  it("returns a table keeps it as JSON while the task is retained", with_crew(function(crew)
    local task, queue = settle(crew, [[
      crew.task("t", { perform = function() return { b = { 1, 2 }, a = "x" } end })
    ]], { retention = 600 }, "completed")
    assert.equal('{"a":"x","b":[1,2]}', task.result)
    assert.equal("completed", task.state)
    assert_between(os.time() - 20, task.message.completed_at, os.time(), "completed at")
    assert_between(600 - 20, delay_s(queue, "completed"), 600, "kept for")
  end))

  it("returns a string keeps it as it is", with_crew(function(crew)
    local task = settle(crew, [[ crew.task("t", { perform = function() return "a\0\255" end }) ]], { retention = 600 },
      "completed")
    assert.equal("a\0\255", task.result)
  end))

  it("returns a result without retention leaves nothing behind", with_crew(function(crew)
    local task, queue = settle(crew, [[ crew.task("t", { perform = function() return "x" end }) ]], {})
    assert.is_nil(task)
    assert.equal(0, queue:counts().completed)
    assert.same({}, crew.redis:call("KEYS", queue:key "t:*"))
  end))

  it("is wrapped by middleware runs inside it", with_crew(function(crew)
    settle(crew, [[
      crew.use(function(payload, task, next)
        note("before", task.type)
        local result = next(payload)
        note("after", result)
        return result
      end)
      crew.task("t", { perform = function() note "inside" return "r" end })
    ]], {})
    local words = {}
    for i, entry in ipairs(crew.notes:all()) do
      words[i] = table.concat(entry, " ")
    end
    assert.same({ "before t", "inside", "after r" }, words)
  end))

  it("was registered for a prefix takes what no exact name takes", with_crew(function(crew)
    crew:script("image.lua", [[
      crew.task("image:*", { perform = function(_, task) note("any", task.type) end })
      crew.task("image:big:*", { perform = function(_, task) note("big", task.type) end })
      crew.task("image:big:1", { perform = function(_, task) note("exact", task.type) end })
    ]])
    local queue = crew:queue()
    for _, name in ipairs { "image:x", "image:big:2", "image:big:1" } do
      queue:add { type = name }
    end
    crew:run()
    crew:wait_counts(queue, 20, { processed = 3, failed = 0 })
    assert.equal("image:x", crew.notes:all("any")[1][2])
    assert.equal("image:big:2", crew.notes:all("big")[1][2])
    assert.equal("image:big:1", crew.notes:all("exact")[1][2])
  end))
end)
