-- Pools: workers with queues, slots and limits of their own.
local uv = require "luv"
local wait = require "wait"
local with_crew = require("support").with_crew

-- `block` keeps its whole process busy while the file "hold" is there; `quick` does not wait for anything.
local SCRIPT = [[
crew.task("quick", { perform = function(_, task) note("quick", task.id) end })
crew.task("block", { perform = function(_, task)
  note("begin", task.queue, task.id)
  while io.open(here .. "/hold") do os.execute "sleep 0.02" end
  note("end", task.queue, task.id)
end })
crew.task("pause", { perform = function(_, task)
  crew.sleep(0.02)
  note("end", task.queue, task.id)
end })
]]

local POOLS = { io = { workers = 1, concurrency = 500, queues = { default = 1 } },
  cpu = { workers = 2, concurrency = 1, queues = { heavy = 1 } } }

local function add(queue, type, count)
  queue:add_many(count, function() return { type = type } end)
end

-- The most tasks of a queue between begin and end at a time, in all and in one process.
local function most_at_a_time(crew, name)
  local now, most, by_pid, most_of_pid = 0, 0, {}, 0
  for _, entry in ipairs(crew.notes:all()) do
    local step = entry[2] == name and ({ begin = 1, ["end"] = -1 })[entry[1]] or 0
    now, by_pid[entry.pid] = now + step, (by_pid[entry.pid] or 0) + step
    most, most_of_pid = math.max(most, now), math.max(most_of_pid, by_pid[entry.pid])
  end
  return most, most_of_pid
end

local function pids(crew, first)
  local found = {}
  for _, entry in ipairs(crew.notes:all(first)) do
    found[entry.pid] = true
  end
  return found
end

describe("a pool", function()
  it("whose workers are all blocked does not hold up another", with_crew(function(crew)
    crew:script("t.lua", SCRIPT)
    crew:file("hold", "")
    local heavy, light = crew:queue "heavy", crew:queue()
    add(heavy, "block", 6)
    crew:run { pools = POOLS }
    crew:wait_until("both cpu workers are blocked", 20, function() return crew.notes:count "begin" == 2 end)
    add(light, "quick", 200)
    crew:wait_counts(light, 20, { processed = 200, pending = 0, active = 0 })
    assert.equal(2, crew.notes:count "begin")
    uv.fs_unlink(crew.folder .. "/hold")
    crew:wait_counts(heavy, 20, { processed = 6, pending = 0, active = 0 })
    assert.same({ 2, 1 }, { most_at_a_time(crew, "heavy") })
  end))

  it("is the only one that runs its queues, and tools see the queues and slots of all", with_crew(function(crew)
    crew:script("t.lua", SCRIPT)
    local heavy, light = crew:queue "heavy", crew:queue()
    add(heavy, "block", 40)
    add(light, "quick", 40)
    local node = crew:run { pools = POOLS }
    crew:wait_counts(heavy, 20, { processed = 40 })
    crew:wait_counts(light, 20, { processed = 40 })
    local quick, blocked = pids(crew, "quick"), pids(crew, "end")
    for pid in pairs(blocked) do
      assert.is_nil(quick[pid])
    end
    for _, line in ipairs(node:log { event = "processed task" }) do
      assert.equal(line.queue == "heavy" and "cpu" or "io", line.pool)
    end
    local code, out = crew:command { "server", "ls", "--json" }
    assert.equal(0, code, out)
    local server = require("cjson").decode(out).servers[1]
    assert.same({ default = 1, heavy = 1 }, server.queues)
    assert.equal(502, server.concurrency)
  end))

  it("is seen with all its workers as soon as they are ready, not with the next heartbeat", with_crew(function(crew)
    crew:script("t.lua", SCRIPT)
    local node = crew:run { pools = POOLS }
    crew:wait_until("three workers are ready", 20, function() return #node:log { event = "worker ready" } == 3 end)
    crew:wait_until("all workers of both pools serve", 2, function()
      local _, out = crew:command { "server", "ls", "--json" }
      local server = require("cjson").decode(out).servers[1]
      local serving = 0
      for _, pool in ipairs(server and server.pools or {}) do serving = serving + pool.serving end
      return serving == 3, out
    end)
  end))

  it("shares a queue with another without doubling a task, also by patterns", with_crew(function(crew)
    crew:script("t.lua", SCRIPT)
    local shared, tenant = crew:queue(), crew:queue "tenant:a"
    add(shared, "pause", 300)
    add(tenant, "pause", 60)
    crew:run { queues = { default = 3, ["tenant:*"] = 1 }, pools = { a = { workers = 1, concurrency = 3 },
      b = { workers = 1, concurrency = 2, queues = { default = 1 }, prefetch = 0 } } }
    crew:wait_counts(shared, 30, { processed = 300, pending = 0, active = 0 })
    crew:wait_counts(tenant, 30, { processed = 60, pending = 0, active = 0 })
    local tally, different = crew.notes:tally "end"
    assert.equal(2, different, "queues")
    assert.same({ default = 300, ["tenant:a"] = 60 }, tally)
    local by_pid = {}
    for _, entry in ipairs(crew.notes:all "end") do
      by_pid[entry.pid] = (by_pid[entry.pid] or 0) + 1
    end
    local pools = 0
    for _, count in pairs(by_pid) do
      pools = pools + 1
      assert.is_true(count > 20, "both pools take part; one has run only " .. count)
    end
    assert.equal(2, pools)
  end))

  it("goes on in its own workers after kill -9, and no other pool takes its tasks", with_crew(function(crew)
    crew:script("t.lua", SCRIPT)
    crew:file("hold", "")
    local heavy = crew:queue "heavy"
    add(heavy, "block", 4)
    local node = crew:run { pools = POOLS }
    crew:wait_until("two tasks have begun", 20, function() return crew.notes:count "begin" == 2 end)
    local killed = crew.notes:all("begin")[1].pid
    uv.kill(killed, "sigkill")
    node:wait_log(20, { event = "worker died", pid = killed, pool = "cpu" })
    crew:wait_until("a task has begun anew", 20, function() return crew.notes:count "begin" == 3 end)
    uv.fs_unlink(crew.folder .. "/hold")
    crew:wait_counts(heavy, 20, { processed = 4, failed = 0, pending = 0, active = 0 })
    assert.is_nil(pids(crew, "end")[killed])
    local _, at_a_time = most_at_a_time(crew, "heavy")
    assert.equal(1, at_a_time)
  end))

  it("with a mistake in its configuration is refused by its path", with_crew(function(crew)
    local function refused(pools, message)
      crew:file("mooncrew.lua", "return {\n  pools = " .. pools .. " }")
      local code, out = crew:command { "run" }
      assert.equal(1, code, out)
      assert.truthy(out:find("mooncrew.lua:2: " .. message, 1, true), out)
    end
    refused("{ cpu = { wrokers = 2 } }", "pools.cpu.wrokers: a pool has no such setting: did you mean 'workers'?")
    refused("{ cpu = { workers = {} } }", "pools.cpu.workers: must be a whole number from 1 to 256")
    refused("{ cpu = { concurrency = 0 } }", "pools.cpu.concurrency: must be a whole number from 1 to 10000")
    refused("{ cpu = 3 }", "pools.cpu: must be a table such as")
    refused("{ Cpu = { workers = 1 } }", "pools: 'Cpu' is no name of a pool")
    refused("{ ['a b'] = {} }", "pools: 'a b' is no name of a pool")
    refused("{ cpu = { queues = { image = 'x' } } }", "pools.cpu.queues: the weight of queue 'image' must be")
    refused("{ {} }", "pools: '1' is no name of a pool")
    refused("{}", "pools: must name at least one pool")
  end))
end)

describe("pools in the log", function()
  it("are told at the start, each with its queues", with_crew(function(crew)
    crew:script("t.lua", SCRIPT)
    local node = crew:run { pools = POOLS }
    local line = node:wait_log(20, { event = "pool", pool = "cpu" })
    assert.same({ 2, 1, "heavy=1" }, { line.workers, line.concurrency, line.queues })
    node:wait_log(20, { event = "worker ready", pool = "io" })
    wait.wait_until("the cpu workers are ready", 20, function()
      return #node:log { event = "worker ready", pool = "cpu" } == 2
    end)
  end))
end)
