-- Ways into the queue: the command line, the Lua client, handlers; and what keeps a task from going in twice.
local cjson = require "cjson"
local with_crew = require("support").with_crew

local T = [[
crew.task("t", { perform = function(payload, task)
  note("ran", task.id, task.queue, task.max_retry, task.raw_payload)
end })
]]

local function open_client(crew)
  local client = assert(require("mooncrew.client").open(crew.server:url()))
  crew:finally(function() client:close() end)
  return client
end

-- Ten processes enqueue the same table as unique; its keys stand in another order in each.
local SAME_TABLE = [[
local client = assert(require("mooncrew.client").open(arg[1]))
local payload, names = {}, {}
for i = 1, 40 do names[i] = "key" .. i end
for i = #names, 2, -1 do
  local j = math.random(i)
  names[i], names[j] = names[j], names[i]
end
for _, name in ipairs(names) do payload[name] = { n = 1700000000123456, list = {}, name = name } end
local info, _, code = client:enqueue("t", payload, { unique = "1h" })
print(info and "accepted" or code)
]]

describe("a task is enqueued", function()
  it("from the command line, with its options", with_crew(function(crew)
    crew:script("t.lua", T)
    local code, text = crew:command {
      "enqueue", "t", '{"a":1}', "--queue", "critical", "--max-retry", "10", "--retention", "1h", "--json",
    }
    assert.equal(0, code, text)
    local info = cjson.decode(text)
    assert.equal("critical", info.queue)
    assert.equal("pending", info.state)
    local queue = crew:queue "critical"
    assert.equal(10, queue:task(info.id).message.retry)
    crew:run { queues = { critical = 1 } }
    crew:wait_counts(queue, 20, { completed = 1 })
    assert.same({ "ran", info.id, "critical", "10", '{"a":1}' },
      { unpack(crew.notes:all("ran")[1]) })
  end))

  it("from Lua, with every option, as asynq would have written it", with_crew(function(crew)
    local client = open_client(crew)
    local info = assert(client:enqueue("t", { b = 1, a = {} }, {
      queue = "low", max_retry = 3, timeout = "90s", deadline = 4102444800, retention = "1h", task_id = "mine",
      headers = { trace = "abc" },
    }))
    assert.same({ id = "mine", queue = "low", type = "t", state = "pending" },
      { id = info.id, queue = info.queue, type = info.type, state = info.state })
    local task = crew:queue("low"):task "mine"
    assert.equal("pending", task.state)
    assert.equal(19, #task.pending_since)
    assert.same({
      type = "t", payload = '{"a":{},"b":1}', id = "mine", queue = "low", retry = 3, retried = 0, error_msg = "",
      timeout = 90, deadline = 4102444800, unique_key = "", last_failed_at = 0, retention = 3600, completed_at = 0,
      group_key = "", headers = { trace = "abc" },
    }, task.message)
    local _, _, code = client:enqueue("t", {}, { queue = "low", task_id = "mine" })
    assert.equal("TASK_ID_CONFLICT", code)
  end))

  it("with asynq's defaults where nothing is said", with_crew(function(crew)
    local client = open_client(crew)
    local info = assert(client:enqueue("t", { n = 1 }))
    local task = crew:queue():task(info.id).message
    assert.equal(25, task.retry)
    assert.equal(1800, task.timeout)
    assert.equal("default", task.queue)
    assert.matches("^%x+%-%x+%-4%x+%-%x+%-%x+$", task.id)
  end))

  it("by a handler, in three ways", with_crew(function(crew)
    crew:script("parent.lua", [[
      local child = crew.task("child", {
        queue = "low",
        payload = crew.schema.object { n = crew.schema.integer {} },
        perform = function(payload, task) note("child", payload.n, task.queue, task.id) end,
      })
      crew.task("parent", { perform = function(_, task)
        local first = assert(task:enqueue("child", { n = 1 }, { queue = "default" }))
        assert(crew.enqueue("child", { n = 2 }))
        assert(child:enqueue({ n = 3 }, { process_in = "1s" }))
        local refused, message, code = child:enqueue { n = "four" }
        note("refused", tostring(refused), code, message)
        return first.id
      end })
    ]])
    local queue, low = crew:queue(), crew:queue "low"
    queue:add { type = "parent", id = "parent", retention = 600 }
    local node = crew:run { queues = { default = 2, low = 1 } }
    crew:wait_until("three children have run", 20, function() return crew.notes:count "child" == 3 end)
    crew:wait_counts(low, 10, { processed = 2, active = 0 })
    local queues = {}
    for _, entry in ipairs(crew.notes:all "child") do
      queues[entry[2]] = entry[3]
    end
    assert.same({ ["1"] = "default", ["2"] = "low", ["3"] = "low" }, queues)
    local refused = crew.notes:all("refused")[1]
    assert.equal("nil", refused[2])
    assert.equal("INVALID_PAYLOAD", refused[3])
    assert.matches("payload%.n: expected integer, got string", refused[4])
    local ids = crew.notes:tally "child"
    assert.equal(1, ids["1"])
    local result = queue:task("parent").result
    assert.equal(1, #node:log { event = "enqueued task", task_id = result }, "the log names what was enqueued")
  end))

  it("many at once, with an honest answer for each", with_crew(function(crew)
    local client = open_client(crew)
    local results = client:enqueue_many {
      { "t", { n = 1 }, { task_id = "a" } },
      { "t", { n = 2 }, { task_id = "a" } },
      { "t", { n = 3 }, { unique = "1h" } },
      { "t", { n = 3 }, { unique = "1h" } },
    }
    assert.equal("a", results[1].id)
    assert.equal("TASK_ID_CONFLICT", results[2].code)
    assert.is_nil(results[3].code)
    assert.equal("DUPLICATE_TASK", results[4].code)
    assert.equal(2, crew:queue():counts().pending)
  end))

  it("of all kinds mixed take one script call per queue", with_crew(function(crew)
    local client = open_client(crew)
    assert(client:enqueue("t", { n = 0 })) -- connects, and brings the script
    crew.redis:call("CONFIG", "RESETSTAT")
    local tasks = {}
    for i = 1, 60 do
      local kinds = { {}, { unique = "1h" }, { group = "g" }, { process_in = "1h" } }
      local options = kinds[i % 4 + 1]
      options.queue = i % 3 == 0 and "low" or "default"
      tasks[i] = { "t", { n = i }, options }
    end
    for i, result in ipairs(client:enqueue_many(tasks)) do
      assert.is_nil(result.code, ("task %d: %s"):format(i, tostring(result.message)))
    end
    local stats = crew.redis:call("INFO", "commandstats")
    assert.equal("2", stats:match "cmdstat_evalsha:calls=(%d+)")
    assert.equal(20, crew:queue("low"):counts().pending + crew:queue("low"):counts().scheduled
      + crew.redis:call("ZCARD", crew:queue("low"):key "g:g"))
  end))
end)

describe("a unique task", function()
  it("is refused while one waits, and accepted again when that is done", with_crew(function(crew)
    crew:script("t.lua", T)
    local client, queue = open_client(crew), crew:queue()
    assert(client:enqueue("t", { n = 1 }, { unique = "1h" }))
    local info, message, code = client:enqueue("t", { n = 1 }, { unique = "1h" })
    assert.is_nil(info)
    assert.equal("DUPLICATE_TASK", code, message)
    assert(client:enqueue("t", { n = 2 }, { unique = "1h" }))
    crew:run()
    crew:wait_counts(queue, 20, { processed = 2, active = 0 })
    assert.same({}, crew.redis:call("KEYS", queue:key "unique:*"), "locks that are left")
    assert(client:enqueue("t", { n = 1 }, { unique = "1h" }))
  end))

  it("that ten processes enqueue at once is accepted once", with_crew(function(crew)
    local processes, answers = {}, {}
    for i = 1, 10 do
      processes[i] = crew:producer("unique" .. i, ("math.randomseed(%d)\n"):format(i) .. SAME_TABLE)
    end
    for _, process in ipairs(processes) do
      assert.equal(0, (process:wait(30)), process:text())
      local answer = process:text():match "%S+"
      answers[answer] = (answers[answer] or 0) + 1
    end
    assert.same({ accepted = 1, DUPLICATE_TASK = 9 }, answers)
    assert.equal(1, crew:queue():counts().pending)
  end))
end)

-- A loop over a table's keys, a C function behind its end, and another loop: of these LuaJIT 2.1.0-beta3 makes wrong
-- code unless mooncrew.traces forbids it. It took a program like this one to see it, in one run of two.
local MANY_TABLES = [[
  local crew, uv = require "mooncrew", require "luv"
  local client = assert(crew.client(arg[1]))
  local function now()
    local seconds, microseconds = uv.gettimeofday()
    return seconds + microseconds / 1e6
  end
  for n = 1, 8000 do
    local info, message = client:enqueue("t", { n = n, t = now() })
    if not info then print(n, message) end
  end
]]

describe("a payload", function()
  it("arrives as it was given, each of thousands", with_crew(function(crew)
    for run = 1, 5 do
      local producer = crew:producer("many" .. run, MANY_TABLES)
      assert.equal(0, (producer:wait(60)), producer:text())
      assert.equal("", producer:text())
    end
    local queue = crew:queue()
    local ids = queue:ids "pending"
    assert.equal(40000, #ids)
    for _, id in ipairs(ids) do
      assert.matches('{"n":%d+,"t":%d+', crew.redis:call("HGET", queue:key("t:" .. id), "msg"))
    end
  end))
end)
