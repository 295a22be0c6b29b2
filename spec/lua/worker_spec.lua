-- The Lua half of a worker over a pretended C half, which keeps what it is told.

describe("the Lua half of a worker", function()
  local worker, native, told, distribute, registry, host
  local saved

  before_each(function()
    saved = {}
    for name, module in pairs(package.loaded) do
      if name:find("^mooncrew") and not name:find("^mooncrew%.native") then
        saved[name] = module
        package.loaded[name] = nil
      end
    end
    told = { ready = {}, parked = {}, finished = {}, lines = {}, enqueued = {}, timers = {}, seconds = {}, failed = {},
      folded = {}, unfit = {}, loading = {} }
    local line
    native = {
      clock_wall = function()
        return 1000
      end,
      clock_monotonic = function()
        return told.clock or 0
      end,
      timer_start = function(seconds, callback)
        told.timers[#told.timers + 1] = callback
        told.seconds[#told.timers] = seconds
        return #told.timers
      end,
      timer_stop = function(timer)
        told.timers[timer] = false
      end,
      task_ready = function(slot)
        table.insert(told.ready, slot)
      end,
      task_park = function(slot)
        table.insert(told.parked, slot)
      end,
      task_failed = function(...)
        table.insert(told.failed, { ... })
      end,
      task_finish = function(...)
        table.insert(told.finished, { ... })
      end,
      fold_finish = function(...)
        table.insert(told.folded, { ... })
      end,
      fold_unfit = function(...)
        table.insert(told.unfit, { ... })
      end,
      loading = function(...)
        table.insert(told.loading, { ... })
      end,
      load_end = function(manifest, message)
        told.loaded = { manifest, message }
      end,
      close_end = function()
        told.closed = true
      end,
      enqueue_send = function(...)
        table.insert(told.enqueued, { ... })
        return #told.enqueued
      end,
      log_begin = function(level, event)
        line = { level .. " " .. event }
        return level ~= "debug"
      end,
      log_text = function(key, text)
        table.insert(line, key .. "=" .. text)
      end,
      log_json = function(key, text)
        table.insert(line, key .. ":" .. text)
      end,
      log_end = function()
        table.insert(told.lines, table.concat(line, " "))
      end,
    }
    package.loaded["mooncrew.native_worker"] = native
    worker = require "mooncrew.worker"
    distribute, registry = require "mooncrew.distribute", require "mooncrew.registry"
    host = require "mooncrew.host"
  end)
  after_each(function()
    host.use()
    for name in pairs(package.loaded) do
      if name:find("^mooncrew") and not name:find("^mooncrew%.native$") then
        package.loaded[name] = nil
      end
    end
    for name, module in pairs(saved) do
      package.loaded[name] = module
    end
  end)

  local function start(slot, handler, payload)
    require("mooncrew").task("t" .. slot, { perform = handler })
    worker.start(slot, "id", "t" .. slot, "default", payload or "", 1, 25, 2000, { h = "v" })
  end

  it("runs a task to its end and tells the outcome", function()
    local seen
    start(3, function(payload, task)
      seen = { payload, task.id, task.type, task.queue, task.retried, task.max_retry, task.deadline, task.headers.h }
      return { ok = true }
    end, '"p"')
    assert.are.same({ "p", "id", "t3", "default", 1, 25, 2000, "v" }, seen)
    assert.are.same({ { 3, "DONE", '{"ok":true}' } }, told.finished)
  end)

  local function start_fold(slot, fold)
    require("mooncrew").aggregate { group = "g:*", type = "folded", fold = fold }
    worker.fold(slot, "", "g:*", "low", "g:1", { { id = "a", type = "t", raw_payload = '{"n":1}', headers = {} },
      { id = "b", type = "t", raw_payload = "", headers = {} } })
  end

  it("folds a group and tells the new task", function()
    local seen
    start_fold(3, function(...)
      seen = { ... }
      return { sum = 1 }, { max_retry = 2 }
    end)
    local payloads, group, tasks = unpack(seen)
    assert.are.same({ { n = 1 }, require("mooncrew").null }, payloads)
    assert.are.equal("g:1", group)
    assert.are.same({ "a", "b" }, { tasks[1].id, tasks[2].id })
    assert.are.same({ { 3, "folded", '{"sum":1}', { queue = "low", max_retry = 2 } } }, told.folded)
    assert.are.same({}, told.finished)
  end)

  it("folds while others run, when the function waits", function()
    start_fold(4, function()
      require("mooncrew").sleep(5)
      return "x"
    end)
    assert.are.same({ 4 }, told.parked)
    told.timers[1]()
    worker.step(4)
    assert.are.same({ 4, "folded", "x" }, { unpack(told.folded[1], 1, 3) })
    start(4, function() end) -- the fiber, used again, runs a task
    assert.are.equal("DONE", told.finished[1][2])
  end)

  it("tells what a handler failed by before a function of the scripts hears of it", function()
    local crew = require "mooncrew"
    local known = {}
    start(1, function() error("boom", 0) end)
    assert.are.same({}, told.failed, "nobody hears of it")
    crew.on_error(function() known[1] = told.failed[1] end)
    start(2, function() error("bang", 0) end)
    assert.are.same({ { 2, "bang" } }, known)
    crew.task("r", { retry = function() known[2] = told.failed[2] end, perform = function() error("crash", 0) end })
    worker.start(3, "id", "r", "default", "", 1, 25, 2000)
    assert.are.same({ 3, "crash" }, known[2])
    assert.are.equal(3, #told.finished)
  end)

  it("tells why a fold failed, was stopped, or has no rule", function()
    start_fold(1, function()
      error("no")
    end)
    assert.are.same({ 1, "FAILED" }, { unpack(told.finished[1], 1, 2) })
    assert.is_truthy(told.finished[1][3]:find("worker_spec.lua:%d+: no$"), told.finished[1][3])
    registry.reset()
    start_fold(1, function()
      require("mooncrew").sleep(5)
    end)
    worker.stop(1, "TIMED_OUT")
    worker.step(1)
    assert.are.same({ 1, "TIMED_OUT", "context deadline exceeded" }, { unpack(told.finished[2], 1, 3) })
    worker.fold(1, "", "h:*", "low", "h:1", {})
    assert.are.same({ 1, "FAILED", 'no script registers a rule for groups "h:*"' }, told.finished[3])
  end)

  it("tells the places of tasks whose payload does not fit", function()
    local crew = require "mooncrew"
    crew.task("t", { payload = crew.schema.object { n = crew.schema.integer {} }, perform = print })
    start_fold(1, error)
    assert.are.same({ { 1, { 2 } } }, told.unfit)
  end)

  it("parks a task that sleeps, and goes on with it when it is stepped", function()
    start(1, function()
      require("mooncrew").sleep(5)
      return "woken"
    end)
    assert.are.same({ 1 }, told.parked)
    told.timers[1]()
    assert.are.same({ 1 }, told.ready)
    assert.are.same({}, told.finished)
    worker.step(1)
    assert.are.same({ { 1, "DONE", "woken" } }, told.finished)
  end)

  it("stops a task: its timer first", function()
    start(1, function()
      require("mooncrew").sleep(5)
    end)
    worker.stop(1, "TIMED_OUT")
    assert.is_false(told.timers[1])
    worker.step(1)
    assert.are.same({ 1, "TIMED_OUT", "context deadline exceeded" }, { unpack(told.finished[1], 1, 3) })
  end)

  it("tells that a task was lost whose coroutine is of no more use", function()
    start(2, function()
      coroutine.yield()
    end)
    assert.are.same({ 2, "FAILED" }, { unpack(told.finished[1], 1, 2) })
  end)

  it("enqueues by a frame and waits for the answer", function()
    local info, refused
    start(1, function(_, task)
      info = task:enqueue("child", { n = 1 }, { process_in = 60 })
      refused = { task:enqueue("child", "x", { group = "g" }) }
    end)
    assert.are.same({ 1, "child", '{"n":1}' }, { unpack(told.enqueued[1], 1, 3) })
    worker.enqueued(1, "new", 1060, "", "OK")
    worker.step(1)
    assert.are.same({ id = "new", queue = "default", type = "child", state = "scheduled", process_at = 1060 }, info)
    worker.enqueued(2, nil, nil, "taken", "DUPLICATE_TASK")
    worker.step(1)
    assert.are.same({ nil, "taken", "DUPLICATE_TASK" }, refused)
    assert.are.equal("DONE", told.finished[1][2])
  end)

  it("lets an answer go by whose task was stopped meanwhile", function()
    start(1, function(_, task)
      task:enqueue("child")
    end)
    worker.stop(1, "CANCELLED")
    worker.step(1)
    worker.enqueued(1, "new", nil, "", "OK")
    assert.are.equal("CANCELLED", told.finished[1][2])
    assert.are.same({ 1 }, told.ready)
  end)

  it("refuses to enqueue while no task runs", function()
    local ok, message = pcall(distribute.enqueue, "child")
    assert.is_false(ok)
    assert.is_truthy(message:find("waiting works only while a task runs", 1, true), message)
  end)

  it("writes log lines with the task's id and type", function()
    start(1, function(_, task)
      task.log:info("said", { b = "x", a = { 1 } })
      task.log:debug("not wanted")
    end)
    require("mooncrew").log:warn("two\nlines")
    assert.are.same({ "info said task_id=id type=t1 a:[1] b=x", "warn two lines" }, told.lines)
  end)

  local function load(script, load_timeout)
    local folder = os.tmpname()
    os.remove(folder)
    os.execute("mkdir '" .. folder .. "'")
    finally(function()
      os.execute("rm -rf '" .. folder .. "'")
    end)
    local file = assert(io.open(folder .. "/a.lua", "w"))
    file:write(script)
    file:close()
    worker.load(folder, nil, load_timeout or 30)
    return folder
  end

  it("lists what the scripts registered", function()
    local folder = load('local crew = require "mooncrew"\ncrew.task("a", { queue = "low", perform = print })\n'
      .. 'crew.task("b:*", { perform = print })\ncrew.cron("@daily", "a", { n = 1 }, { id = "every-day" })\n'
      .. 'crew.aggregate { group = "g:*", queue = "low", grace_period = "1500ms", max_size = 3, fold = print }\n'
      .. 'crew.aggregate { group = "h", max_delay = "1h", timeout = "500ms", fold = print }\n')
    local found = told.loaded[1]
    assert.are.same({ "a", "low", "b:*", "" }, { unpack(found) })
    assert.are.same({ { spec = "@daily", id = "every-day", missed = "skip", type = "a", payload = '{"n":1}',
      options = { queue = "low" }, source = folder .. "/a.lua:4" } }, found.cron)
    assert.are.same({
      { pattern = "g:*", queue = "low", grace = 2, max_delay = 0, max_size = 3, timeout = 60 },
      { pattern = "h", queue = "", grace = 60, max_delay = 3600, max_size = 0, timeout = 0.5 },
    }, found.groups)
    registry.reset()
    worker.load(folder .. "/absent", nil, 30)
    local manifest, message = unpack(told.loaded, 1, 2)
    assert.is_falsy(manifest)
    assert.is_truthy(message:find("absent", 1, true), message)
  end)

  it("is loaded once its functions for the start have ended, in their order", function()
    load [[local crew = require "mooncrew"
      started = {}
      crew.on_start(function() crew.sleep(5) table.insert(started, "one") end)
      crew.on_start(function() table.insert(started, "two") end)]]
    assert.is_nil(told.loaded)
    told.timers[2]() -- the first is the limit of all
    assert.is_nil(told.loaded)
    told.timers[3]() -- steps the fiber
    assert.are.same({ "one", "two" }, _G.started)
    _G.started = nil
    assert.are.same({ groups = {}, cron = {} }, told.loaded[1])
    assert.is_false(told.timers[1])
  end)

  it("is not loaded when one of them fails, which is named", function()
    local folder = load 'local crew = require "mooncrew"\n\ncrew.on_start(function()\n  error("no pool")\nend)'
    assert.are.same({ false, folder .. "/a.lua:4: no pool" }, { told.loaded[1] or false, told.loaded[2] })
  end)

  it("is not loaded when one of them waits for too long", function()
    local folder = load 'local crew = require "mooncrew"\ncrew.on_start(function() crew.sleep("1h") end)'
    told.timers[1]()
    told.timers[3]()
    assert.are.equal(25, told.seconds[1])
    assert.are.equal(folder .. "/a.lua:2: crew.on_start: did not end within load_timeout (30s), which covers loading, "
      .. "too", told.loaded[2])
  end)

  it("gives them what is left of its time to load, less a little for the answer", function()
    local waits = 'local crew = require "mooncrew"\ncrew.on_start(function() crew.sleep("1h") end)'
    load(waits, 600)
    assert.are.equal(595, told.seconds[#told.seconds - 1])
    registry.reset()
    _G.told = told
    load("told.clock = 2 " .. waits, 6)
    assert.are.equal(3, told.seconds[#told.seconds - 1])
    registry.reset()
    load("told.clock = told.clock + 60 " .. waits, 6)
    assert.are.equal(0, told.seconds[#told.seconds - 1])
    _G.told = nil
  end)

  it("can enqueue at its start, for no task", function()
    load 'local crew = require "mooncrew"\ncrew.on_start(function() assert(crew.enqueue("warm", nil)) end)'
    assert.are.same({ "warm", "" }, { unpack(told.enqueued[1], 2, 3) })
    assert.is_nil(told.enqueued[1][1])
    worker.enqueued(1, "id", nil, "", "OK")
    told.timers[#told.timers]()
    assert.is_table(told.loaded[1])
  end)

  it("runs its functions for the stop, the last one first, whatever they do", function()
    load [[local crew = require "mooncrew"
      stopped = {}
      crew.on_stop(function() crew.sleep(1) stopped[#stopped + 1] = "first" end)
      crew.on_stop(function() error("oh", 0) end)
      crew.on_stop(function() stopped[#stopped + 1] = select(3, crew.enqueue("t")) end)]]
    worker.close()
    assert.is_nil(told.closed)
    told.timers[1]()
    told.timers[2]()
    assert.are.same({ "UNAVAILABLE", "first" }, _G.stopped)
    _G.stopped = nil
    assert.is_true(told.closed)
    assert.is_truthy(told.lines[1]:find("^error a function of crew.on_stop failed error=oh hook=.*a.lua:4$"))
  end)
end)
