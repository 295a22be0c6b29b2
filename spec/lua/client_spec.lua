-- The client of Lua programs, against a real Redis.
local Server = require "redis_server"
local client = require "mooncrew.client"
local registry = require "mooncrew.registry"
local uv = require "luv"

describe("a client", function()
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
    registry.reset()
  end)

  it("enqueues a task and tells about it", function()
    local info = assert(crew:enqueue("mail:send", { to = "ada" }))
    assert.same({ id = info.id, queue = "default", type = "mail:send", state = "pending" }, info)
    assert.equal(36, #info.id)
    assert.same({ info.id }, redis:call("LRANGE", "asynq:{default}:pending", "0", "-1"))
    assert.truthy(redis:call("HGET", "asynq:{default}:t:" .. info.id, "msg"):find('{"to":"ada"}', 1, true))
  end)

  it("enqueues for later, and into a group", function()
    local at = os.time() + 60
    assert.same({ id = "one", queue = "low", type = "t", state = "scheduled", process_at = at },
      crew:enqueue("t", nil, { process_at = at, task_id = "one", queue = "low" }))
    assert.equal(tostring(at), redis:call("ZSCORE", "asynq:{low}:scheduled", "one"))
    assert.equal("aggregating", assert(crew:enqueue("t", nil, { group = "digest" })).state)
  end)

  it("says what was refused and why", function()
    assert(crew:enqueue("t", "x", { task_id = "one", unique = 60 }))
    assert.same({ nil, 'a task with the id "one" exists in queue "default"', "TASK_ID_CONFLICT" },
      { crew:enqueue("t", "y", { task_id = "one" }) })
    local info, message, code = crew:enqueue("t", "x", { unique = 60 })
    assert.is_nil(info)
    assert.equal("DUPLICATE_TASK", code)
    assert.truthy(message:find('"t"', 1, true))
    assert.equal("INVALID_ARGUMENT", select(3, crew:enqueue("\255")))
    assert.equal("INVALID_ARGUMENT", select(3, crew:enqueue("t", nil, { queue = "a\0b" })))
  end)

  it("validates by the definition", function()
    registry.add { type = "t", options = { queue = "low" }, source = "here:1", encode = function(_, payload)
      if payload == 1 then return "one" end
      return nil, "payload: expected 1", "INVALID_PAYLOAD"
    end }
    assert.equal("low", assert(crew:enqueue("t", 1)).queue)
    assert.same({ nil, "payload: expected 1", "INVALID_PAYLOAD" }, { crew:enqueue("t", 2) })
  end)

  it("treats an empty payload as none, so that Go and Lua agree on its unique key", function()
    assert(crew:enqueue("t", "", { unique = 60 }))
    assert.equal(1, redis:call("EXISTS", "asynq:{default}:unique:t:"))
    assert.equal("DUPLICATE_TASK", select(3, crew:enqueue("t", nil, { unique = 60 })))
  end)

  it("enqueues many, with a result for each", function()
    local results = crew:enqueue_many {
      { "t", "a", { task_id = "one" } }, { "t", "b", { max_retry = -1 } }, { "t", "c", { task_id = "one" } },
      { "u", { 1 }, { queue = "low" } },
    }
    assert.equal(4, #results)
    assert.same({ ok = true, id = "one", queue = "default", type = "t", state = "pending" }, results[1])
    assert.is_false(results[2].ok)
    assert.equal("INVALID_ARGUMENT", results[2].code)
    assert.truthy(results[2].error:find "^max_retry: ")
    assert.same({ ok = false, id = "one", code = "TASK_ID_CONFLICT",
      error = 'a task with the id "one" exists in queue "default"' }, results[3])
    assert.is_true(results[4].ok)
    assert.equal("low", results[4].queue)
  end)

  it("enqueues ten thousand at once", function()
    local tasks = {}
    for i = 1, 10000 do
      tasks[i] = { "t", { n = i }, { queue = i % 2 == 0 and "even" or "odd", headers = { n = tostring(i) } } }
    end
    for _, result in ipairs(crew:enqueue_many(tasks)) do
      assert(result.ok)
    end
    assert.equal(5000, redis:call("LLEN", "asynq:{even}:pending"))
    assert.equal(5000, redis:call("LLEN", "asynq:{odd}:pending"))
  end)

  it("has nothing against no tasks at all", function()
    assert.same({}, crew:enqueue_many {})
  end)

  it("tells what stands in Redis", function()
    crew:enqueue("t", nil, { queue = "low" })
    crew:enqueue("t", nil, { process_in = "1h" })
    local stats = assert(crew:stats())
    assert.same({}, stats.servers)
    assert.equal(2, #stats.queues)
    assert.equal("default", stats.queues[1].name)
    assert.equal(1, stats.queues[1].scheduled)
    assert.equal(0, stats.queues[1].pending)
    assert.equal("low", stats.queues[2].name)
    assert.equal(1, stats.queues[2].pending)
    assert.is_false(stats.queues[2].paused)
    assert.is_number(stats.queues[2].latency_ms)
  end)

  it("goes on after Redis has closed its connection", function()
    assert(crew:enqueue("t"))
    redis:call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert(crew:enqueue("t"))
    assert.equal(2, redis:call("LLEN", "asynq:{default}:pending"))
  end)

  it("keeps to its time-out where nobody answers", function()
    local lost = assert(client.open("redis+unix://" .. folder .. "/nobody.sock", { timeout = "100ms" }))
    local info, message, code = lost:enqueue("t")
    assert.is_nil(info)
    assert.equal("UNAVAILABLE", code)
    assert.truthy(message:find "is it running%?")
    assert.equal("UNAVAILABLE", select(3, lost:stats()))
    assert.equal("UNAVAILABLE", lost:enqueue_many({ { "t" } })[1].code)
    lost:close()
  end)

  it("may be forgotten, closed twice, and not used afterwards", function()
    assert(client.open(server:url())):enqueue("t")
    collectgarbage()
    collectgarbage()
    crew:close()
    crew:close()
    local ok, message = pcall(function() return (crew:enqueue("t")) end)
    assert.is_false(ok)
    assert.truthy(message:find "client_spec.lua:%d+: client:enqueue: the client is closed")
  end)

  it("works under a collector that never rests", function()
    collectgarbage("setpause", 1)
    collectgarbage("setstepmul", 10000)
    finally(function()
      collectgarbage("setpause", 200)
      collectgarbage("setstepmul", 200)
    end)
    for _ = 1, 20 do
      local results = crew:enqueue_many { { "t", { 1 }, { headers = { a = "b" } } }, { "t", "x", { queue = "\255" } } }
      assert.is_true(results[1].ok)
      assert.equal("INVALID_ARGUMENT", results[2].code)
    end
    assert.equal(20, crew:stats().queues[1].pending)
  end)

  it("blames the caller for wrong types", function()
    for place, call in ipairs {
      function() client.open(5) end,
      function() client.open(server:url(), 5) end,
      function() client.open(server:url(), { timeuot = 5 }) end,
      function() crew:enqueue(5) end,
      function() crew:enqueue("t", nil, "low") end,
      function() crew:enqueue_many(5) end,
      function() crew:enqueue_many { 5 } end,
      function() crew:enqueue_many { { 5 } } end,
      function() crew.enqueue("t") end,
    } do
      local ok, message = pcall(call)
      assert.is_false(ok)
      local names = place <= 3 and "crew%.client: " or place <= 5 and "enqueue: " or "%l[%l:_]+: "
      assert.truthy(message:find("client_spec.lua:%d+: " .. names), message)
    end
  end)

  it("changes and tells the limits of a queue", function()
    assert.same({}, crew:limits "mail")
    assert.same({ concurrency = 3 }, crew:limit("mail", { concurrency = 3 }))
    assert.same({ concurrency = 3, rate = "10/s" }, crew:limit("mail", { rate = "10/s" }))
    assert.same({ concurrency = 3, rate = "10/s" }, crew:limits "mail")
    assert.equal("10", redis:call("HGET", "asynq:{mail}:mc_limits", "rate"))
    assert.same({ rate = "10/s" }, crew:limit("mail", { concurrency = false }))
    assert.same({}, crew:limit("mail", { rate = false }))
    assert.equal(0, redis:call("DBSIZE"))
  end)

  it("refuses limits that make no sense", function()
    for _, changes in ipairs {
      { rate = "fast" }, { rate = "9999999/s" }, { concurrency = 0 }, { concurrency = 1e9 },
    } do
      local limits, message, code = crew:limit("mail", changes)
      assert.is_nil(limits)
      assert.is_string(message)
      assert.equal("INVALID_ARGUMENT", code)
    end
    assert.equal("INVALID_ARGUMENT", select(3, crew:limits ""))
    assert.has_error(function() crew:limit("mail", { burst = 3 }) end,
      "client:limit: unknown limit 'burst': a queue knows 'concurrency' and 'rate'")
  end)
end)

describe("opening a client", function()
  it("refuses an address that is none", function()
    local crew, message, code = client.open("http://localhost")
    assert.is_nil(crew)
    assert.is_string(message)
    assert.equal("INVALID_ARGUMENT", code)
  end)

  it("refuses a time-out that is none", function()
    assert.same({ nil, "timeout: must be longer than 0", "INVALID_ARGUMENT" },
      { client.open("redis://localhost", { timeout = 0 }) })
    assert.truthy(select(2, client.open("redis://localhost", { timeout = "soon" })):find "^timeout: ")
  end)
end)
