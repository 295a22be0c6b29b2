-- What a client of a Lua program sees and changes, against a real Redis.
local Server = require "redis_server"
local client = require "mooncrew.client"
local uv = require "luv"

describe("a client that inspects", function()
  local server, redis, folder, crew

  setup(function()
    folder = assert(uv.fs_mkdtemp "/tmp/mooncrew-test-XXXXXX")
    server = Server.new(folder)
    redis = server:start()
  end)

  teardown(function()
    server:stop "sigterm"
    uv.fs_unlink(folder .. "/redis.log")
    uv.fs_rmdir(folder)
  end)

  before_each(function()
    redis:call "FLUSHALL"
    crew = assert(client.open(server:url()))
  end)

  after_each(function()
    crew:close()
  end)

  local function give(id, options)
    options = options or {}
    options.task_id, options.queue = id, "q"
    assert(crew:enqueue("kind", { n = id }, options))
  end

  it("tells of queues", function()
    assert.same({}, crew:queues())
    give "a"
    give("b", { process_in = 60 })
    redis:call("SET", "asynq:{q}:paused", "1")
    local queue = assert(crew:queue "q")
    local listed = assert(crew:queues())[1]
    queue.latency_ms = listed.latency_ms -- the first was asked a little earlier
    assert.same(queue, listed)
    assert.equal("q", queue.name)
    assert.equal(2, queue.size)
    assert.equal(1, queue.pending)
    assert.equal(1, queue.scheduled)
    assert.is_true(queue.paused)
    assert.is_true(queue.memory_bytes > 100)
    assert.same({ nil, 'there is no queue "p"', "NOT_FOUND" }, { crew:queue "p" })
  end)

  it("tells what a queue did", function()
    give "a"
    redis:call("SET", "asynq:{q}:processed:" .. os.date "!%Y-%m-%d", "5")
    local history = assert(crew:history("q", 2))
    assert.equal(2, #history)
    assert.equal(5, history[1].processed)
    assert.equal(0, history[2].processed)
    assert.truthy(history[1].date:find "^%d%d%d%d%-%d%d%-%d%d$")
    assert.equal("INVALID_ARGUMENT", select(3, crew:history("q", 1.5)))
  end)

  it("tells everything of a task", function()
    give("a", { process_in = 60, unique = 60, headers = { trace = "x" }, max_retry = 3, retention = 5, timeout = 9 })
    redis:call("HSET", "asynq:{q}:t:a", "mc_crashes", "1", "mc_last_crash", "1700000000 it died: a b")
    local task = assert(crew:task("q", "a"))
    assert.is_true(task.next_process_at > os.time())
    task.next_process_at = nil
    assert.truthy(task.unique_key:find("asynq:{q}:unique:kind:", 1, true))
    task.unique_key = nil
    assert.same({
      id = "a", queue = "q", type = "kind", state = "scheduled", payload = '{"n":"a"}', max_retry = 3, retried = 0,
      timeout = 9, retention = 5, headers = { trace = "x" }, last_crash = "it died: a b",
      last_crash_at = 1700000000, extra = { mc_crashes = "1" },
    }, task)
    assert.equal("NOT_FOUND", select(3, crew:task("q", "b")))
  end)

  it("shows what cannot be read", function()
    give "a"
    redis:call("HSET", "asynq:{q}:t:a", "msg", "\255")
    local task = assert(crew:task("q", "a"))
    assert.equal("pending", task.state)
    assert.truthy(task.problem:find "not protobuf")
    assert.is_nil(task.type)
  end)

  it("turns pages", function()
    for i = 1, 25 do
      give(("t%02d"):format(i))
    end
    local seen, after, pages = {}, nil, 0
    repeat
      local page = assert(crew:tasks("q", "pending", { size = 10, after = after }))
      assert.equal(25, page.total)
      for _, task in ipairs(page.tasks) do
        seen[#seen + 1] = task.id
      end
      after, pages = page.next, pages + 1
    until not after
    assert.equal(3, pages)
    assert.equal(25, #seen)
    assert.equal("t01", seen[1])
    assert.equal("t25", seen[25])
    assert.equal("t11", crew:tasks("q", "pending", { size = 10, page = 2 }).tasks[1].id)
    assert.equal("INVALID_ARGUMENT", select(3, crew:tasks("q", "pending", { after = "nonsense" })))
    assert.equal("INVALID_ARGUMENT", select(3, crew:tasks("q", "sleeping")))
    assert.equal("INVALID_ARGUMENT", select(3, crew:tasks("q", "aggregating")))
  end)

  it("runs, archives and deletes a task", function()
    give("a", { process_in = 60 })
    assert.is_true(crew:run_task("q", "a"))
    assert.same({ nil, 'task "a": it is pending already', "WRONG_STATE" }, { crew:run_task("q", "a") })
    assert.is_true(crew:archive_task("q", "a"))
    assert.is_true(crew:delete_task("q", "a"))
    assert.equal("NOT_FOUND", select(3, crew:delete_task("q", "a")))
  end)

  it("moves all of a state and tells how far it is", function()
    for i = 1, 1500 do
      give(tostring(i))
    end
    local told = {}
    assert.equal(1500, crew:archive_tasks("q", "pending", { progress = function(done, total)
      told[#told + 1] = { done, total }
    end }))
    assert.same({ { 1000, 1500 }, { 1500, 1500 } }, told)
    assert.equal(1500, crew:run_tasks("q", "archived"))
    assert.equal(1500, crew:delete_tasks("q", "pending"))
    assert.equal(0, crew:delete_tasks("q", "pending"))
    assert.same({ nil, "active tasks are being worked on: cancel them instead", "WRONG_STATE", 0 },
      { crew:delete_tasks("q", "active") })
  end)

  it("ends the work when its progress function fails, and raises its error", function()
    give "a"
    local ok, message = pcall(crew.archive_tasks, crew, "q", "pending", { progress = function()
      error({ mine = true })
    end })
    assert.is_false(ok)
    assert.same({ mine = true }, message)
    assert.equal(1, assert(crew:queue "q").archived)
  end)

  it("is not to be used by its own progress function", function()
    give "a"
    local message
    crew:archive_tasks("q", "pending", { progress = function()
      message = select(2, pcall(crew.queues, crew))
      crew:close()
    end })
    assert.truthy(message:find "busy")
    crew = assert(client.open(server:url()))
  end)

  it("knows groups", function()
    give("a", { group = "g1" })
    give("b", { group = "g1" })
    assert.same({ { name = "g1", size = 2 } }, crew:groups "q")
    assert.equal("a", crew:tasks("q", "aggregating", { group = "g1", size = 1 }).tasks[1].id)
    assert.equal(2, crew:delete_tasks("q", "aggregating", { group = "g1" }))
    assert.same({}, crew:groups "q")
  end)

  it("replaces a payload", function()
    give("a", { unique = 60 })
    give("b", { unique = 60 })
    assert.is_true(crew:update_payload("q", "a", { z = 1, b = {} }))
    assert.equal('{"b":{},"z":1}', crew:task("q", "a").payload)
    assert.is_true(crew:update_payload("q", "a", "\0bytes"))
    assert.equal("\0bytes", crew:task("q", "a").payload)
    assert.is_true(crew:update_payload("q", "a", nil))
    assert.equal("", crew:task("q", "a").payload)
    assert.is_true(crew:update_payload("q", "a", false))
    assert.equal("false", crew:task("q", "a").payload)
    assert.equal("DUPLICATE_TASK", select(3, crew:update_payload("q", "a", { n = "b" })))
    assert.equal("INVALID_PAYLOAD", select(3, crew:update_payload("q", "a", { print })))
  end)

  it("cancels, pauses and unpauses", function()
    assert.equal(0, crew:cancel "a")
    assert.is_true(crew:pause "q")
    assert.equal("WRONG_STATE", select(3, crew:pause "q"))
    assert.is_true(crew:unpause "q")
    assert.equal("WRONG_STATE", select(3, crew:unpause "q"))
  end)

  it("removes a queue", function()
    give "a"
    assert.same({ nil, 'queue "q" has tasks', "NOT_EMPTY", 0 }, { crew:remove_queue "q" })
    assert.equal(1, crew:remove_queue("q", { force = true }))
    assert.same({}, redis:call("KEYS", "*"))
    assert.equal("NOT_FOUND", select(3, crew:remove_queue "q"))
  end)

  it("tells of servers and cron entries", function()
    assert.same({}, crew:servers())
    assert.same({}, crew:cron())
    assert.same({}, crew:cron_history "e1")
    local later = tostring(os.time() + 10)
    redis:call("SET", "asynq:servers:{h:1:u}", "\10\1h\16\7\26\1u\32\10\42\7\10\3low\16\1\58\6active\66\2\8\9")
    redis:call("ZADD", "asynq:servers", later, "asynq:servers:{h:1:u}")
    redis:call("HSET", "asynq:workers:{h:1:u}", "t1", "\34\2t1\42\4kind\58\1q\66\2\8\9")
    assert.same({ {
      id = "h:1:u", host = "h", pid = 7, status = "active", concurrency = 10, active_workers = 0, strict = false,
      started_at = 9, queues = { low = 1 },
      workers = { { task_id = "t1", type = "kind", queue = "q", payload = "", started_at = 9 } },
    } }, crew:servers())
    assert.same({ 1, {} }, { #crew:servers(), crew:servers({ tasks = false })[1].workers })
    assert.has_error(function() crew:servers { task = true } end,
      "client:servers: unknown option 'task', did you mean 'tasks'?")
    redis:call("RPUSH", "asynq:schedulers:{h:1:u}", '\10\2e1\18\6@daily\26\4kind\42\12Queue("low")\50\2\8\9')
    redis:call("ZADD", "asynq:schedulers", later, "asynq:schedulers:{h:1:u}")
    assert.same({ { id = "e1", spec = "@daily", type = "kind", payload = "", options = { 'Queue("low")' }, next_at = 9,
      schedulers = 1 } }, crew:cron())
    redis:call("ZADD", "asynq:scheduler_history:e1", "9", "\10\2t1\18\2\8\9")
    assert.same({ { task_id = "t1", at = 9 } }, crew:cron_history("e1", { size = 5 }))
    assert.same({}, crew:cron_history("e1", { page = 2 }))
  end)

  it("waits for a task's end", function()
    give "a"
    assert.same({ nil, 'task "a" has not ended yet: it is pending', "TIMEOUT" }, { crew:wait("a", "50ms", "q") })
    redis:call("HSET", "asynq:{q}:t:a", "state", "completed", "result", "42")
    assert.equal("42", assert(crew:wait("a", 5, "q")).result)
    redis:call("HSET", "asynq:{q}:t:a", "state", "archived")
    assert.equal("ARCHIVED", select(3, crew:wait("a", 5, "q")))
    assert.equal("GONE", select(3, crew:wait("a", 5)))
    assert.equal("INVALID_ARGUMENT", select(3, crew:wait("a", "soon")))
  end)

  it("says when Redis cannot be reached", function()
    local lost = assert(client.open("redis+unix://" .. folder .. "/nobody.sock", { timeout = "50ms" }))
    for _, answer in ipairs {
      { lost:queues() }, { lost:task("q", "a") }, { lost:run_task("q", "a") }, { lost:delete_tasks("q", "retry") },
      { lost:remove_queue "q" }, { lost:servers() }, { lost:cron() }, { lost:cancel "a" }, { lost:pause "q" },
    } do
      assert.is_nil(answer[1])
      assert.equal("UNAVAILABLE", answer[3])
    end
    lost:close()
  end)

  it("works under a collector that never rests", function()
    collectgarbage("setpause", 1)
    collectgarbage("setstepmul", 10000)
    finally(function()
      collectgarbage("setpause", 200)
      collectgarbage("setstepmul", 200)
    end)
    for i = 1, 20 do
      give(tostring(i), { headers = { a = "b" } })
    end
    for _ = 1, 20 do
      assert.equal(20, #crew:tasks("q", "pending").tasks)
      assert.equal(20, crew:queues()[1].pending)
      assert.equal("b", crew:task("q", "7").headers.a)
    end
    assert.equal(20, crew:delete_tasks("q", "pending", { progress = function() collectgarbage() end }))
  end)

  it("works in plain Lua 5.1", function()
    give "a"
    local program = folder .. "/program.lua"
    local file = assert(io.open(program, "w"))
    file:write [[
      local crew = assert(require("mooncrew.client").open(arg[1]))
      local told = ""
      assert(crew:archive_tasks("q", "pending", { progress = function(done, total) told = done .. "/" .. total end }))
      local task = crew:tasks("q", "archived").tasks[1]
      print(_VERSION .. " " .. told .. " " .. task.id .. " " .. select(3, crew:wait("a", 1, "q")))
    ]]
    file:close()
    local pipe = assert(io.popen(("lua5.1 %s '%s' 2>&1"):format(program, server:url())))
    local output = pipe:read "*a"
    pipe:close()
    uv.fs_unlink(program)
    assert.equal("Lua 5.1 1/1 a ARCHIVED\n", output)
  end)

  it("blames the caller for wrong types", function()
    for _, call in ipairs {
      function() crew:queue(5) end,
      function() crew:history("q") end,
      function() crew:tasks("q") end,
      function() crew:tasks("q", "retry", 5) end,
      function() crew:tasks("q", "retry", { sise = 5 }) end,
      function() crew:tasks("q", "retry", { size = "5" }) end,
      function() crew:task("q") end,
      function() crew:run_task("q") end,
      function() crew:run_tasks("q") end,
      function() crew:archive_tasks("q", "retry", { progress = 5 }) end,
      function() crew:delete_tasks("q", 5) end,
      function() crew:update_payload("q", 5, "x") end,
      function() crew:cancel() end,
      function() crew:remove_queue("q", { force = 1 }) end,
      function() crew:cron_history() end,
      function() crew:wait(5, 5) end,
      function() crew:wait("a", 5, 5) end,
      function() crew.queues("q") end,
    } do
      local ok, message = pcall(call)
      assert.is_false(ok)
      assert.truthy(message:find("inspect_spec.lua:%d+: client:[%l_]+: "), message)
    end
    local _, message = pcall(function() crew:task("q") end)
    assert.truthy(message:find(": client:task: id: expected string, got nil", 1, true), message)
    _, message = pcall(function() crew:delete_tasks("q", 5) end)
    assert.truthy(message:find(": client:delete_tasks: state: expected string, got number", 1, true), message)
    _, message = pcall(function() crew:tasks("q", "retry", { sise = 5 }) end)
    assert.truthy(message:find("did you mean 'size'?", 1, true))
  end)
end)
