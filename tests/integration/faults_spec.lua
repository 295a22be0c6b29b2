-- Whatever a handler does to its worker: neighbours lose nothing, new tasks are taken within a second, and the person
-- who looks at the task reads what happened.
local Process = require "process"
local uv = require "luv"
local wait = require "wait"
local with_crew = require("support").with_crew

local NEIGHBOURS = 5

-- Said of those that end by their time-out, which no other fault is to meet.
local KILLED = "context deadline exceeded: the handler went on, and its worker was killed after kill_grace"

-- Tasks beside the fault. The quick one counts what it can of the library and of Lua.
local OTHERS = [[
crew.task("patient", { perform = function(_, task)
  note("start", task.id)
  while not io.open(here .. "/release") do crew.sleep(0.02) end
  local ok, why = pcall(error, "x", 0)
  assert(not ok and why == "x" and table.concat({ 1, 2 }) == "12")
  return { ("%d"):format(7) }
end })
crew.task("quick", { payload = crew.schema.object { n = crew.schema.integer {} }, perform = function(payload, task)
  local values = crew.async.await(function(resume) resume(payload.n + 1) end)
  task.log:info("quick", { n = values })
  note("quick", task.id)
  return { n = values }
end })
]]

-- The fault's handler; what it needs stands there before.
local function script(fault)
  return ("%s\ncrew.task('fault', { perform = function(payload, task)\n note('fault', task.id)\n%s\nend })"):format(
    fault.before or "", fault.body)
end

local function inspect(crew, id)
  local code, text = crew:command { "task", "inspect", id }
  assert.equal(0, code, text)
  return text
end

local function wait_noted(crew, word, count, seconds)
  crew:wait_until(("%d notes of %s"):format(count, word), seconds or 30, function()
    local noted = crew.notes:count(word)
    return noted >= count, noted
  end)
end

-- The fault has ended: archived, or completed where it is none in the end.
local function wait_end(crew, queue, fault)
  local wanted = fault.done and "completed" or "archived"
  crew:wait_until("the fault's task is " .. wanted, fault.within or 30, function()
    local task = queue:task "fault"
    return task and task.state == wanted, task and task.state
  end)
end

local function assert_next_is_taken(crew, queue)
  local asked_ms = wait.now_ms()
  queue:add { type = "quick", payload = '{"n":1}', retention = 600 }
  wait_noted(crew, "quick", 1)
  local took_ms = crew.notes:all("quick")[1].at_ms - asked_ms
  assert.is_true(took_ms < 1000 * wait.patience, ("the next task started after %d ms"):format(took_ms))
end

local function assert_neighbours_unharmed(crew, queue, ids, others)
  crew:file("release", "")
  crew:wait_counts(queue, 30, { completed = #ids + others, active = 0, lease = 0, retry = 0, pending = 0 })
  for _, id in ipairs(ids) do
    local task = queue:task(id)
    assert.same({ "completed", 0 }, { task.state, task.message.retried }, id)
    assert.is_nil(task.mc_crashes)
  end
end

local function run_fault(crew, fault)
  crew:script("others.lua", OTHERS)
  crew:script("fault.lua", script(fault))
  local queue = crew:queue()
  local ids = queue:add_many(NEIGHBOURS, function() return { type = "patient", retention = 600 } end)
  local node = crew:run { workers = 1, kill_grace = "300ms", max_crashes = 1, concurrency = 20 }
  wait_noted(crew, "start", NEIGHBOURS)
  local worker = node:workers()[1]
  queue:add { type = "fault", id = "fault", timeout = fault.says == KILLED and 1 or 600, retry = 0, retention = 600 }
  wait_end(crew, queue, fault)
  assert_next_is_taken(crew, queue)
  local said = inspect(crew, "fault")
  if fault.says then assert.matches(fault.says, said) end
  assert_neighbours_unharmed(crew, queue, ids, fault.done and 2 or 1)
  assert.equal(1, crew.notes:count "fault", "starts of the fault")
  local survived = crew.notes:all("quick")[1].pid == worker
  assert.equal(not fault.kills, survived, "whether the worker has survived")
  assert.is_not_nil(node:log({ event = "quick" })[1], "what a handler logs still reaches the log")
  if fault.logs then assert.is_not_nil(node:log({ event = fault.logs })[1], "the log says " .. fault.logs) end
  return node, worker
end

-- What sanitizers make of a signal.
local ABORTED = "signal 6 %(Aborted%)"

-- body: the handler's; says: what `mooncrew task inspect` shows; kills: its worker ends; done: it completes; logs: an
-- event; asan: what it says under sanitizers.
local FAULTS = {
  -- It takes the processor.
  { "a compiled loop without end", body = "while true do end", kills = true, says = KILLED },
  { "a loop that allocates without end", body = "while true do local _ = { {} } end", kills = true, says = KILLED },
  { "a pattern that backtracks for ever", kills = true, says = KILLED,
    body = "return (('a'):rep(5000)):match(('.-'):rep(30) .. 'b')" },
  { "a loop that swallows every error", body = "while true do pcall(crew.sleep, 60) end", kills = true, says = KILLED },
  { "a blocking call", before = "ffi.cdef 'unsigned sleep(unsigned);'", body = "ffi.C.sleep(1000)", kills = true,
    says = KILLED },
  { "a stopped process", before = "ffi.cdef 'int kill(int, int);'", body = "ffi.C.kill(ffi.C.getpid(), 19)",
    kills = true, says = KILLED },
  { "a loop that hears no signal", kills = true, says = KILLED,
    before = "ffi.cdef 'int sigfillset(void *); int sigprocmask(int, void *, void *);'",
    body = "local all = ffi.new('char[128]') ffi.C.sigfillset(all) ffi.C.sigprocmask(0, all, nil) while true do end" },
  { "a loop that has closed the worker's socket", before = "ffi.cdef 'int close(int);'", kills = true,
    body = "ffi.C.close(3) while true do end", says = "its connection to the supervisor was closed in it" },

  { "all descriptors closed", before = "ffi.cdef 'int close(int);'", kills = true,
    body = "for fd = 3, 200 do ffi.C.close(fd) end", says = "the handler closed descriptors of its worker" },
  { "the worker's socket replaced by a file", before = "ffi.cdef 'int close(int);'", kills = true,
    body = "ffi.C.close(3) kept = io.open('/dev/null', 'w') crew.sleep(60)",
    says = "the handler closed descriptors of its worker" },
  { "the loop replaced by another", before = "ffi.cdef 'int epoll_create1(int); int dup2(int, int);'", kills = true,
    says = "the handler closed descriptors of its worker", body = [[
    local uv, other = require 'luv', ffi.C.epoll_create1(0)
    for fd = 3, 200 do
      if uv.fs_readlink('/proc/self/fd/' .. fd) == 'anon_inode:[eventpoll]' then ffi.C.dup2(other, fd) end
    end
    crew.sleep(60)]] },
  { "all descriptors closed by luv", kills = true, says = "the handler closed descriptors of its worker",
    body = "local uv = require 'luv' for fd = 3, 200 do uv.fs_close(fd) end" },

  -- It goes too deep.
  { "recursion without end", body = "local function f() return 1 + f() end return f()", says = "stack overflow" },
  { "recursion through C without end", kills = true, asan = ABORTED,
    says = "called one another too deep",
    body = "local function f() return (('x'):gsub('x', f)) end return f()" },
  { "recursion through pcall without end", says = "overflow",
    body = "local function f() local ok, why = pcall(f) if not ok then error(why, 0) end end f()" },
  { "recursion through a metatable", says = "overflow",
    body = "local t = {} setmetatable(t, { __index = function(_, k) return t[k .. 'x'] .. '' end }) return t.a" },
  { "tables within tables without end as result", says = "cannot be stored: .* the table contains itself",
    body = "local t = {} t.t = t return t" },
  { "a string that no memory holds", body = "return #(('x'):rep(2^20):rep(2^20))", says = "memory" },

  -- Coroutines.
  { "thousands of suspended coroutines", done = true, body = [[
    leaked = {}
    for i = 1, 20000 do leaked[i] = coroutine.wrap(function() coroutine.yield(i) end) leaked[i]() end
    return 'done']] },
  { "a yield outside a coroutine of its own", body = "coroutine.yield(7)",
    says = "the handler called coroutine.yield outside a coroutine of its own" },
  { "a wait in a coroutine of its own", body = "coroutine.wrap(function() crew.sleep(1) end)()",
    says = "waiting works only in the handler's own coroutine" },

  -- It ends the process.
  { "os.exit(0)", body = "os.exit(0)", kills = true, logs = "worker died",
    says = "exit code 0 while it ran this task.* handlers must not call os.exit" },
  { "os.exit(3)", body = "os.exit(3)", kills = true,
    says = "exit code 3 while it ran this task.* handlers must not call os.exit" },
  { "os.exit(true, true)", body = "os.exit(true, true)", kills = true, says = "handlers must not call os.exit" },
  { "a segmentation fault", body = "ffi.cast('int *', 0)[0] = 1", kills = true, asan = ABORTED,
    says = "signal 11 %(Segmentation fault%) while it ran this task.* native code, called through FFI" },
  { "abort()", before = "ffi.cdef 'void abort(void);'", body = "ffi.C.abort()", kills = true,
    says = "signal 6 %(Aborted%) while it ran this task.* abort%(%) was called" },
  { "memory freed twice", before = "ffi.cdef 'void *malloc(size_t); void free(void *);'", kills = true,
    asan = "pending", says = "signal 6 .*freed twice",
    body = "local p = ffi.C.malloc(64) ffi.C.free(p) ffi.C.free(p) ffi.C.free(p)" },
  { "a division by zero in C", before = "ffi.cdef 'int raise(int);'", body = "ffi.C.raise(8)", kills = true,
    asan = ABORTED, says = "native code divided by zero" },
  { "kill -9 of itself", before = "ffi.cdef 'int kill(int, int);'", body = "ffi.C.kill(ffi.C.getpid(), 9)",
    kills = true, says = "signal 9 %(Killed%).* killed from outside" },

  -- What it raises.
  { "nil raised", body = "error(nil)", says = "an error without a message %(nil was raised%)" },
  { "an empty string raised", body = "error('', 0)", says = "the string is empty" },
  { "false raised", body = "error(false)", says = "a boolean was raised as an error: false" },
  { "a number raised", body = "error(42)", says = "42" },
  { "a function raised", body = "error(print)", says = "a function was raised as an error" },
  { "a table raised", body = "error { code = 7 }", says = 'a table was raised as an error: {"code":7}' },
  { "a table that holds itself raised", says = "a table was raised as an error",
    body = "local t = {} t.t = t error(t)" },
  { "a table whose __tostring raises", says = "an error whose text cannot be read",
    body = "error(setmetatable({}, { __tostring = function() error 'twice' end }))" },
  { "a table whose __tostring is no function", says = "error",
    body = "error(setmetatable({}, { __tostring = 7 }))" },
  { "a table whose __tostring recurses without end", kills = true, says = KILLED,
    body = "error(setmetatable({}, { __tostring = function(t) return tostring(t) end }))" },
  { "a table with a false metatable", body = "error(setmetatable({}, { __metatable = 'locked' }))",
    says = "a table was raised as an error" },
  { "a userdata raised", body = "error(newproxy(true))", says = "a userdata was raised as an error" },
  { "cdata raised", body = "error(ffi.new('int[4]'))", says = "a cdata was raised as an error" },
  { "a huge string raised", body = "error(('huge '):rep(2^22), 0)", says = "huge huge .*%.%.%." },
  { "a thread raised", body = "error(coroutine.create(print))", says = "a thread was raised as an error" },

  -- What everybody shares.
  { "standard files closed", done = true,
    body = "io.stdin:close() io.stdout:close() io.stderr:close() print 'nobody hears this'" },
  { "a debug hook left behind that raises", logs = "debug hook taken away", says = "the hook",
    body = "debug.sethook(function() error('the hook', 0) end, 'l')" },
  { "a debug hook left behind that does nothing", done = true, logs = "debug hook taken away",
    body = "debug.sethook(function() end, 'crl')" },
  { "an error in a finalizer of a proxy", done = true, logs = "a finalizer failed", body = [[
    getmetatable(newproxy(true)).__gc = function() error 'in a finalizer' end
    collectgarbage() collectgarbage()]] },
  { "an error in a finalizer of FFI", done = true,
    body = "ffi.gc(ffi.new 'int[1]', function() error 'in a finalizer' end)" },
  { "the garbage collector stopped", done = true, body = "collectgarbage 'stop'" },
  { "globals set to nil", done = true,
    body = "print, error, pcall, type, setmetatable, require, string, table = nil, nil, nil, nil, nil, nil, nil, nil" },
  { "globals cleared", done = true, body = "for name in pairs(_G) do _G[name] = nil end" },
  { "coroutine's functions taken away", done = true,
    body = "coroutine.yield, coroutine.resume, coroutine.create, coroutine.running = nil, nil, nil, nil" },
  { "methods of strings taken away", done = true, body = "for name in pairs(string) do string[name] = nil end" },
  { "package.loaded cleared", done = true,
    body = "for name in pairs(package.loaded) do package.loaded[name] = nil end" },
  { "functions replaced that it shares with the library", done = true, body = [[
    print, xpcall, setmetatable, getmetatable, rawget, type, next, pairs = 1, 1, 1, 1, 1, 1, 1, 1
    coroutine.yield, coroutine.resume, debug.traceback, table.remove, os.time, string.byte = 1, 1, 1, 1, 1, 1]] },
  { "the environment of its thread and of itself replaced", done = true, body = "setfenv(0, {}) setfenv(1, {})" },
}

describe("survived:", function()
  for _, fault in ipairs(FAULTS) do
    if wait.patience > 1 then fault.says = fault.asan or fault.says end
    if fault.says == "pending" then
      pending(fault[1] .. ": the sanitizer's own report counts as a defect")
    else
      it(fault[1], with_crew(function(crew) run_fault(crew, fault) end))
    end
  end

  it("descriptors of ours that a task closes, which runs alone and then waits", with_crew(function(crew)
    crew:script("close.lua", [[
      ffi.cdef 'int close(int);'
      crew.task("close", { perform = function()
        for fd = 3, 100 do ffi.C.close(fd) end
        while true do crew.sleep(0.01) end
      end })
    ]])
    local queue = crew:queue()
    crew:run { workers = 1, max_crashes = 2, kill_grace = "300ms" }
    queue:add { type = "close", id = "closes", timeout = 600 }
    crew:wait_counts(queue, 30, { archived = 1 })
    assert.matches("while it ran this task, 2 times", inspect(crew, "closes"))
  end))

  it("a child that the handler waits for without end, which dies with the worker", with_crew(function(crew)
    run_fault(crew, { body = "os.execute('echo $$ >' .. here .. '/child; exec sleep 300')", kills = true,
      says = KILLED })
    local child = tonumber((assert(io.open(crew.folder .. "/child")):read "*l"))
    crew:wait_until("the child has gone", 10, function() return not Process.exists(child) end)
  end))

  it("a child that outlives its handler, which dies with the worker", with_crew(function(crew)
    local node, worker = run_fault(crew, { done = true,
      body = "os.execute('sleep 300 & echo $! >' .. here .. '/child')" })
    local child = tonumber((assert(io.open(crew.folder .. "/child")):read "*l"))
    assert.is_true(Process.exists(child))
    uv.kill(worker, "sigkill")
    crew:wait_until("the child has gone", 10, function() return not Process.exists(child) end)
    node:send "sigterm"
    assert.equal(0, (node:wait(20)))
  end))

  it("a child in a session of its own, which nobody waits for", with_crew(function(crew)
    local node, worker = run_fault(crew, { done = true,
      body = "os.execute('setsid sh -c \"echo \\\\$\\\\$ >' .. here .. '/child; exec sleep 300\" &') "
        .. "repeat crew.sleep(0.01) until (io.open(here .. '/child') or io.stdin):read '*l'" })
    local child = tonumber((assert(io.open(crew.folder .. "/child")):read "*l"))
    crew:finally(function() uv.kill(child, "sigkill") end)
    assert.is_true(Process.exists(child))
    uv.kill(worker, "sigkill")
    crew:wait_until("another worker serves", 10, function()
      local now = node:workers()[1]
      return now and now ~= worker
    end)
    node:send "sigterm"
    assert.equal(0, (node:wait(20)))
  end))
end)
