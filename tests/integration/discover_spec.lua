-- Queues that are configured by a pattern.
local wait = require "wait"
local with_crew = require("support").with_crew

local T = [[
  crew.task("t", { perform = function(_, task) note("ran", task.queue, task.id) end })
  crew.task("sleep", { perform = function(_, task) note("ran", task.queue, task.id) crew.sleep(2) end })
]]

describe("a queue that fits a pattern", function()
  it("is served about as soon as it is made, again and again", with_crew(function(crew)
    crew:script("t.lua", T)
    local node = crew:run { queues = { ["tenant:*"] = 1 } }
    crew:queue("tenant:0"):add { type = "t" }
    crew:wait_until("the node works", 20, function() return crew.notes:count "ran" == 1 end)
    local took_ms = {}
    for i = 1, 7 do
      local pushed_ms = wait.now_ms()
      crew:queue("tenant:" .. i):add { type = "t" }
      crew:queue("other:" .. i):add { type = "t" }
      crew:wait_until("the task has run", 10, function() return crew.notes:count "ran" == i + 1 end)
      took_ms[i] = crew.notes:all("ran")[i + 1].at_ms - pushed_ms
    end
    assert.is_true(wait.median(took_ms) < 200 * wait.patience, "it took ms: " .. table.concat(took_ms, " "))
    assert.equal(8, #node:log { event = "queue found" })
    assert.equal(1, crew:queue("other:1"):counts().pending)
  end))

  it("that was there before, or comes while Redis gives no notice, is served too", with_crew(function(crew)
    crew:script("t.lua", T)
    crew:queue("tenant:old"):add { type = "t" }
    crew.redis:call("ACL", "SETUSER", "crew", "on", ">pw", "~*", "&*", "+@all", "-client|tracking")
    crew:run { queues = { ["tenant:*"] = 1 }, redis = "redis+unix://crew:pw@" .. crew.server.socket }
    crew:wait_until("the old one's task has run", 20, function() return crew.notes:count "ran" == 1 end)
    crew:queue("tenant:new"):add { type = "t" }
    crew:wait_until("the new one's task has run", 10, function() return crew.notes:count "ran" == 2 end)
  end))

  it("is let go when it is removed, but not before its tasks are settled", with_crew(function(crew)
    crew:script("t.lua", T)
    local queue = crew:queue "tenant:a"
    local node = crew:run { queues = { ["tenant:*"] = 1, default = 1 } }
    queue:add { type = "sleep" }
    crew:wait_until("the task runs", 20, function() return crew.notes:count "ran" == 1 end)
    crew.redis:call("SREM", "asynq:queues", "tenant:a")
    crew:wait_until("the name is back", 10, function()
      return crew.redis:call("SISMEMBER", "asynq:queues", "tenant:a") == 1
    end)
    crew:wait_counts(queue, 10, { processed = 1, active = 0, lease = 0 })
    crew.redis:call("SREM", "asynq:queues", "tenant:a")
    node:wait_log(15, { event = "queue gone", queue = "tenant:a" })
    queue:add { type = "t" }
    crew:wait_counts(queue, 10, { processed = 2, active = 0 })
    assert.equal(0, #node:log { event = "task lost" }, node:text())
  end))

  it("is served on when its name is taken out while tasks wait", with_crew(function(crew)
    crew:script("t.lua", T)
    local queue = crew:queue "tenant:a"
    local node = crew:run { queues = { ["tenant:*"] = 1 } }
    queue:add { type = "t" }
    crew:wait_counts(queue, 20, { processed = 1, active = 0 })
    crew.redis:call("SET", queue:key "paused", "1")
    crew.redis:pipeline {
      { "HSET", queue:key "t:late", "msg", "m", "state", "pending" },
      { "LPUSH", queue:key "pending", "late" },
      { "SREM", "asynq:queues", "tenant:a" },
    }
    node:wait_log(10, { event = "queue kept" })
    assert.equal(1, crew.redis:call("SISMEMBER", "asynq:queues", "tenant:a"))
    assert.equal(0, #node:log { event = "queue gone" }, node:text())
  end))

  it("has the weight of the longest pattern, shared with the others of it", with_crew(function(crew)
    crew:script("t.lua", T)
    local names = { "critical", "tenant:a", "tenant:b", "tenant:c", "tenant:vip:d" }
    for _, name in ipairs(names) do
      crew:queue(name):add_many(400, function() return { type = "t" } end)
    end
    crew:run { queues = { critical = 3, ["tenant:*"] = 3, ["tenant:vip:*"] = 2 }, concurrency = 16, prefetch = 0 }
    for _, name in ipairs(names) do
      crew:wait_counts(crew:queue(name), 60, { processed = 400 })
    end
    local found = {}
    for i, entry in ipairs(crew.notes:all "ran") do
      if i > 800 then break end
      found[entry[2]] = (found[entry[2]] or 0) + 1
    end
    for name, share in pairs {
      critical = 300, ["tenant:a"] = 100, ["tenant:b"] = 100, ["tenant:c"] = 100, ["tenant:vip:d"] = 200,
    } do
      local seen = found[name] or 0
      assert.is_true(math.abs(seen - share) <= 20, ("%s: %d of 800, not %d"):format(name, seen, share))
    end
  end))
end)
