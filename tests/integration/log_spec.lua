-- What the log says of a task's life, and what it never says.
local Process = require "process"
local with_crew = require("support").with_crew

local SCRIPT = [[
crew.task("good", { perform = function(_, task)
  task.log:info("a word of its own", { answer = 42 })
  crew.sleep(0.05)
end })
crew.task("bad", { perform = function() error("it broke") end })
]]

describe("the log", function()
  it("tells each task's life in lines of JSON", with_crew(function(crew)
    crew:script("t.lua", SCRIPT)
    local queue = crew:queue()
    queue:add { type = "good", id = "good-1" }
    queue:add { type = "bad", id = "bad-1", retry = 25 }
    queue:add { type = "bad", id = "bad-2", retry = 0 }
    local node = crew:run()
    crew:wait_counts(queue, 20, { processed = 3, retry = 1, archived = 1 })

    local done = node:wait_log(5, { event = "processed task", task_id = "good-1" })
    assert.equal("info", done.level)
    assert.equal("good", done.type)
    assert.equal("default", done.queue)
    assert.equal(0, done.retried)
    assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ$", done.time)
    assert.is_true(done.duration_ms >= 49 and done.duration_ms < 5000, tostring(done.duration_ms))
    assert.is_number(done.worker)

    local failed = node:wait_log(5, { event = "task failed", task_id = "bad-1" })
    assert.matches("it broke", failed.error)
    assert.matches("t%.lua", failed.trace)
    assert.equal("bad", failed.type)
    local archived = node:wait_log(5, { event = "task archived", task_id = "bad-2" })
    assert.matches("it broke", archived.error)

    local own = node:wait_log(5, { event = "a word of its own" })
    assert.equal("good-1", own.task_id)
    assert.equal(42, own.answer)
    for _, entry in ipairs(node:log()) do
      assert.is_nil(entry.raw, "every line is JSON")
    end
  end))

  it("tells how far a task has come, and does not repeat it all the time", with_crew(function(crew)
    crew:script("t.lua", [[
      crew.task("long", { perform = function(_, task)
        for i = 1, 1000 do
          task:progress(i / 1000, i .. " of 1000")
        end
      end })
    ]])
    local queue = crew:queue()
    queue:add { type = "long", id = "long-1" }
    local node = crew:run()
    crew:wait_counts(queue, 20, { processed = 1 })
    node:wait_log(5, { event = "processed task", task_id = "long-1" })
    local told = {}
    for _, entry in ipairs(node:log()) do
      told[#told + 1] = entry.event == "progress" and entry.task_id == "long-1" and entry or nil
    end
    assert.same({ 0.001, "1 of 1000" }, { told[1].fraction, told[1].detail })
    assert.same({ 1, "1000 of 1000" }, { told[#told].fraction, told[#told].detail })
    assert(#told < 100, #told)
  end))

  it("is readable text unless told otherwise", with_crew(function(crew)
    crew:script("t.lua", SCRIPT)
    local queue = crew:queue()
    queue:add { type = "good", id = "good-1" }
    local node = crew:run({}, { flags = { "--log-format", "text" } })
    crew:wait_counts(queue, 20, { processed = 1 })
    crew:wait_until("the task is in the log", 5, function()
      return node:text():find "info processed task .*task_id=good%-1"
    end)
  end))
end)

describe("a password", function()
  local SECRET = "s3cret-hunter2"

  -- Every process of a node, by its id.
  local function family(node)
    local pids = node:workers()
    table.insert(pids, node.pid)
    return pids
  end

  it("is in no log, no process list and no worker's environment", with_crew(function(crew)
    crew:script("t.lua", [[
      crew.task("t", { perform = function()
        note("env", tostring(os.getenv "MOONCREW_REDIS"))
      end })
    ]])
    crew.redis:call("ACL", "SETUSER", "crew", "on", ">" .. SECRET, "~*", "&*", "+@all")
    local url = ("redis+unix://crew:%s@%s"):format(SECRET, crew.server.socket)
    local queue = crew:queue()
    local node = crew:run({ redis = false, log_level = "debug", workers = 2 }, { env = { MOONCREW_REDIS = url } })
    queue:add { type = "t" }
    crew:wait_counts(queue, 20, { processed = 1 })
    assert.equal("nil", crew.notes:all("env")[1][2])
    for _, pid in ipairs(family(node)) do
      assert.is_nil(Process.command_line(pid):find(SECRET, 1, true), "process list")
    end
    for _, pid in ipairs(node:workers()) do
      assert.is_nil(Process.environment_of(pid):find(SECRET, 1, true), "environment of a worker")
    end
    crew.redis:call("CLIENT", "KILL", "USER", "crew")
    queue:add { type = "t" }
    crew:wait_counts(queue, 20, { processed = 2 })
    node:send "sigterm"
    assert.equal(0, (node:wait(10)))
    assert.is_nil(node:text():find(SECRET, 1, true), "log")
  end))

  it("that was given as a flag has left the process list once the node works", with_crew(function(crew)
    crew:script("t.lua", [[ crew.task("t", { perform = function() note "ran" end }) ]])
    crew.redis:call("ACL", "SETUSER", "crew", "on", ">" .. SECRET, "~*", "&*", "+@all")
    local url = ("redis+unix://crew:%s@%s"):format(SECRET, crew.server.socket)
    local node = crew:run({ redis = false }, { flags = { "--redis", url } })
    crew:queue():add { type = "t" }
    crew:wait_until("the task has run", 20, function() return crew.notes:count "ran" == 1 end)
    for _, pid in ipairs(family(node)) do
      assert.is_nil(Process.command_line(pid):find(SECRET, 1, true), Process.command_line(pid))
    end
  end))

  it("that is wrong is not repeated in the error", with_crew(function(crew)
    crew:script("t.lua", [[ crew.task("t", { perform = function() end }) ]])
    crew.redis:call("ACL", "SETUSER", "crew", "on", ">right", "~*", "&*", "+@all")
    local node = crew:run { redis = ("redis+unix://crew:%s@%s"):format(SECRET, crew.server.socket) }
    crew:wait_until("the log says that Redis refused", 20, function() return node:text():find "WRONGPASS" end)
    assert.is_nil(node:text():find(SECRET, 1, true))
  end))
end)
