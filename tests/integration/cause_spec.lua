-- What a person reads in `mooncrew task inspect` of a task that is to run again: why its last attempt came to nothing.
local wait = require "wait"
local with_crew = require("support").with_crew

local KILLED = "the handler went on, and its worker was killed after kill_grace"
local RAISED = "\nstate +retry\n.*\nretried +1 of 1\n.*\nlast error +"
local CRASHED = "\nstate +active\n.*\nretried +0 of 1\n.*\ncrashes +1\nlast crash +%d+[^\n]+: the worker "

-- The handler does it once; the second time it waits until the test has seen it.
local function script(fault)
  return ([[
    %s
    crew.task("fault", { perform = function(payload, task)
      if io.open(here .. "/again") then return crew.sleep(60) end
      io.open(here .. "/again", "w"):close()
      note("fault", task.id)
      %s
    end })
  ]]):format(fault.before or "", fault.body)
end

local CUT_OFF = "died of exit code 79 while it ran this task: the handler closed descriptors of its worker"

-- Sanitizers take much memory for themselves.
local LIMIT = wait.patience > 1 and "400M" or "64M"
local HOG = "was killed while it ran this task: it took %d+M of memory, more than twice memory_limit %(" .. LIMIT
  .. "%); %d+M of it came with this task"

-- What sanitizers make of a signal.
local ABORTED = "died of signal 6 %(Aborted%)"

-- body: the handler's; crash: what the task says of it when it comes back at once; error: what it says when that spent
-- a retry; asan: instead of crash, under sanitizers.
local FAULTS = {
  { "os.exit(0)", body = "os.exit(0)",
    crash = "died of exit code 0 while it ran this task: the handler ended its process" },
  { "os.exit(3)", body = "os.exit(3)",
    crash = "died of exit code 3 while it ran this task: the handler ended its process" },
  { "a segmentation fault", body = "ffi.cast('int *', 0)[0] = 1", asan = ABORTED,
    crash = "died of signal 11 %(Segmentation fault%) while it ran this task: native code" },
  { "recursion through C without end", asan = ABORTED, crash = "died of signal 11 .* too deep",
    body = "local function f() return (('x'):gsub('x', f)) end return f()" },
  { "abort()", before = "ffi.cdef 'void abort(void);'", body = "ffi.C.abort()",
    crash = "died of signal 6 %(Aborted%) while it ran this task: abort%(%) was called" },
  { "SIGTERM to itself", before = "ffi.cdef 'int raise(int);'", body = "ffi.C.raise(15)",
    crash = "died of signal 15 %(Terminated%) while it ran this task: it was asked to end from outside" },
  { "kill -9 of itself", before = "ffi.cdef 'int raise(int);'", body = "ffi.C.raise(9)",
    crash = "died of signal 9 %(Killed%) while it ran this task: it was killed from outside" },
  { "its worker's channel closed", before = "ffi.cdef 'int close(int);'", body = "ffi.C.close(3) crew.sleep(60)",
    crash = CUT_OFF },
  { "all descriptors closed", before = "ffi.cdef 'int close(int);'", body = "for i = 3, 200 do ffi.C.close(i) end",
    crash = CUT_OFF },
  { "its worker's channel closed in a loop", before = "ffi.cdef 'int close(int);'",
    body = "ffi.C.close(3) while true do end",
    crash = "was killed while it ran this task: its connection to the supervisor was closed in it" },
  { "memory of C", before = "ffi.cdef 'void *malloc(size_t); void *memset(void *, int, size_t);'", memory_limit = LIMIT,
    body = "while true do ffi.C.memset(ffi.C.malloc(2^20), 1, 2^20) crew.sleep(0.001) end", crash = HOG },
  { "coroutines that nobody ends", memory_limit = LIMIT, crash = HOG, body = [[
    local all = {}
    while true do
      for _ = 1, 1000 do
        all[#all + 1] = coroutine.wrap(function() local t = { #all } coroutine.yield(t) end)
        all[#all]()
      end
      crew.sleep(0)
    end]] },
  { "a loop without end", body = "while true do end", error = "context deadline exceeded: " .. KILLED },
  { "a loop that hears no signal", before = "ffi.cdef 'int sigfillset(void *); int sigprocmask(int, void *, void *);'",
    body = "local all = ffi.new('char[128]') ffi.C.sigfillset(all) ffi.C.sigprocmask(0, all, nil) while true do end",
    error = "context deadline exceeded: " .. KILLED },
  { "a loop that is cancelled", body = "while true do pcall(crew.sleep, 60) end", cancel = true, timeout = 600,
    error = "context canceled: " .. KILLED },
  { "nil raised", body = "error(nil)", error = "an error without a message %(nil was raised%)" },
  { "a table raised", body = "error { code = 7 }", error = 'a table was raised as an error: {"code":7}' },
  { "a table whose __tostring raises", error = "an error whose text cannot be read",
    body = "error(setmetatable({}, { __tostring = function() error 'twice' end }))" },
  { "a userdata raised", body = "error(newproxy(true))", error = "a userdata was raised as an error" },
  { "a huge string raised", body = "error(('huge '):rep(2^22), 0)", error = "huge huge .*%.%.%." },
  { "recursion without end", body = "local function f() return 1 + f() end return f()",
    error = "[^\n]+/fault%.lua:%d+: stack overflow" },
}

describe("a task that is to run again says why:", function()
  for _, fault in ipairs(FAULTS) do
    local says = fault.error and RAISED .. fault.error
      or CRASHED .. (wait.patience > 1 and fault.asan or fault.crash)
    it(fault[1], with_crew(function(crew)
      crew:script("fault.lua", script(fault))
      local queue = crew:queue()
      local node = crew:run { workers = 1, kill_grace = "300ms", max_crashes = 2, memory_limit = fault.memory_limit }
      queue:add { type = "fault", id = "fault", timeout = fault.timeout or fault.crash and 600 or 1, retry = 1 }
      if fault.cancel then
        crew:wait_until("it runs", 20, function() return crew.notes:count "fault" == 1 end)
        assert.equal(0, (crew:command { "task", "cancel", "fault" }))
      end
      local text
      crew:wait_until("the task says it", 20, function()
        local _
        _, text = crew:command { "task", "inspect", "fault" }
        return text:find(fault.error and "\nstate +retry" or "\nlast crash ") and text:find "\nstate +[ar]" , text
      end)
      assert.matches(says, text)
      assert.equal(1, crew.notes:count "fault")
      node:send "sigterm"
    end))
  end
end)
