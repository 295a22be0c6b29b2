-- A client beside real nodes: waiting for tasks, cancelling them, and seeing who works on what.
local client = require "mooncrew.client"
local wait = require "wait"
local with_crew = require("support").with_crew

local SCRIPT = [[
crew.task("add", { payload = "raw", perform = function(payload) return "sum of " .. payload end })
crew.task("fail", { perform = function(_, task) task:skip_retry("no such user") end })
crew.task("sleep", { perform = function() note "sleeping" crew.sleep(600) end })
]]

local function start(crew)
  crew:script("t.lua", SCRIPT)
  crew:run()
  local inspector = assert(client.open(crew.server:url()))
  crew:finally(function() inspector:close() end)
  return inspector
end

describe("a client", function()
  it("waits for the result of a task that a node runs", with_crew(function(crew)
    local inspector = start(crew)
    local info = assert(inspector:enqueue("add", "1, 2", { retention = 60 }))
    local task = assert(inspector:wait(info.id, 20))
    assert.equal("completed", task.state)
    assert.equal("sum of 1, 2", task.result)
    assert.is_true(task.expires_at > os.time())
  end))

  it("is told the end of a short task as soon as it is there", with_crew(function(crew)
    local inspector = start(crew)
    local shortest_ms = math.huge
    for i = 1, 11 do
      local info = assert(inspector:enqueue("add", tostring(i), { retention = 60 }))
      local began_ms = wait.now_ms()
      assert(inspector:wait(info.id, 20))
      shortest_ms = math.min(shortest_ms, wait.now_ms() - began_ms)
    end
    assert.is_true(shortest_ms < 90, ("%d ms"):format(shortest_ms)) -- the gap between looks is 100 ms
  end))

  it("is told GONE of a task that was done and not retained", with_crew(function(crew)
    local inspector = start(crew)
    local info = assert(inspector:enqueue("add", "1"))
    assert.equal("GONE", select(3, inspector:wait(info.id, 20)))
  end))

  it("is told the error of a task that failed for good, and can run it again", with_crew(function(crew)
    local inspector = start(crew)
    local info = assert(inspector:enqueue "fail")
    for _ = 1, 2 do
      local task, message, code = inspector:wait(info.id, 20)
      assert.is_nil(task)
      assert.equal("ARCHIVED", code)
      assert.matches("no such user", message)
      assert.is_true(inspector:run_task("default", info.id))
    end
  end))

  it("sees who works on a task, and cancels it", with_crew(function(crew)
    local inspector = start(crew)
    local info = assert(inspector:enqueue("sleep", nil, { max_retry = 5 }))
    crew:wait_until("the task sleeps", 20, function() return crew.notes:count "sleeping" == 1 end)
    crew:wait_until("its server says so", 20, function()
      local servers = assert(inspector:servers())
      return servers[1] and servers[1].workers[1] and servers[1].workers[1].task_id == info.id
    end)
    local task = assert(inspector:task("default", info.id))
    assert.equal("active", task.state)
    assert.is_false(task.orphaned)
    assert.matches("^" .. assert(inspector:servers())[1].id:gsub("%p", "%%%0"), task.extra.mc_owner)
    assert.equal("WRONG_STATE", select(3, inspector:delete_task("default", info.id)))
    assert.equal(1, inspector:cancel(info.id))
    crew:wait_until("it is to be tried again", 20, function()
      return assert(inspector:task("default", info.id)).state == "retry"
    end)
    assert.equal(1, inspector:task("default", info.id).retried)
    assert.is_true(inspector:delete_task("default", info.id))
  end))
end)
