-- Unique tasks: how long the lock is held, whoever enqueued them, and that a result has a task to go to.
local cjson = require "cjson"
local uv = require "luv"
local with_crew = require("support").with_crew

local T = [[
crew.task("t", { perform = function(payload, task)
  note("ran", task.id)
  while io.open(here .. "/slow") do crew.sleep(0.02) end
  if payload.ends == "revoke" then task:revoke("no need") end
  if payload.ends == "snooze" then task:snooze("1h") end
  if payload.ends == "archive" then task:skip_retry("no hope") end
  if payload.ends == "fail" then error("not today", 0) end
  return "done"
end })
]]

local function open_client(crew)
  local client = assert(require("mooncrew.client").open(crew.server:url()))
  crew:finally(function() client:close() end)
  return client
end

-- Whose lock a payload is under: the id, or nil.
local function locks(crew, queue)
  local holders = {}
  for _, key in ipairs(crew.redis:call("KEYS", queue:key "unique:*")) do
    local holder = crew.redis:call("GET", key)
    if holder then holders[holder] = crew.redis:call("TTL", key) end -- else it has just run out
  end
  return holders
end

describe("a unique task's lock", function()
  it("goes when the task is done or revoked, and stays while it waits for a retry, is snoozed, or is archived",
    with_crew(function(crew)
      crew:script("t.lua", T)
      local client, queue = open_client(crew), crew:queue()
      for _, ends in ipairs { "done", "revoke", "snooze", "archive", "fail" } do
        assert(client:enqueue("t", { ends = ends }, { unique = "1h", task_id = ends }))
      end
      assert(client:enqueue("t", { ends = "kept" }, { unique = "1h", task_id = "kept", retention = "1h" }))
      crew:run()
      crew:wait_counts(queue, 20, { active = 0, pending = 0, completed = 1, scheduled = 1, archived = 1, retry = 1 })
      local holders = locks(crew, queue)
      for _, id in ipairs { "snooze", "archive", "fail" } do
        assert.is_true((holders[id] or 0) > 3500, "the lock of " .. id)
        assert.equal("DUPLICATE_TASK", select(3, client:enqueue("t", { ends = id }, { unique = "1h" })))
        holders[id] = nil
      end
      assert.same({}, holders, "locks of what is done")
      assert(client:enqueue("t", { ends = "kept" }, { unique = "1h" }))
    end))

  it("goes when its task leaves the archive for want of room", with_crew(function(crew)
    crew:script("t.lua", T)
    local client, queue = open_client(crew), crew:queue()
    crew:run { archive_max_size = 1 }
    assert(client:enqueue("t", { ends = "archive", n = 1 }, { unique = "1h", task_id = "first" }))
    crew:wait_counts(queue, 20, { archived = 1 })
    assert(client:enqueue("t", { ends = "archive", n = 2 }, { unique = "1h", task_id = "second" }))
    crew:wait_until("the second one has taken the place of the first", 20, function()
      return queue:ids("archived")[1] == "second"
    end)
    assert.is_nil(queue:task "first")
    assert.is_nil(locks(crew, queue).first)
    assert(client:enqueue("t", { ends = "archive", n = 1 }, { unique = "1h" }))
  end))

  it("is not another's to release: one that expired and was taken anew stays", with_crew(function(crew)
    crew:script("t.lua", T)
    local client, queue, slow = open_client(crew), crew:queue(), crew:file("slow", "")
    assert(client:enqueue("t", {}, { unique = "1s", task_id = "old" }))
    crew:run { concurrency = 1 }
    crew:wait_until("the task runs longer than its lock", 20, function()
      return crew.notes:count "ran" == 1 and next(locks(crew, queue)) == nil
    end)
    assert(client:enqueue("t", {}, { unique = "1h", task_id = "new", process_in = "1h" }))
    uv.fs_unlink(slow)
    crew:wait_counts(queue, 20, { processed = 1, active = 0 })
    assert.is_true((locks(crew, queue).new or 0) > 3500)
  end))

  it("survives the death of the node that ran the task, and goes with the task", with_crew(function(crew)
    crew:script("t.lua", T)
    local client, queue, slow = open_client(crew), crew:queue(), crew:file("slow", "")
    assert(client:enqueue("t", {}, { unique = "1h", task_id = "orphan" }))
    local node = crew:run()
    crew:wait_until("the task runs", 20, function() return crew.notes:count "ran" == 1 end)
    node.process:kill()
    uv.fs_unlink(slow)
    crew:run()
    assert.equal("DUPLICATE_TASK", select(3, client:enqueue("t", {}, { unique = "1h" })))
    crew:wait_counts(queue, 40, { processed = 1, active = 0, lease = 0 })
    assert.same({}, locks(crew, queue))
  end))
end)

describe("a unique task", function()
  it("from the command line is refused while one waits; so is one whose id exists, which leaves no lock",
    with_crew(function(crew)
      local queue = crew:queue()
      local code, text = crew:command { "enqueue", "t", '{"n":1}', "--unique", "1h", "--json" }
      assert.equal(0, code, text)
      local id = cjson.decode(text).id
      assert.is_true(locks(crew, queue)[id] > 3500)
      code, text = crew:command { "enqueue", "t", '{"n":1}', "--unique", "1h" }
      assert.equal(1, code, text)
      assert.matches("unique", text)
      code, text = crew:command { "enqueue", "t", '{"n":2}', "--unique", "1h", "--task-id", id }
      assert.equal(1, code, text)
      assert.matches(id, text, 1, true)
      local holders = locks(crew, queue)
      holders[id] = nil
      assert.same({}, holders)
      assert.equal(1, queue:counts().pending)
    end))

  it("that a handler enqueues is refused while one waits", with_crew(function(crew)
    crew:script("parent.lua", [[
      crew.task("parent", { perform = function(_, task)
        local first = crew.enqueue("later", { n = 1 }, { unique = "1h", process_in = "1h" })
        local second, _, code = crew.enqueue("later", { n = 1 }, { unique = "1h", process_in = "1h" })
        note("answers", first and first.state, tostring(second), code)
      end })
    ]])
    local queue = crew:queue()
    queue:add { type = "parent" }
    crew:run()
    crew:wait_counts(queue, 20, { processed = 1, scheduled = 1 })
    assert.same({ "answers", "scheduled", "nil", "DUPLICATE_TASK" }, { unpack(crew.notes:all("answers")[1]) })
  end))
end)

describe("a result", function()
  it("is written to no task that is gone: nothing comes back from the dead", with_crew(function(crew)
    crew:script("t.lua", T)
    local queue, slow = crew:queue(), crew:file("slow", "")
    queue:add { type = "t", id = "gone", payload = "{}", retention = 600 }
    local node = crew:run()
    crew:wait_until("the task runs", 20, function() return crew.notes:count "ran" == 1 end)
    crew.redis:call("DEL", queue:key "t:gone")
    uv.fs_unlink(slow)
    node:wait_log(20, { event = "result refused", task_id = "gone" })
    assert.is_nil(queue:task "gone")
    crew:wait_counts(queue, 30, { active = 0, lease = 0, pending = 0, completed = 0, processed = 0 })
    assert.is_nil(queue:task "gone")
  end))
end)
