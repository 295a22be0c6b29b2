-- Limits of a queue: how many tasks at a time, how many per second, over all nodes, changed while they run.
local wait = require "wait"
local with_crew = require("support").with_crew

local T = [[
  crew.task("t", { perform = function(_, task)
    note("begins", task.queue, task.id)
    crew.sleep(0.02)
    note("ends", task.queue, task.id)
  end })
]]

-- The most tasks that were at work at the same time, from entry `from` of the notes on.
local function most_at_once(crew, from)
  local events, now, most = crew.notes:all(), 0, 0
  table.sort(events, function(a, b)
    if a.at_ms ~= b.at_ms then return a.at_ms < b.at_ms end
    return a[1] > b[1] -- "ends" before "begins"
  end)
  for i, event in ipairs(events) do
    now = now + (event[1] == "begins" and 1 or -1)
    if i >= (from or 1) then most = math.max(most, now) end
  end
  return most
end

local function limit(crew, ...)
  local code, output = crew:command { "queue", "limit", ... }
  assert.equal(0, code, output)
  return output
end

local function one(i) return { type = "t", id = "t" .. i } end

local function pids(crew)
  local found, count = {}, 0
  for _, entry in ipairs(crew.notes:all "begins") do
    count = count + (found[entry.pid] and 0 or 1)
    found[entry.pid] = true
  end
  return count
end

describe("a limit of", function()
  -- A node has room for two: the third slot is the other one's.
  it("concurrency = 3 holds over two nodes, and both work", with_crew(function(crew)
    crew:script("t.lua", T)
    local queue = crew:queue()
    limit(crew, "default", "--concurrency", "3")
    local room = { workers = 1, concurrency = 2, prefetch = 0 }
    for _, node in ipairs { crew:run(room), crew:run(room) } do node:wait_log(20, { event = "worker ready" }) end
    queue:add_many(200, one)
    crew:wait_counts(queue, 30, { processed = 200, active = 0, lease = 0 })
    assert.equal(3, most_at_once(crew))
    assert.equal(200, crew.notes:count "ends")
    assert.equal(2, pids(crew))
  end))

  it("concurrency counts what other servers have, and a slot that they free is taken at once", with_crew(function(crew)
    crew:script("t.lua", T)
    local queue = crew:queue()
    limit(crew, "default", "--concurrency", "2")
    crew.redis:call("ZADD", queue:key "lease", os.time() + 60, "of-a-go-server", os.time() + 60, "and-another")
    crew:run()
    queue:add(one(1))
    -- Past the first slow check of the node, which comes a second after its start; the next is five seconds later.
    wait.hold("the task waits", 2, function() return queue:counts().pending == 1 end)
    local freed_ms = wait.now_ms()
    crew.redis:call("ZREM", queue:key "lease", "of-a-go-server")
    crew:wait_counts(queue, 10, { processed = 1 })
    local took_ms = crew.notes:all("begins")[1].at_ms - freed_ms
    assert.is_true(took_ms < 100 * wait.patience, ("it took %.1f ms"):format(took_ms))
  end))

  -- The first node fetches no more, so the slot that it frees is the second one's.
  it("concurrency = 1 passes the slot to the other node at once", with_crew(function(crew)
    crew:script("t.lua", T .. [[
      crew.task("long", { perform = function()
        note "holds"
        crew.sleep(2)
        note "frees"
      end })
    ]])
    local queue = crew:queue()
    limit(crew, "default", "--concurrency", "1")
    local first = crew:run()
    queue:add { type = "long", id = "long" }
    crew:wait_until("the slot is held", 10, function() return crew.notes:count "holds" == 1 end)
    first:send "sigtstp"
    crew:run():wait_log(10, { event = "worker ready" })
    queue:add(one(1))
    crew:wait_counts(queue, 20, { processed = 2, active = 0, lease = 0 })
    local freed, begins = crew.notes:all("frees")[1], crew.notes:all("begins")[1]
    assert.is_true(freed.pid ~= begins.pid)
    local took_ms = begins.at_ms - freed.at_ms
    assert.is_true(took_ms >= 0 and took_ms < 100 * wait.patience, ("it took %.1f ms"):format(took_ms))
  end))

  it("rate = 10/s lets 100 tasks take 9 to 11 s, over two nodes", with_crew(function(crew)
    crew:script("t.lua", T)
    local queue = crew:queue()
    limit(crew, "default", "--rate", "10/s")
    queue:add_many(100, one)
    crew:run()
    crew:run()
    crew:wait_counts(queue, 30, { processed = 100 })
    local begun = crew.notes:all "begins"
    local took_ms = begun[100].at_ms - begun[1].at_ms
    assert.is_true(took_ms >= 9000 and took_ms <= 11000, ("it took %.0f ms"):format(took_ms))
    local first = 1
    for i = 1, 100 do -- in no second more than 10 and the one that the bucket holds
      while begun[i].at_ms - begun[first].at_ms > 1000 do first = first + 1 end
      assert.is_true(i - first + 1 <= 12, ("%d within a second"):format(i - first + 1))
    end
  end))

  it("either kind is changed from the command line while nodes run", with_crew(function(crew)
    crew:script("t.lua", T)
    local queue = crew:queue()
    assert.matches("default +1 +%-", limit(crew, "default", "--concurrency", "1"))
    queue:add_many(60, one)
    crew:run()
    crew:run()
    crew:wait_until("20 have run", 20, function() return crew.notes:count "ends" >= 20 end)
    assert.equal(1, most_at_once(crew))
    limit(crew, "default", "--concurrency", "5")
    crew:wait_counts(queue, 20, { processed = 60 })
    assert.equal(5, most_at_once(crew))

    assert.matches("default +%- +1/h", limit(crew, "default", "--concurrency", "none", "--rate", "1/h"))
    queue:add_many(20, function(i) return one(100 + i) end)
    crew:wait_counts(queue, 20, { processed = 61 })
    wait.hold("the others wait", 1, function() return queue:counts().pending == 19 end)
    local lifted_ms = wait.now_ms()
    assert.matches("default +%- +%-", limit(crew, "default", "--rate", "none"))
    crew:wait_counts(queue, 10, { processed = 80 })
    local begun = crew.notes:all "begins"
    assert.is_true(begun[80].at_ms - lifted_ms < 2000 * wait.patience, "they went at once")
    assert.equal(0, crew.redis:call("EXISTS", queue:key "mc_limits"))
  end))

  it("a queue that is paused meanwhile goes on when both allow it", with_crew(function(crew)
    crew:script("t.lua", T)
    local queue = crew:queue()
    limit(crew, "default", "--concurrency", "1")
    crew.redis:call("ZADD", queue:key "lease", os.time() + 60, "elsewhere")
    crew:run()
    queue:add(one(1))
    wait.hold("the task waits for a slot", 0.5, function() return queue:counts().pending == 1 end)
    crew.redis:call("SET", queue:key "paused", os.time())
    crew.redis:call("ZREM", queue:key "lease", "elsewhere")
    wait.hold("the task waits for the end of the pause", 0.5, function() return queue:counts().pending == 1 end)
    local resumed_ms = wait.now_ms()
    crew.redis:call("DEL", queue:key "paused")
    crew:wait_counts(queue, 10, { processed = 1 })
    local took_ms = crew.notes:all("begins")[1].at_ms - resumed_ms
    assert.is_true(took_ms < 100 * wait.patience, ("it took %.1f ms"):format(took_ms))
  end))

  it("a limited queue keeps no other one waiting, with weights and in strict order", with_crew(function(crew)
    crew:script("t.lua", T)
    local slow, fast = crew:queue "slow", crew:queue "fast"
    limit(crew, "slow", "--rate", "1/m")
    slow:add_many(5, one)
    fast:add_many(50, one)
    for _, strict in ipairs { false, true } do
      local node = crew:run { queues = { slow = 9, fast = 1 }, strict = strict }
      crew:wait_counts(fast, 10, { pending = 0, active = 0 })
      node:send "sigterm"
      assert.equal(0, (node:wait(20)))
      fast:add_many(50, one)
    end
    assert.equal(1, slow:counts().processed)
  end))

  it("a limit that is no number is said in the log, and the queue waits until it is mended", with_crew(function(crew)
    crew:script("t.lua", T)
    local queue = crew:queue()
    crew.redis:call("HSET", queue:key "mc_limits", "concurrency", "three")
    queue:add(one(1))
    local node = crew:run()
    local entry = node:wait_log(20, { event = "redis refuses", operation = "dequeue" })
    assert.matches("concurrency must be a whole number, not 'three'", entry.detail)
    crew.redis:call("HSET", queue:key "mc_limits", "concurrency", "3")
    crew:wait_counts(queue, 20, { processed = 1 })
    node:wait_log(5, { event = "redis grants again" })
  end))
end)
