-- The tests' own tools, checked without mooncrew: a tool that is wrong would make every promise look kept.
local Process = require "process"
local Redis = require "redis"
local Terminal = require "terminal"
local message = require "message"
local with_crew = require("support").with_crew
local wait = require "wait"

describe("the test tools:", function()
  it("a task message survives being written and read", function()
    local task = {
      type = "mail:send", payload = "a\0b\255", id = "id-1", queue = "low", retry = 25, retried = 3, error_msg = "é",
      timeout = 1800, deadline = 1700000000, unique_key = "k", last_failed_at = 1700000001, retention = 86400,
      completed_at = 1700000002, group_key = "g", headers = { trace = "1", empty = "" },
    }
    local copy = message.decode_task(message.encode_task(task))
    copy.headers.empty = copy.headers.empty == 0 and "" or copy.headers.empty
    assert.same(task, copy)
  end)

  it("a task message is what protoc makes of it", function()
    assert.equal("\n\1t\18\1p\26\1i\34\1q\40\25\64\136\14", message.encode_task {
      type = "t", payload = "p", id = "i", queue = "q", retry = 25, timeout = 1800,
    })
  end)

  it("a message that is cut off is refused", function()
    local whole = message.encode_task { type = "mail:send", id = "id-1" }
    assert.has_error(function() message.decode_task(whole:sub(1, -2)) end, "protobuf: bytes are cut off")
  end)

  it("the Redis client reads every kind of reply", with_crew(function(crew)
    assert.equal("OK", crew.redis:call("SET", "key", "a\r\nb\0c"))
    assert.equal("a\r\nb\0c", crew.redis:call("GET", "key"))
    assert.is_nil(crew.redis:call("GET", "none"))
    assert.equal(-5, crew.redis:call("DECRBY", "n", 5))
    assert.same({ "a\r\nb\0c", false, "-5" }, crew.redis:call("MGET", "key", "none", "n"))
    assert.same({ 1, { "x", {} } }, crew.redis:call("EVAL", "return {1, {'x', {}}}", 0))
    local ok, why = pcall(crew.redis.call, crew.redis, "HGET", "key", "f")
    assert.is_false(ok)
    assert.matches("WRONGTYPE", why)
  end))

  it("the Redis client connects again after a restart", with_crew(function(crew)
    crew.redis:call("SET", "key", "kept")
    crew.server:stop "sigterm"
    assert.is_false((pcall(crew.redis.call, crew.redis, "GET", "key")))
    crew.server:start()
    assert.equal("kept", crew.redis:call("GET", "key"))
  end, { redis = { "--appendonly", "yes" } }))

  it("tasks are written as asynq writes them", with_crew(function(crew)
    local queue = crew:queue "low"
    local id = queue:add { type = "t", payload = "{}" }
    local task = queue:task(id)
    assert.equal("pending", task.state)
    assert.equal("t", task.message.type)
    assert.equal(25, task.message.retry)
    assert.equal(19, #task.pending_since)
    assert.same({ "low" }, crew.redis:call("SMEMBERS", "asynq:queues"))
    assert.same({ [id] = { "pending" } }, queue:places())
    assert.equal(1, queue:counts().pending)
  end))

  it("the proxy passes bytes on, and cuts where it is told to", with_crew(function(crew)
    local proxy = crew:proxy()
    local client = Redis.new(proxy.path)
    assert.equal("OK", client:call("SET", "key", "the word"))
    proxy:cut_at "the word"
    assert.is_false((pcall(client.call, client, "GET", "key")))
    assert.equal(1, proxy.cuts)
    assert.equal("the word", client:call("GET", "key"))
    client:close()
  end))

  it("Ctrl-C in a terminal is an interrupt for what runs in its foreground", function()
    local terminal = Terminal.start("/bin/sh", {
      args = { "-c", "trap 'echo interrupted; exit 7' INT; echo ready; while :; do sleep 0.1; done" },
    })
    wait.wait_until("the shell is ready", 10, function() return terminal:text():find "ready" end)
    terminal:type "\3"
    assert.equal(7, (terminal.process:wait(10)))
    assert.matches("interrupted", terminal:text())
    terminal:close()
  end)

  it("children are found, and known when they have gone", function()
    local shell = Process.start("/bin/sh", { args = { "-c", "sleep 60 & wait" }, output = "/dev/null" })
    local children = wait.wait_until("the shell has a child", 10, function()
      local found = Process.children(shell.pid)
      return #found == 1 and Process.command_line(found[1]) == "sleep 60 " and found
    end)
    require("luv").kill(children[1], "sigkill")
    shell:wait(10)
    assert.is_false(Process.exists(children[1]))
  end)
end)
