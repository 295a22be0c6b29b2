-- mooncrew server, on a client that answers as the spec says.

package.path = "./spec/lua/cli/?.lua;" .. package.path

local console = require "console"

describe("mooncrew server", function()
  local it_is

  before_each(function() it_is = console.open() end)
  after_each(function() it_is:close() end)

  it("ls lists servers, and their tasks when asked to", function()
    it_is.answers.servers = { { { id = "h:1:u", host = "h", pid = 1, status = "active", started_at = 1,
      concurrency = 10, active_workers = 1, strict = true, queues = { low = 1, high = 6, mid = 3 },
      workers = { { task_id = "t1", type = "report", queue = "low", payload = "{}", started_at = 1896091200 } } } } }
    local code, text, _ = it_is:run("server", "ls")
    assert.equal(0, code)
    assert.matches("\nh +1 +active +%w+ ago +1 of 10 +%- +high=6 mid=3 low=1 %(strict%) +h:1:u\n$", text)
    _, text = it_is:run("server", "ls", "--tasks")
    assert.matches("\n\nSERVER +TASK +TYPE +QUEUE +STARTED +DEADLINE\nh:1 +t1 +report +low +in %w+ +%-\n$", text)
    _, text = it_is:run("server", "ls", "--json")
    assert.equal('{"servers":[{"active_workers":1,"concurrency":10,"host":"h","id":"h:1:u","pid":1,"queues":{"high":6,'
      .. '"low":1,"mid":3},"started_at":"1970-01-01T00:00:01Z","status":"active","strict":true,'
      .. '"workers":[{"payload":{},"queue":"low","started_at":"2030-01-31T12:00:00Z","task_id":"t1",'
      .. '"type":"report"}]}]}\n', text)
  end)

  it("ls counts the tasks of a server by its pools, told at another moment than asynq's own number", function()
    it_is.answers.servers = { { { id = "h:1:u", host = "h", pid = 1, status = "active", started_at = 1,
      concurrency = 11, active_workers = 7, queues = { low = 1 }, patterns = "shop:*,tenant:*", workers = {},
      generation = 1, pools = { { name = "a", workers = 1, serving = 1, concurrency = 10, busy = 2 },
        { name = "b", workers = 1, serving = 1, concurrency = 1, busy = 1 } } } } }
    local _, text = it_is:run("server", "ls")
    assert.matches(" 3 of 11 +1, not loaded +low=1 shop:%* tenant:%* +h:1:u\n", text)
    assert.falsy(text:find "7 of")
  end)

  it("ls shows generation and pools of our own, and what is not as it should be", function()
    it_is.answers.servers = { { { id = "h:1:u", host = "h", pid = 1, status = "active", started_at = 1,
      concurrency = 502, active_workers = 3, strict = false, queues = { low = 1 }, workers = {}, generation = 4,
      loaded_at = 2, draining = 1, reloads_asked = 3, reloads_answered = 3, reload_error = "a.lua:3: broken",
      refused_at = 3, pools = { { name = "io", workers = 1, serving = 1, concurrency = 500, busy = 2 },
        { name = "cpu", workers = 2, serving = 1, concurrency = 1, busy = 1 } } } } }
    local _, text = it_is:run("server", "ls")
    assert.matches("3 of 502 +4, %w+ ago +low=1 +h:1:u\n", text)
    assert.matches("\n\nSERVER +POOL +WORKERS +CONCURRENCY +TASKS\nh:1 +cpu +1 of 2 +1 +1 of 2\n"
      .. "h:1 +io +1 of 1 +500 +2 of 500\n", text)
    assert.matches("\nh:1: 1 worker of the generation before finishes what it runs\n", text)
    assert.matches("\nh:1: the scripts were refused %w+ ago: a.lua:3: broken\n$", text)
    _, text = it_is:run("server", "ls", "--json")
    assert.matches('"generation":4,.*"loaded_at":"1970%-01%-01T00:00:02Z"', text)
    assert.matches('"pools":%[{"busy":1,"concurrency":1,"name":"cpu","serving":1,"workers":2},', text)
  end)
end)
