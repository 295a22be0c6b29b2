-- What a task carries: payloads of every sort, and tasks that are no good.
local json_values = require "json_values"
local with_crew = require("support").with_crew

local USER = [[
local schema = crew.schema
crew.task("user", {
  payload = schema.object { user = schema.object { name = schema.string {}, age = schema.integer {} } },
  perform = function(payload) note("called", payload.user.name) return "ok" end,
})
]]

local ECHO = [[
crew.task("echo", { perform = function(payload) return { got = payload } end })
crew.task("raw", { payload = "raw", perform = function(payload) return payload end })
crew.task("none", { perform = function(payload) return type(payload) end })
crew.task("typed", {
  payload = crew.schema.object { n = crew.schema.int64() },
  perform = function(payload) return { got = payload.n } end,
})
]]

describe("a payload", function()
  it("that does not fit its schema is archived with path and reason, and no handler is called", with_crew(function(crew)
    crew:script("user.lua", USER)
    local queue = crew:queue()
    queue:add { type = "user", id = "bad", payload = '{"user":{"name":"ada","age":"old"}}' }
    queue:add { type = "user", id = "unknown", payload = '{"user":{"name":"ada","age":36},"more":1}' }
    queue:add { type = "user", id = "no-json", payload = '{"user":' }
    queue:add { type = "user", id = "good", payload = '{"user":{"name":"ada","age":36}}', retention = 600 }
    local node = crew:run()
    crew:wait_counts(queue, 20, { archived = 3, completed = 1, active = 0, lease = 0, retry = 0 })
    assert.equal(1, crew.notes:count "called", "handlers called")
    local bad = queue:task "bad"
    assert.equal("payload.user.age: expected integer, got string", bad.message.error_msg:match "payload%..*")
    assert.equal(0, bad.message.retried)
    assert.matches("payload%.more", queue:task("unknown").message.error_msg)
    assert.is_true(#queue:task("no-json").message.error_msg > 0)
    local entry = node:wait_log(5, { event = "task archived", task_id = "bad" })
    assert.matches("payload%.user%.age", entry.error)
  end))

  it("of any bytes reaches a raw handler untouched", with_crew(function(crew)
    crew:script("echo.lua", ECHO)
    local queue, bytes = crew:queue(), "\0\1\255{not json\r\n"
    local id = queue:add { type = "raw", payload = bytes, retention = 600 }
    crew:run()
    crew:wait_counts(queue, 20, { completed = 1 })
    assert.equal(bytes, queue:task(id).result)
  end))

  it("that is empty is nil to a handler without a schema", with_crew(function(crew)
    crew:script("echo.lua", ECHO)
    local queue = crew:queue()
    local id = queue:add { type = "none", retention = 600 }
    crew:run()
    crew:wait_counts(queue, 20, { completed = 1 })
    assert.equal("nil", queue:task(id).result)
  end))

  it("of a megabyte comes through whole", with_crew(function(crew)
    crew:script("echo.lua", ECHO)
    local queue, bytes = crew:queue(), ("\0abc"):rep(2 ^ 18)
    local id = queue:add { type = "raw", payload = bytes, retention = 600 }
    crew:run()
    crew:wait_counts(queue, 20, { completed = 1 })
    assert.is_true(bytes == queue:task(id).result, "the result is the payload")
  end))

  it("of JSON keeps its numbers, arrays and objects, or is refused: the whole table", with_crew(function(crew)
    crew:script("echo.lua", ECHO)
    local queue = crew:queue()
    for i, case in ipairs(json_values) do
      queue:add { id = "case-" .. i, type = case.type, payload = case.payload, retention = 600 }
    end
    crew:run()
    crew:wait_until("all are done or archived", 30, function()
      local counts = queue:counts()
      return counts.completed + counts.archived == #json_values, counts.completed + counts.archived
    end)
    for i, case in ipairs(json_values) do
      local task = queue:task("case-" .. i)
      if case.result then
        assert.equal("completed", task.state, ("%s: %s"):format(case.name, task.message.error_msg))
        assert.equal(case.result, task.result, case.name)
      else
        assert.equal("archived", task.state, case.name)
        assert.matches(case.refusal, task.message.error_msg, case.name)
        assert.equal(0, task.message.retried, case.name)
      end
    end
  end))
end)

describe("a task that", function()
  it("nobody handles fails, says so, and is tried again", with_crew(function(crew)
    crew:script("echo.lua", ECHO)
    local queue = crew:queue()
    queue:add { type = "no:such", id = "lonely" }
    crew:run()
    crew:wait_counts(queue, 20, { retry = 1, active = 0, lease = 0 })
    local task = queue:task "lonely"
    assert.equal('handler not found for task "no:such"', task.message.error_msg)
    assert.equal(1, task.message.retried)
  end))

  it("cannot be decoded is archived with the reason beside it, its bytes untouched", with_crew(function(crew)
    crew:script("echo.lua", ECHO)
    local queue = crew:queue()
    local cases = {
      garbage = "\255\255\255 garbage", empty = "", ["cut-off"] = "\n\5ab", ["bad-text"] = "\n\1\255\26\1x",
    }
    for id, bytes in pairs(cases) do
      queue:add { id = id, msg = bytes }
    end
    queue:add { id = "good", type = "none", retention = 600 }
    local node = crew:run()
    crew:wait_counts(queue, 20, { archived = 4, completed = 1, active = 0, lease = 0, pending = 0 })
    for id, bytes in pairs(cases) do
      local hash = crew.redis:hash("HGETALL", queue:key("t:" .. id))
      assert.equal("archived", hash.state, id)
      assert.is_true(#(hash.mc_error or "") > 0, id .. " has a reason")
      assert.equal(bytes, hash.msg, id)
      node:wait_log(5, { event = "task archived", task_id = id })
    end
  end))

  it("is an id without a hash is dropped, and named in the log", with_crew(function(crew)
    crew:script("echo.lua", ECHO)
    local queue = crew:queue()
    crew.redis:call("LPUSH", queue:key "pending", "ghost")
    queue:add { id = "real", type = "none", retention = 600 }
    local node = crew:run()
    crew:wait_counts(queue, 20, { completed = 1, pending = 0, active = 0, lease = 0 })
    local entry = node:wait_log(5, { event = "task without data dropped", task_id = "ghost" })
    assert.equal("warn", entry.level)
    assert.equal(0, crew.redis:call("EXISTS", queue:key "t:ghost"), "no hash was made for it")
  end))
end)
