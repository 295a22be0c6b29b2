-- memory_limit: a worker that grows beyond it is replaced without a loss; one that grows far beyond it is killed, and
-- the task that did it is told why.
local HttpServer = require "http_server"
local Postgres = require "postgres_server"
local wait = require "wait"
local with_crew = require("support").with_crew

-- Sanitizers take much memory for themselves.
local LIMIT_MB = wait.patience > 1 and 400 or 100
local LIMIT = LIMIT_MB .. "M"

-- take(megabytes): memory of the C heap, all of it touched, kept for good.
local TAKE = [[
  ffi.cdef "void *malloc(size_t); void *memset(void *, int, size_t);"
  local function take(megabytes) ffi.C.memset(ffi.C.malloc(megabytes * 2^20), 1, megabytes * 2^20) end
  local LIMIT_MB = ]] .. LIMIT_MB .. "\n"

local PATIENT = [[
crew.task("patient", { perform = function(_, task)
  note("start", task.id)
  while not io.open(here .. "/release") do crew.sleep(0.02) end
  note("end", task.id)
end })
]]

local function add_patient(queue, count)
  return queue:add_many(count, function() return { type = "patient", retention = 600 } end)
end

local function wait_noted(crew, word, count)
  crew:wait_until(("%d notes of %s"):format(count, word), 30, function()
    local noted = crew.notes:count(word)
    return noted >= count, noted
  end)
end

local function assert_reason(queue, id, pattern)
  local task = queue:task(id)
  assert.equal("archived", task.state)
  assert.matches(pattern, task.message.error_msg)
end

describe("memory_limit:", function()
  it("a worker above it gets no new tasks and ends when its own have ended, while its successor takes others",
    with_crew(function(crew)
      crew:script("patient.lua", PATIENT)
      crew:script("leak.lua", TAKE .. 'crew.task("leak", { perform = function() take(LIMIT_MB) end })')
      local queue = crew:queue()
      local ids = add_patient(queue, 3)
      local node = crew:run { workers = 1, concurrency = 5, prefetch = 0, memory_limit = LIMIT }
      wait_noted(crew, "start", 3)
      local old = node:workers()[1]
      queue:add { type = "leak" }
      local line = node:wait_log(20, { event = "worker retires" })
      assert.equal(old, line.pid)
      assert.matches("^it takes %d+M of memory, more than memory_limit %(" .. LIMIT .. "%)$", line.detail)

      -- Two slots are left beside the three that the old one still uses.
      add_patient(queue, 4)
      wait_noted(crew, "start", 5)
      wait.hold("old and new together keep to the concurrency", 0.5, function()
        return crew.notes:count "start" == 5 and queue:counts().pending == 2
      end)
      local starts = crew.notes:all "start"
      assert.are_not.equal(old, starts[4].pid)
      assert.are_not.equal(old, starts[5].pid)

      crew:file("release", "")
      crew:wait_counts(queue, 20, { completed = 7, active = 0, failed = 0 })
      for _, id in ipairs(ids) do
        assert.equal(1, crew.notes:tally("start")[id], "starts of " .. id)
      end
      node:wait_log(10, { event = "worker retired", pid = old })
      crew:wait_until("the old worker has gone", 10, function() return not require("process").exists(old) end)
      assert.same({}, node:log { event = "worker died" })
      assert.equal(1, #node:workers())
    end))

  -- A worker that retired with three tasks still running, and its successor.
  local function with_retired(test)
    return with_crew(function(crew)
      crew:script("patient.lua", PATIENT)
      crew:script("leak.lua", TAKE .. 'crew.task("leak", { perform = function() take(LIMIT_MB) end })')
      local queue = crew:queue()
      local ids = add_patient(queue, 3)
      local node = crew:run { workers = 1, memory_limit = LIMIT, shutdown_timeout = "200ms" }
      wait_noted(crew, "start", 3)
      local old = node:workers()[1]
      queue:add { type = "leak" }
      node:wait_log(20, { event = "worker retires" })
      crew:wait_until("its successor is there", 20, function() return #node:log { event = "worker ready" } == 2 end)
      test(crew, queue, node, old, ids)
    end)
  end

  it("a stop reaches the retired worker too, and its tasks go back", with_retired(function(_, queue, node, old, ids)
    node:send "sigterm"
    assert.equal(0, (node:wait(10)))
    assert.is_false(require("process").exists(old))
    local counts = queue:counts()
    assert.same({ #ids, 0, 0 }, { counts.pending, counts.active, counts.retry })
  end))

  it("a retired worker that dies costs its tasks nothing, and nobody is started for it",
    with_retired(function(crew, queue, node, old, ids)
      local successor = node:log({ event = "worker ready" })[2].pid
      require("luv").kill(old, "sigkill")
      wait_noted(crew, "start", 6)
      assert.equal(successor, crew.notes:all("start")[6].pid)
      crew:file("release", "")
      crew:wait_counts(queue, 20, { completed = #ids, active = 0, failed = 0 })
      assert.same({ successor }, node:workers())
    end))

  it("a cancellation reaches the retired worker too", with_retired(function(crew, queue, _, _, ids)
    local code, text = crew:command { "task", "cancel", ids[1] }
    assert.equal(0, code, text)
    crew:wait_counts(queue, 20, { active = 2, retry = 1 })
  end))

  for name, grow in pairs {
    ["tables of Lua"] = "local t = {} while true do t[#t + 1] = { #t } end",
    ["one long string after another"] = "local t = {} while true do t[#t + 1] = ('x'):rep(2^20 + #t) end",
    ["memory of C"] = "while true do take(10) end",
  } do
    it("a task that fills " .. name .. " is stopped, blamed and told why, and its neighbours spend nothing",
      with_crew(function(crew)
        crew:script("patient.lua", PATIENT)
        crew:script("hog.lua", TAKE .. 'crew.task("hog", { perform = function() note "hog" ' .. grow .. " end })")
        local queue = crew:queue()
        local ids = add_patient(queue, 5)
        local node = crew:run { workers = 1, memory_limit = LIMIT, max_crashes = 2 }
        wait_noted(crew, "start", 5)
        queue:add { type = "hog", id = "hog" }
        crew:wait_counts(queue, 60, { archived = 1 })
        assert_reason(queue, "hog", "^the worker was killed while it ran this task, 2 times %(max_crashes is 2%): "
          .. "it took %d+M of memory, more than twice memory_limit %(" .. LIMIT .. "%); "
          .. "%d+M of it came with this task$")
        assert.equal(2, crew.notes:count "hog")
        local line = node:log({ event = "worker killed", task_id = "hog" })[1]
        assert.matches("more than twice memory_limit", line.detail)
        crew:file("release", "")
        crew:wait_counts(queue, 20, { completed = 5, active = 0, pending = 0, retry = 0 })
        for _, id in ipairs(ids) do
          assert.equal(0, queue:task(id).message.retried, "retries of " .. id)
        end
      end))
  end

  it("one that waits when it is noticed is blamed all the same, if it runs alone", with_crew(function(crew)
    crew:script("hog.lua", TAKE .. [[
      crew.task("hog", { perform = function() note "hog" take(3 * LIMIT_MB) crew.sleep(60) end })
    ]])
    local queue = crew:queue()
    crew:run { workers = 1, memory_limit = LIMIT, max_crashes = 1 }
    queue:add { type = "hog", id = "hog" }
    crew:wait_counts(queue, 30, { archived = 1 })
    assert_reason(queue, "hog", "more than twice memory_limit")
  end))

  -- hog: what the hog does, or a function of the crew that says so. It and 20 neighbours, one of which computes much of
  -- the time, wait when it is noticed.
  local function with_waiting_hog(hog, test)
    return with_crew(function(crew)
      crew:script("patient.lua", PATIENT .. [[
        crew.task("busy", { perform = function()
          note "busy"
          while not io.open(here .. "/release") do
            local until_s = os.clock() + 0.02 -- of 50 ms
            while os.clock() < until_s do local _ = ("x"):rep(100) .. os.clock() end
            crew.sleep(0.03)
          end
        end })
      ]])
      local body = type(hog) == "function" and hog(crew) or hog
      crew:script("hog.lua", TAKE .. 'crew.task("hog", { perform = function() note "hog" ' .. body .. " end })")
      local queue = crew:queue()
      local ids = add_patient(queue, 20)
      local node = crew:run { workers = 1, concurrency = 30, memory_limit = LIMIT, max_crashes = 2 }
      wait_noted(crew, "start", 20)
      queue:add { type = "busy", id = "busy", retention = 600 }
      wait_noted(crew, "busy", 1)
      queue:add { type = "hog", id = "hog" }
      test(crew, queue, node)
      ids[#ids + 1] = "busy"
      crew:file("release", "")
      crew:wait_counts(queue, 30, { completed = #ids, active = 0, pending = 0, retry = 0 })
      for _, id in ipairs(ids) do
        local task = queue:task(id)
        assert.equal(0, task.message.retried, "retries of " .. id)
        assert.is_nil(task.mc_crashes, id .. " was blamed")
      end
    end)
  end

  for name, grow in pairs {
    ["memory of C"] = "while true do take(2) crew.sleep(0.01) end",
    ["tables of Lua"] = "local t = {} while true do for _ = 1, 2000 do t[#t + 1] = { #t, {} } end crew.sleep(0) end",
    ["long strings"] = "local t = {} while true do t[#t + 1] = ('x'):rep(1e5 + #t) crew.sleep(0) end",
  } do
    it("one that takes " .. name .. " bit by bit and waits is archived, and no neighbour is blamed",
      with_waiting_hog(grow, function(crew, queue, node)
        crew:wait_counts(queue, 90, { archived = 1 })
        assert_reason(queue, "hog", "^the worker was killed while it ran this task, 2 times .*: it took %d+M of "
          .. "memory, more than twice memory_limit %(" .. LIMIT .. "%); %d+M of it came with this task$")
        assert.equal(2, #node:log { event = "worker killed", task_id = "hog" })
        assert.equal(2, #node:log { event = "worker killed" })
      end))
  end

  -- Expressions: nothing of the hog's own runs while these bytes come.
  local ARRIVING = {
    ["an answer of HTTP"] = function(crew)
      local server = HttpServer.start(crew.folder)
      crew:finally(function() server:stop() end)
      return ('crew.http.get(%q .. 4 * LIMIT_MB * 2^20, { max_size = 2^31, timeout = 600 })')
        :format(server.url .. "/data?n=")
    end,
    ["a reply of Redis"] = function(crew)
      crew.redis:call("SETRANGE", "big", ("%d"):format(LIMIT_MB * 2^20), "x")
      return ('crew.redis.open(%q, { timeout = 600 }):mget("big", "big", "big", "big")'):format(crew.server:url())
    end,
    ["the output of a program"] = function()
      return 'crew.exec({ "head", "-c", tostring(4 * LIMIT_MB * 2^20), "/dev/zero" }, { output_limit = 2^31 - 1 })'
    end,
    ["rows of PostgreSQL"] = Postgres.installed() and function(crew)
      local server = Postgres.new():start()
      crew:finally(function() server:destroy() end)
      return ([[crew.postgres.open(%q, { timeout = 600 })
        :query("SELECT repeat('x', 1000) FROM generate_series(1, $1)", 4000 * LIMIT_MB)]]):format(server:url())
    end or nil,
  }

  for name, asked in pairs(ARRIVING) do
    -- All of it may be there before anybody looks: the hog keeps it.
    local function hog(crew)
      return ("local kept = { %s } crew.sleep(600)"):format(asked(crew))
    end
    it(name .. " is put down to the task that asked for it, and no neighbour is blamed",
      with_waiting_hog(hog, function(crew, queue, node)
        crew:wait_counts(queue, 90, { archived = 1 })
        assert_reason(queue, "hog", "^the worker was killed while it ran this task, 2 times .*: it took %d+M of "
          .. "memory, more than twice memory_limit %(" .. LIMIT .. "%); %d+M of it came with this task$")
        assert.equal(2, #node:log { event = "worker killed" })
      end))
  end

  -- As the kernel does for want of memory.
  it("one that took most of it is blamed too when somebody else kills the worker",
    with_waiting_hog("take(1.5 * LIMIT_MB) while true do crew.sleep(1) end", function(crew, queue, node)
      for death = 1, 2 do
        crew:wait_until("the worker is above the limit", 30, function()
          return #node:log { event = "worker retires" } == death
        end)
        local line = node:log({ event = "worker retires" })[death]
        require("luv").kill(line.pid, "sigkill")
        node:wait_log(20, { event = "worker died", pid = line.pid, task_id = "hog" })
      end
      crew:wait_counts(queue, 30, { archived = 1 })
      assert_reason(queue, "hog", "signal 9 .*; %d+M of it came with this task$")
    end))

  it("that the scripts alone exceed is said in the log, and tasks run all the same", with_crew(function(crew)
    crew:script("big.lua", TAKE .. [[
      take(LIMIT_MB)
      crew.task("quick", { perform = function(_, task) note("quick", task.id) crew.sleep(0.01) end })
    ]])
    local queue = crew:queue()
    local node = crew:run { workers = 1, memory_limit = LIMIT }
    node:wait_log(60, { event = "memory_limit is too low" })
    queue:add_many(200, function() return { type = "quick" } end)
    crew:wait_counts(queue, 30, { processed = 200, failed = 0, active = 0 })
    local retired = #node:log { event = "worker retires" }
    assert.is_true(retired <= 8, retired .. " workers were replaced within seconds")
  end))

  it("that loading takes twice is said in the log with ever longer waits", with_crew(function(crew)
    crew:script("big.lua", TAKE .. [[
      note "load"
      take(3 * LIMIT_MB)
      ffi.cdef "int usleep(unsigned);"
      for _ = 1, 5000 do ffi.C.usleep(1000) end
    ]])
    local node = crew:run { workers = 1, memory_limit = LIMIT }
    wait_noted(crew, "load", 4)
    local line = node:wait_log(10, { event = "worker killed" })
    assert.matches("to load the scripts, more than twice memory_limit", line.detail)
  end))

  it("of nothing is no limit, and a mistaken one is refused", with_crew(function(crew)
    local code, text = crew:command { "config", "--memory-limit", "0.25G", "--json" }
    assert.equal(0, code, text)
    assert.equal("256M", require("cjson").decode(text).memory_limit.value)
    code, text = crew:command { "config", "--memory-limit", "256" }
    assert.equal(2, code, text)
    assert.matches("must be a size from 1M", text)
  end))
end)

describe("memory_limit at a reload:", function()
  local function run(crew)
    crew:script("t.lua", [[ crew.task("t", { perform = function() note "old" end }) ]])
    local queue, node = crew:queue(), crew:run { workers = 2, memory_limit = LIMIT }
    queue:add { type = "t" }
    wait_noted(crew, "old", 1)
    return queue, node
  end

  it("scripts that bring workers above it at once are loaded all the same, as at the start", with_crew(function(crew)
    local queue = run(crew)
    crew:script("t.lua", TAKE .. [[ take(LIMIT_MB)
      if not io.open(here .. "/first") then
        io.open(here .. "/first", "w"):close()
        os.execute "sleep 1" -- while the other one is ready
      end
      crew.task("t", { perform = function() note "new" end }) ]])
    local code, out = crew:command { "reload" }
    assert.equal(0, code, out)
    queue:add { type = "t" }
    wait_noted(crew, "new", 1)
  end))

  it("scripts that bring them far above it are refused, and whoever reloads is told why", with_crew(function(crew)
    local queue = run(crew)
    crew:script("t.lua", TAKE .. "take(3 * LIMIT_MB) os.execute 'sleep 20'")
    local code, out = crew:command { "reload" }
    assert.equal(1, code, out)
    assert.matches("t%.lua:%d+: a worker was killed %(it took %d+M of memory to load the scripts, more than twice", out)
    queue:add { type = "t" }
    wait_noted(crew, "old", 2)
  end))
end)
