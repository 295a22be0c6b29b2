-- crew.on_start, crew.on_stop, crew.on_error and crew.retry in real workers.
local with_crew = require("support").with_crew

local function add_and_run(crew, script, config, task)
  crew:script("t.lua", script)
  local queue = crew:queue()
  queue:add(task or { type = "t", retention = 600 })
  return crew:run(config), queue
end

local function words(crew, first)
  local list = {}
  for i, entry in ipairs(crew.notes:all(first)) do
    list[i] = table.concat(entry, " ")
  end
  return list
end

describe("crew.on_start", function()
  it("has ended in a worker before a task is given to it", with_crew(function(crew)
    local _, queue = add_and_run(crew, [[
      local cache
      crew.on_start(function() note "opening" crew.sleep(0.05) cache = { "warm" } note "opened" end)
      crew.task("t", { perform = function() note("ran", cache[1]) end })
    ]], { workers = 2 }, { type = "t" })
    crew:wait_counts(queue, 20, { processed = 1, failed = 0 })
    local opened, ran = {}, nil
    for _, entry in ipairs(crew.notes:all()) do
      if entry[1] == "opened" then opened[entry.pid] = entry.at_ms end
      if entry[1] == "ran" then ran = entry end
    end
    assert.equal("warm", ran[2])
    assert.is_true(opened[ran.pid] < ran.at_ms)
  end))

  it("may enqueue", with_crew(function(crew)
    local _, queue = add_and_run(crew, [[
      crew.on_start(function() assert(crew.enqueue("warm", nil, { unique = "1h" })) end)
      crew.task("warm", { perform = function() note "warmed" end })
    ]], nil, { type = "warm" })
    crew:wait_counts(queue, 20, { processed = 2, failed = 0 })
  end))

  it("opens what stays open for the tasks", with_crew(function(crew)
    local _, queue = add_and_run(crew, [[
      local uv = require "luv"
      local timer, ticks = nil, 0
      crew.on_start(function()
        timer = uv.new_timer()
        timer:start(10, 10, function() ticks = ticks + 1 end)
        crew.sleep(0.02)
      end)
      crew.task("t", { perform = function()
        local before = ticks
        crew.sleep(0.2)
        note("ticking", timer:is_active(), ticks > before)
      end })
    ]], nil, { type = "t" })
    crew:wait_counts(queue, 20, { processed = 1, failed = 0 })
    assert.same({ "ticking true true" }, words(crew, "ticking"))
  end))

  it("warms a cache from Redis, and crew.on_stop writes it back", with_crew(function(crew)
    crew.redis:call("SET", "warm", "from redis")
    local node, queue = add_and_run(crew, ([[
      local r = crew.redis.open(%q)
      local cache
      crew.on_start(function() cache = assert(r:get("warm")) end)
      crew.on_stop(function() assert(r:set("stopped", cache)) end)
      crew.task("t", { perform = function() note("ran", cache) end })
    ]]):format(crew.server:url()), nil, { type = "t" })
    crew:wait_counts(queue, 20, { processed = 1, failed = 0 })
    assert.same({ "ran from redis" }, words(crew, "ran"))
    node:send "sigterm"
    assert.equal(0, (node:wait(20)))
    assert.equal("from redis", crew.redis:call("GET", "stopped"))
  end))

  it("that fails is a script that does not load: named with file and line, and no task is touched",
    with_crew(function(crew)
      local node, queue = add_and_run(crew, '\ncrew.on_start(function()\n  crew.sleep(0.05)\n  error("no pool")\nend)\n'
        .. 'crew.on_stop(function() note "stopped" end)\ncrew.task("t", { perform = function() note "ran" end })')
      assert.equal(1, (node:wait(20)))
      local line = node:log { event = "scripts do not load" }[1]
      assert.equal(crew.scripts .. "/t.lua:5: no pool", line.detail)
      assert.equal(1, queue:counts().pending)
      assert.same({}, crew.notes:all())
    end))

  it("that waits for too long is named before load_timeout kills its worker", with_crew(function(crew)
    local node = add_and_run(crew, '\ncrew.on_start(function() crew.sleep "1h" end)\n', { load_timeout = "9s" })
    assert.equal(1, (node:wait(30)))
    local line = node:log { event = "scripts do not load" }[1]
    assert.matches("/t%.lua:3: crew%.on_start: did not end within load_timeout %(9s%)", line.detail)
  end))

  it("runs again in the worker that follows one that died", with_crew(function(crew)
    local _, queue = add_and_run(crew, [[
      crew.on_start(function() note "started" end)
      crew.task("t", { perform = function()
        ffi.cdef "void _exit(int);"
        if #io.open(here .. "/notes"):read "*a" < 80 then ffi.C._exit(1) end
      end })
    ]], nil, { type = "t" })
    crew:wait_counts(queue, 20, { processed = 1 })
    assert.equal(2, crew.notes:count "started")
  end))
end)

describe("a worker that follows one that died", function()
  it("is tried again when crew.on_start fails in it", with_crew(function(crew)
    local node, queue = add_and_run(crew, [[
      ffi.cdef "void _exit(int);"
      crew.on_start(function()
        if io.open(here .. "/down") then error "no pool" end
      end)
      crew.task("t", { perform = function()
        local file = io.open(here .. "/up")
        if file then return end
        io.open(here .. "/down", "w"):close()
        ffi.C._exit(1)
      end })
    ]], nil, { type = "t" })
    node:wait_log(20, { event = "scripts do not load" })
    local _, listed = crew:command { "server", "ls" }
    assert.is_nil(listed:find("refused", 1, true), listed) -- no reload was
    crew:file("up", "")
    assert(os.remove(crew.folder .. "/down"))
    crew:wait_counts(queue, 30, { processed = 1, failed = 0 })
  end))
end)

describe("crew.on_stop", function()
  it("runs at TERM in every worker, when no task is left, the last one first, and may wait", with_crew(function(crew)
    local node, queue = add_and_run(crew, [[
      crew.on_stop(function()
        note("stop", "first") crew.sleep(0.9)
        local file = io.open(here .. "/closed", "w")
        file:write "closed"
        file:close()
        note("stop", "end")
      end)
      crew.on_stop(function() note("stop", "second") error "oh" end)
      crew.task("t", { perform = function() note "begun" crew.sleep(0.3) note("stop", "task") end })
    ]], { kill_grace = "20s" })
    crew:wait_until("the task runs", 20, function() return crew.notes:count "begun" == 1 end)
    node:send "sigterm"
    assert.equal(0, (node:wait(20)))
    assert.same({ "stop task", "stop second", "stop first", "stop end" }, words(crew, "stop"))
    assert.equal("closed", io.open(crew.folder .. "/closed"):read "*a")
    assert.equal(1, #node:log { event = "a function of crew.on_stop failed" })
    assert.equal(1, queue:counts().completed)
  end))

  it("does not keep a node from ending for longer than kill_grace", with_crew(function(crew)
    local node = add_and_run(crew, [[
      crew.on_stop(function() note "stopping" crew.sleep(600) end)
      crew.task("t", { perform = function() note "ran" end })
    ]], { kill_grace = "1s" })
    crew:wait_until("the task ran", 20, function() return crew.notes:count "ran" == 1 end)
    node:send "sigterm"
    assert.equal(0, (node:wait(20)))
    assert.equal(1, crew.notes:count "stopping")
    assert.equal(1, #node:log { event = "worker does not end" })
  end))
end)

describe("crew.on_error", function()
  it("hears of each attempt that ended badly, before the task is settled, and may wait and enqueue",
    with_crew(function(crew)
      local _, queue = add_and_run(crew, [[
        crew.on_error(function(task, message, details)
          crew.sleep(0.05)
          assert(crew.enqueue("alert", { message = message, retried = task.retried, outcome = details.outcome }))
          error "the hook's own"
        end)
        crew.retry(0)
        crew.task("t", { perform = function() error("boom", 0) end })
        crew.task("alert", { perform = function(p) note("alert", p.message, p.retried, p.outcome) end })
      ]], nil, { type = "t", retry = 1 })
      crew:wait_counts(queue, 30, { processed = 4, failed = 2, archived = 1 })
      assert.same({ "alert boom 0 failed", "alert boom 1 failed" }, words(crew, "alert"))
    end))

  it("hears of a handler that yields for ever, and where", with_crew(function(crew)
    local _, queue = add_and_run(crew, [[
      crew.on_error(function(_, message, details) note("heard", details.outcome, message) end)
      crew.retry(3600)
      crew.task("t", { perform = function() while true do coroutine.yield("mine") end end })
    ]], nil, { type = "t", id = "x", retry = 1 })
    crew:wait_counts(queue, 30, { processed = 1, retry = 1 })
    assert.matches("^heard failed .*/t%.lua:%d+: the handler called coroutine%.yield", words(crew, "heard")[1])
    assert.matches("/t%.lua:%d+: the handler called coroutine%.yield", queue:task("x").message.error_msg)
    assert.is_true(tonumber(crew.redis:call("ZSCORE", queue:key "retry", "x")) > os.time() + 3000)
  end))

  for name, declared in pairs {
    ["crew.on_error"] = "crew.on_error(function() note 'loops' while true do end end)",
    ["crew.retry"] = "crew.retry(function() note 'loops' while true do end end)",
  } do
    it("or a retry function that never ends is stopped with its task: " .. name, with_crew(function(crew)
      local node, queue = add_and_run(crew, declared .. [[

        crew.task("t", { perform = function() error("boom", 0) end })
        crew.task("quick", { perform = function() note "quick" end })
      ]], { kill_grace = "300ms" }, { type = "t", id = "x", timeout = 1, retry = 1 })
      crew:wait_counts(queue, 30, { processed = 1, retry = 1 })
      assert.equal(1, crew.notes:count "loops")
      assert.matches("^context deadline exceeded: a function of crew.on_error or for retries went on, .*; "
        .. "the handler had failed: boom$", queue:task("x").message.error_msg)
      queue:add { type = "quick" }
      crew:wait_until("the successor works", 20, function() return crew.notes:count "quick" == 1 end)
      assert.equal(1, #node:log { event = "worker killed", task_id = "x" })
    end))
  end

  it("that takes its worker with it does not hide what it was called for", with_crew(function(crew)
    local node, queue = add_and_run(crew, [[
      crew.on_error(function() os.exit(3) end)
      crew.task("t", { perform = function() crew.sleep(0.05) error("boom", 0) end })
    ]], { max_crashes = 1 }, { type = "t", id = "x" })
    crew:wait_counts(queue, 30, { archived = 1 })
    assert.matches("exit code 3 .*; the handler had failed: boom$", queue:task("x").message.error_msg)
    assert.equal("boom", node:wait_log(20, { event = "worker died" }).handler_error)
  end))

  it("hears of a time-out", with_crew(function(crew)
    local _, queue = add_and_run(crew, [[
      crew.on_error(function(_, message, details) crew.sleep(0.05) note("heard", details.outcome, message) end)
      crew.task("t", { perform = function() crew.sleep(60) end })
    ]], { kill_grace = "10s" }, { type = "t", timeout = 1, retry = 1 })
    crew:wait_counts(queue, 30, { processed = 1, retry = 1 })
    assert.same({ "heard timed_out context deadline exceeded" }, words(crew, "heard"))
  end))
end)

it("crew.retry says when a task is tried again that says nothing about it", with_crew(function(crew)
  local _, queue = add_and_run(crew, [[
    crew.retry "2h"
    crew.task("t", { perform = function() error "boom" end })
  ]], nil, { type = "t", id = "x" })
  crew:wait_counts(queue, 20, { retry = 1 })
  local due = tonumber(crew.redis:call("ZSCORE", queue:key "retry", "x"))
  assert.is_true(math.abs(due - os.time() - 7200) < 60)
end))
