-- Cron: each tick once, however many nodes have the entry and whatever happens to them.
local ticks = require "cron_ticks"
local wait = require "wait"
local with_crew = require("support").with_crew

local DEBUG = { flags = { "--log-level", "debug" } }

local function wait_ticks(crew, nodes, seconds, wanted)
  crew:wait_until(("%d ticks were enqueued"):format(wanted), seconds, function()
    local _, first, last = ticks.enqueued(nodes)
    return last - first + 1 >= wanted, last - first + 1
  end)
end

local function stop(nodes)
  for _, node in ipairs(nodes) do
    node:send "sigterm"
  end
  for _, node in ipairs(nodes) do
    assert.equal(0, (node:wait(20)))
  end
end

local function time_ms()
  local seconds, micros = require("luv").gettimeofday()
  return seconds * 1000 + micros / 1000
end

-- One key of the one entry that a test has.
local function only_key(crew, pattern)
  local keys = crew.redis:call("KEYS", pattern)
  assert.equal(1, #keys, pattern)
  return keys[1]
end

describe("cron", function()
  it("on two nodes enqueues each tick of an entry exactly once, over a minute", with_crew(function(crew)
    crew:script("t.lua", ticks.script "1s")
    local nodes = { crew:run({}, DEBUG), crew:run({}, DEBUG) }
    local started_ms = time_ms()
    wait_ticks(crew, nodes, 90, 60)
    crew:wait_until("both nodes have tried 50 ticks", 60, function()
      return ticks.taken(nodes[1]) + ticks.taken(nodes[2]) > 50
    end)
    stop(nodes)
    local first, last, count = ticks.assert_each_once(crew, nodes, 1)
    assert.is_true(count >= 60, count)
    assert.is_true(first * 1000 >= started_ms - 1000 and last * 1000 <= time_ms(), "ticks are of these seconds")
  end))

  it("enqueues a tick in its second", with_crew(function(crew)
    crew:script("t.lua", ticks.script "1s")
    local node = crew:run()
    wait_ticks(crew, { node }, 20, 7)
    crew:wait_until("they have run", 10, function() return crew.notes:count "ran" >= 7 end)
    local into_the_second = {}
    for i, ran in ipairs(crew.notes:all "ran") do into_the_second[i] = ran.wall_ms % 1000 end
    assert.is_true(wait.median(into_the_second) < 500 * wait.patience,
      "ms after their ticks: " .. table.concat(into_the_second, " "))
  end))

  it("goes on with the other node while one is stopped, whose ticks are then taken and its tasks done long ago",
    with_crew(function(crew)
      crew:script("t.lua", ticks.script "1s")
      local nodes = { crew:run({}, DEBUG), crew:run({}, DEBUG) }
      wait_ticks(crew, nodes, 30, 3)
      local taken = ticks.taken(nodes[1])
      nodes[1]:send "sigstop"
      local _, _, from = ticks.enqueued(nodes)
      crew:wait_until("the other node has enqueued for 8 s", 30, function()
        local _, _, last = ticks.enqueued(nodes)
        return last >= from + 8
      end)
      nodes[1]:send "sigcont"
      crew:wait_until("the stopped node has tried the ticks it slept through", 20, function()
        return ticks.taken(nodes[1]) >= taken + 7, ticks.taken(nodes[1]) - taken
      end)
      stop(nodes)
      ticks.assert_each_once(crew, nodes, 1)
    end))

  it("loses no tick when the only node is stopped for some seconds, or killed and started again",
    with_crew(function(crew)
      crew:script("t.lua", ticks.script "1s")
      local first = crew:run()
      wait_ticks(crew, { first }, 30, 2)
      first:send "sigstop"
      wait.hold("the node is stopped", 4, function() return first.process:alive() end)
      first:send "sigcont"
      wait_ticks(crew, { first }, 30, 8)
      first:send "sigkill"
      first:wait(10)
      wait.hold("nobody is there", 3, function() return not first.process:alive() end)
      local second = crew:run()
      wait_ticks(crew, { first, second }, 30, 14)
      stop { second }
      ticks.assert_each_once(crew, { first, second }, 1)
    end))

  it("loses no tick, and enqueues none twice, when replies are lost", with_crew(function(crew)
    crew:script("t.lua", ticks.script "1s")
    local proxy = crew:proxy()
    local node = crew:run { redis = proxy:url() }
    wait_ticks(crew, { node }, 30, 2)
    for cuts = 1, 4 do
      local _, _, last = ticks.enqueued { node }
      proxy:cut_at "*2\r\n:1\r\n$36\r\n" -- the answer to a tick
      crew:wait_until("the connection was cut at a tick", 20, function() return proxy.cuts == cuts end)
      crew:wait_until("ticks go on", 20, function()
        local _, _, now = ticks.enqueued { node }
        return now > last + 1
      end)
    end
    stop { node }
    ticks.assert_each_once(crew, { node }, 1)
  end))

  it("lists its entries for other tools while the node lives, and keeps the history", with_crew(function(crew)
    crew:script("t.lua", ticks.script("1s", [[id = "every-second", retention = "1h"]]))
    local node = crew:run()
    wait_ticks(crew, { node }, 30, 3)
    local key = only_key(crew, "asynq:schedulers:*")
    assert.same({ key }, crew.redis:call("ZRANGE", "asynq:schedulers", 0, -1))
    assert.is_true(crew.redis:call("TTL", key) <= 20)
    local entry = crew.redis:call("LRANGE", key, 0, -1)[1]
    for _, text in ipairs { "every-second", "@every 1s", "tick", "Retention(1h0m0s)" } do
      assert.is_truthy(entry:find(text, 1, true), text)
    end
    stop { node }
    assert.same({}, crew.redis:call("KEYS", "asynq:schedulers*"))
    local _, _, count = ticks.assert_each_once(crew, { node }, 1)
    assert.equal(count, crew.redis:call("ZCARD", "asynq:scheduler_history:every-second"))
  end))

  it("forgets ticks that were missed for long, but for the last one where that is asked for", with_crew(function(crew)
    local tick = math.floor(os.time() / 60 - 60) * 60 -- an hour ago, whatever minute it is when the scripts are loaded
    crew:script("t.lua", ([[
      crew.task("t", { perform = function(_, task) note("ran", task.queue) end })
      local spec = %q
      crew.cron(spec, "t", nil, { id = "skipping", queue = "skip" })
      crew.cron(spec, "t", nil, { id = "latest", queue = "latest", missed = "latest" })
      crew.cron(spec, "t", nil, { id = "fresh", queue = "fresh", missed = "latest" })
    ]]):format(os.date("!%M %H * * *", tick)))
    local days_ago = os.time() - 10 * 86400
    crew.redis:call("HSET", "asynq:{skip}:mc_cron:skipping", "newest", days_ago)
    crew.redis:call("HSET", "asynq:{latest}:mc_cron:latest", "newest", days_ago)
    local config = { queues = { skip = 1, latest = 1, fresh = 1 } }
    local node = crew:run(config)
    node:wait_log(20, { event = "missed cron ticks", entry = "skipping" })
    local caught_up = node:wait_log(20, { event = "enqueued cron tick", entry = "latest" })
    assert.equal(tick, caught_up.tick)
    crew:wait_until("it has run", 20, function() return crew.notes:count "ran" == 1 end)
    stop { node }
    node = crew:run(config) -- what was caught up is not missed again
    node:wait_log(20, { event = "worker ready" })
    crew:wait_until("the records are open", 20, function()
      return crew.redis:call("HGET", "asynq:{skip}:mc_cron:skipping", "newest") == tostring(days_ago)
        and #node:log { event = "missed cron ticks", entry = "skipping" } == 1
    end)
    stop { node }
    assert.equal(1, crew.notes:count "ran")
    assert.equal("latest", crew.notes:all("ran")[1][2])
  end))

  it("refuses an entry that cannot be right, with file and line", with_crew(function(crew)
    for line, wanted in pairs {
      [ [[crew.cron("61 * * * *", "t")]] ] = "minute '61'",
      [ [[crew.cron("@daily", "t", nil, { timezone = "Mars/Olympus" })]] ] = "Mars/Olympus",
      [ [[crew.cron("@daily", "t", { n = "many" })]] ] = "payload%.n: expected integer",
      [ [[crew.cron("@daily", "t", { n = 1 }, { queue = "a\255" })]] ] = "queue: .*is no queue name: it is UTF%-8",
      [ [[crew.cron("@daily", "t", { n = 1 }, { group = "a\255" })]] ] = "group is not UTF%-8",
    } do
      crew:script("t.lua", line .. [[
crew.task("t", { payload = crew.schema.object { n = crew.schema.integer {} }, perform = function() end })]])
      local node = crew:run()
      assert.is_true((node:wait(20)) ~= 0)
      assert.matches("t%.lua:2:", node:text())
      assert.matches(wanted, node:text())
    end
  end))
end)
