-- A task that is cancelled in its handler, and when it comes back.
local with_crew = require("support").with_crew

-- Tasks that wait until they are cancelled; what they say of their retry differs.
local SCRIPT = [[
local function wait(_, task)
  note("waits", task.id)
  crew.sleep(600)
end
crew.task("number", { retry = 1000, perform = wait })
crew.task("function", { perform = wait, retry = function(retried, message)
  return message == "context canceled" and 2000 + retried or nil
end })
crew.task("scripts", { perform = wait })
crew.task("waiting", { perform = wait, retry = function() crew.sleep(600) return 4000 end })
crew.task("hanging", { perform = wait, retry = function() while true do end end })
crew.retry(function(_, _, task) return task.type == "scripts" and 3000 or nil end)
]]

-- Seconds between the failure and the next run.
local function delay_of(queue, id)
  return queue:score("retry", id) - queue:task(id).message.last_failed_at
end

-- Cancels one task of each of these types, by ids of the same names, and waits until they are to be retried.
local function cancel(crew, types)
  crew:script("t.lua", SCRIPT)
  local queue = crew:queue()
  for _, name in ipairs(types) do queue:add { type = name, id = name } end
  local node = crew:run { kill_grace = "300ms" }
  crew:wait_until("all wait", 20, function() return crew.notes:count "waits" == #types end)
  crew:wait_until("the node listens", 20, function()
    return crew.redis:call("PUBSUB", "NUMSUB", "asynq:cancel")[2] == 1
  end)
  for _, name in ipairs(types) do crew.redis:call("PUBLISH", "asynq:cancel", name) end
  crew:wait_counts(queue, 20, { retry = #types, active = 0, lease = 0, pending = 0 })
  for _, name in ipairs(types) do
    assert.matches("^context canceled", queue:task(name).message.error_msg, name)
    assert.equal(1, queue:task(name).message.retried, name)
  end
  return queue, node
end

local function assert_delay(expected, queue, id)
  local delay = delay_of(queue, id)
  assert.is_true(delay >= expected and delay <= expected + 1, ("%s: %d s, not %d"):format(id, delay, expected))
end

local function assert_default_delay(queue, id)
  local delay = delay_of(queue, id)
  assert.is_true(delay >= 15 and delay <= 15 + 29 + 1, ("%s: %d s"):format(id, delay))
end

describe("a task that is cancelled", function()
  it("comes back when its type says, or else its scripts", with_crew(function(crew)
    local queue = cancel(crew, { "number", "function", "scripts" })
    assert_delay(1000, queue, "number")
    assert_delay(2000, queue, "function")
    assert_delay(3000, queue, "scripts")
  end))

  it("comes back after the default delay when its retry function would wait", with_crew(function(crew)
    local queue, node = cancel(crew, { "waiting" })
    assert_default_delay(queue, "waiting")
    local lines = node:log { level = "warn", task_id = "waiting" }
    assert.matches("retry function failed", lines[1].event)
    assert.matches("context canceled", lines[1].error)
  end))

  it("ends within the kill grace when its retry function computes for ever", with_crew(function(crew)
    local queue = cancel(crew, { "hanging" })
    assert_default_delay(queue, "hanging")
  end))
end)
