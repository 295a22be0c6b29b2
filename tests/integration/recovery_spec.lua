-- Tasks whose node is gone, and tasks that are no longer ours.
local uv = require "luv"
local wait = require "wait"
local with_crew = require("support").with_crew

local T = [[
crew.task("t", { perform = function(_, task)
  note("start", task.id, task.retried)
  if io.open(here .. "/slow") then crew.sleep(60) end
  note("end", task.id, task.retried)
end })
]]

-- Leaves a task in `active`, as a node does that died; lease_s is seconds from now, nil for none.
local function orphan(queue, id, lease_s)
  queue:add { type = "t", id = id, retention = 600 }
  queue.redis:call("LREM", queue:key "pending", 0, id)
  queue.redis:call("LPUSH", queue:key "active", id)
  queue.redis:call("HSET", queue:key("t:" .. id), "state", "active", "mc_owner", "host:1:gone:1")
  if lease_s then queue.redis:call("ZADD", queue:key "lease", os.time() + lease_s, id) end
end

local function assert_recovered(queue, id)
  local task = queue:task(id)
  assert.equal("completed", task.state, "state of " .. id)
  assert.equal(0, task.message.retried, "retries of " .. id)
end

describe("an orphan", function()
  it("is run within 30 s, with a lease that still holds, an expired one, or none", with_crew(function(crew)
    crew:script("t.lua", T)
    local queue = crew:queue()
    orphan(queue, "leased", 3600)
    orphan(queue, "expired", -3600)
    orphan(queue, "bare", nil)
    crew:run()
    crew:wait_counts(queue, 30, { completed = 3, active = 0, lease = 0, pending = 0, retry = 0, archived = 0 })
    for _, id in ipairs { "leased", "expired", "bare" } do
      assert_recovered(queue, id)
    end
    assert.equal(3, crew.notes:count "end")
  end))

  it("of a node that was killed with 200 tasks in flight: all of them run again on another within 15 s",
    with_crew(function(crew)
      crew:script("t.lua", T)
      local queue, slow = crew:queue(), crew:file("slow", "")
      local ids = queue:add_many(200, function() return { type = "t", retention = 600 } end)
      local first = crew:run { workers = 2, concurrency = 100 }
      crew:wait_until("the first node runs 200 tasks", 20, function() return crew.notes:count "start" == 200 end)
      local second = crew:run { workers = 2, concurrency = 100 }
      crew:wait_until("both nodes are in the list", 20, function()
        return crew.redis:call("ZCARD", "asynq:servers") == 2
      end)
      uv.fs_unlink(slow)
      local workers = first:workers()
      local killed_ms = wait.now_ms()
      first:send "sigkill"
      crew:wait_counts(queue, 40 * wait.patience, { completed = 200, processed = 200, failed = 0, active = 0, lease = 0,
        pending = 0, retry = 0 })

      local starts, per_task = crew.notes:all "start", crew.notes:tally "start"
      local first_s, last_s = (starts[201].at_ms - killed_ms) / 1000, (starts[#starts].at_ms - killed_ms) / 1000
      assert.is_true(last_s <= 15 * wait.patience, ("the last one was started after %.1f s"):format(last_s))
      for _, id in ipairs(ids) do
        assert_recovered(queue, id)
        assert.equal(2, per_task[id], "starts of " .. id)
      end
      assert.equal(200, #second:log { event = "task recovered" })
      print(("measured: 200 tasks of a killed node: run again %.1f to %.1f s after the kill"):format(first_s, last_s))
      for _, pid in ipairs(workers) do
        assert.is_false(require("process").exists(pid), "the dead node's worker has gone")
      end
    end))

  it("is nobody who is only slow: a live node's tasks stay with it", with_crew(function(crew)
    crew:script("t.lua", [[
      crew.task("t", { perform = function(_, task) note("start", task.id) crew.sleep(16) note("end", task.id) end })
    ]])
    local queue = crew:queue()
    queue:add { type = "t" }
    crew:run()
    crew:run()
    crew:wait_counts(queue, 40, { processed = 1, active = 0 })
    assert.equal(1, crew.notes:count "start", "starts")
  end))
end)

describe("fencing:", function()
  it("the result of a task that was taken from us meanwhile is refused, and logged", with_crew(function(crew)
    crew:script("t.lua", T)
    local queue, slow = crew:queue(), crew:file("slow", "")
    crew:script("t.lua", [[
      crew.task("t", { perform = function(_, task)
        note("start", task.id)
        while io.open(here .. "/slow") do crew.sleep(0.05) end
        note("end", task.id)
      end })
    ]])
    queue:add { type = "t", id = "taken", retention = 600 }
    local node = crew:run()
    crew:wait_until("the task runs", 20, function() return crew.notes:count "start" == 1 end)
    crew.redis:call("HSET", queue:key "t:taken", "mc_owner", "other:1:node:7")
    uv.fs_unlink(slow)
    local entry = node:wait_log(10, { level = "warn", task_id = "taken" })
    assert.is_true(#entry.event > 0)
    local task = queue:task "taken"
    assert.equal("active", task.state)
    assert.equal("other:1:node:7", task.mc_owner)
    assert.is_nil(task.result)
    local counts = queue:counts()
    assert.equal(1, counts.active)
    assert.equal(0, counts.completed + counts.processed)
  end))

  it("a dequeue writes whose the task is, and settling it takes that away", with_crew(function(crew)
    crew:script("t.lua", T)
    local queue, slow = crew:queue(), crew:file("slow", "")
    queue:add { type = "t", id = "mine", retention = 600 }
    crew:run()
    crew:wait_until("the task runs", 20, function() return crew.notes:count "start" == 1 end)
    local key = crew.redis:call("ZRANGE", "asynq:servers", 0, 0)[1]
    assert.equal(key:match "{(.*)}", queue:task("mine").mc_owner:match "^(.*):%d+$")
    assert.is_true(queue:score("lease", "mine") > os.time() + 10, "the lease holds")
    uv.fs_unlink(slow)
  end))
end)

describe("heartbeat:", function()
  it("the node, its queues and what it runs are in Redis, as asynq's inspector reads them", with_crew(function(crew)
    local message = require "message"
    crew:script("t.lua", T)
    crew:file("slow", "")
    local queue = crew:queue()
    queue:add { type = "t", id = "seen", payload = '{"a":1}' }
    local node = crew:run { workers = 2, concurrency = 7, queues = { default = 3, low = 1 } }
    crew:wait_until("the task runs", 20, function() return crew.notes:count "start" == 1 end)
    local workers_key = crew:wait_until("the task is in the list of what runs", 20, function()
      local key = crew.redis:call("ZRANGE", "asynq:workers", 0, 0)[1]
      return key and crew.redis:call("HEXISTS", key, "seen") == 1 and key
    end)
    local server_key = crew.redis:call("ZRANGE", "asynq:servers", 0, 0)[1]
    local server = message.decode_server(crew.redis:call("GET", server_key))
    assert.equal(node.pid, server.pid)
    assert.equal("active", server.status)
    assert.same({ default = 3, low = 1 }, server.queues)
    assert.equal(14, server.concurrency)
    assert.is_false(server.strict_priority)
    assert.equal(1, server.active_worker_count)
    assert.equal(("asynq:servers:{%s:%d:%s}"):format(server.host, server.pid, server.server_id), server_key)
    assert.is_true(crew.redis:call("TTL", server_key) > 0)

    local worker = message.decode_worker(crew.redis:call("HGET", workers_key, "seen"))
    assert.equal("t", worker.type)
    assert.equal('{"a":1}', worker.payload)
    assert.equal("default", worker.queue)
    assert.equal(server.server_id, worker.server_id)
    assert.is_true(crew.redis:call("TTL", workers_key) > 0)
  end))

  it("leases are extended for as long as a task runs", with_crew(function(crew)
    crew:script("t.lua", T)
    crew:file("slow", "")
    local queue = crew:queue()
    queue:add { type = "t", id = "long" }
    crew:run()
    crew:wait_until("the task runs", 20, function() return crew.notes:count "start" == 1 end)
    local first = queue:score("lease", "long")
    crew:wait_until("the lease has grown", 20, function() return queue:score("lease", "long") > first end)
  end))
end)
