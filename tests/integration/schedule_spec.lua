-- Tasks for later: never early, and on time.
local message = require "message"
local uv = require "luv"
local wait = require "wait"
local with_crew = require("support").with_crew

local T = [[ crew.task("t", { perform = function(_, task) note("ran", task.id) end }) ]]

-- Puts a task into `scheduled` or `retry` as asynq does.
local function add_later(queue, set, id, at_s, fields)
  local task = queue:prepare { type = "t", id = id, retried = fields and fields.retried }
  queue.redis:call("SADD", "asynq:queues", queue.name)
  queue.redis:call("HSET", queue:key("t:" .. id), "msg", message.encode_task(task), "state", set)
  queue.redis:call("ZADD", queue:key(set), at_s, id)
end

local function wall_ms()
  local seconds, micros = uv.gettimeofday()
  return seconds * 1000 + micros / 1000
end

describe("a task for later", function()
  it("runs at its second, never before, whether scheduled or to be tried again", with_crew(function(crew)
    crew:script("t.lua", T)
    local queue = crew:queue()
    local node = crew:run()
    node:wait_log(20, { event = "worker ready" })
    local base, due = os.time(), {}
    for i = 1, 4 do
      due["s" .. i], due["r" .. i] = base + i, base + i
      add_later(queue, "scheduled", "s" .. i, base + i)
      add_later(queue, "retry", "r" .. i, base + i, { retried = 1 })
    end
    crew:wait_counts(queue, 30, { processed = 8, scheduled = 0, retry = 0, pending = 0, active = 0 })
    for _, entry in ipairs(crew.notes:all "ran") do
      local late_ms = entry.wall_ms - due[entry[2]] * 1000
      assert.is_true(late_ms >= 0, ("%s ran %.0f ms early"):format(entry[2], -late_ms))
      assert.is_true(late_ms < 1500 * wait.patience, ("%s ran %.0f ms late"):format(entry[2], late_ms))
    end
    assert.is_true(node.process:alive())
  end))

  it("enqueued with process_in waits for all of that time", with_crew(function(crew)
    crew:script("t.lua", T)
    local queue = crew:queue()
    crew:run()
    local client = assert(require("mooncrew.client").open(crew.server:url()))
    local asked_ms = wall_ms()
    local info = assert(client:enqueue("t", nil, { process_in = "1500ms" }))
    client:close()
    assert.equal("scheduled", info.state)
    assert.is_true(info.process_at * 1000 >= asked_ms + 1500, "rounded up to a whole second")
    crew:wait_counts(queue, 20, { processed = 1 })
    local ran = crew.notes:all("ran")[1]
    assert.is_true(ran.wall_ms >= info.process_at * 1000, "not before the second that was promised")
  end))

  it("is not lost in a crowd: 500 due at once all run", with_crew(function(crew)
    crew:script("t.lua", T)
    local queue = crew:queue()
    local commands, at = { { "SADD", "asynq:queues", "default" } }, os.time() + 1
    for i = 1, 500 do
      local task = queue:prepare { type = "t", id = "x" .. i }
      commands[#commands + 1] = { "HSET", queue:key("t:" .. task.id), "msg", message.encode_task(task),
        "state", "scheduled" }
      commands[#commands + 1] = { "ZADD", queue:key "scheduled", at, "x" .. i }
    end
    crew.redis:pipeline(commands)
    crew:run()
    crew:wait_counts(queue, 30, { processed = 500, scheduled = 0, pending = 0, active = 0, lease = 0 })
    local _, different = crew.notes:tally "ran"
    assert.equal(500, different)
    assert.equal(500, crew.notes:count "ran")
  end))
end)
