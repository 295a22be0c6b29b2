-- luv in a worker: files and sockets that wait as everything else does, and callbacks that harm nobody else.
local read_file = require "read_file"
local uv = require "luv"
local with_crew = require("support").with_crew

-- Runs one task of a script to its end; returns its hash and the node.
local function settle(crew, body, wanted, task)
  crew:script("t.lua", body)
  local queue = crew:queue()
  local whole = { type = "t", id = "one", retry = 0 }
  for name, value in pairs(task or {}) do
    whole[name] = value
  end
  queue:add(whole)
  local node = crew:run()
  crew:wait_counts(queue, 20, wanted)
  return queue:task "one", node
end

-- A server that sends back what it gets, in this process.
local function echo_server(crew)
  local server = uv.new_tcp()
  assert(server:bind("127.0.0.1", 0))
  local open = {}
  assert(server:listen(16, function()
    local client = uv.new_tcp()
    server:accept(client)
    open[client] = true
    client:read_start(function(_, data)
      if data then client:write(data) else client:close() open[client] = nil end
    end)
  end))
  crew:finally(function()
    for client in pairs(open) do client:close() end
    server:close()
  end)
  return server:getsockname().port, open
end

local ECHO = [[
local uv = require "luv"
local await = crew.async.await
local function connect(port)
  local tcp = uv.new_tcp()
  local err = await(function(resume)
    tcp:connect("127.0.0.1", port, resume)
    return function() tcp:close() end
  end)
  assert(not err, err)
  return tcp
end
local function read(tcp)
  local err, data = await(function(resume)
    tcp:read_start(function(...) tcp:read_stop() resume(...) end)
    return function() tcp:read_stop() note "cancelled" end
  end)
  assert(not err, err)
  return data
end
]]

describe("luv", function()
  it("reads a file while other tasks run", with_crew(function(crew)
    settle(crew, ([[
      local uv = require "luv"
      local function file(name, ...)
        local arguments = { ... }
        local err, result = crew.async.await(function(resume)
          arguments[#arguments + 1] = resume
          local request = assert(uv[name](unpack(arguments)))
          return function() uv.cancel(request) end
        end)
        assert(not err, err)
        return result
      end
      crew.task("t", { perform = function()
        local fd = file("fs_open", %q, "r", 0)
        note("read", file("fs_read", fd, 100, 0))
        file("fs_close", fd)
      end })
    ]]):format(crew:file("text", "hello")), { processed = 1, failed = 0 })
    assert.equal("hello", crew.notes:all("read")[1][2])
  end))

  it("talks to a TCP server, in many tasks at once", with_crew(function(crew)
    crew:script("t.lua", ECHO .. ([[
      crew.task("t", { perform = function(_, task)
        local tcp = connect(%d)
        tcp:write("I am " .. task.id)
        assert(read(tcp) == "I am " .. task.id)
      end })
    ]]):format(echo_server(crew)))
    local queue = crew:queue()
    for _ = 1, 200 do queue:add { type = "t" } end
    crew:run { concurrency = 100 }
    crew:wait_counts(queue, 20, { processed = 200, failed = 0, active = 0 })
  end))

  it("ends at once when the task's time is up, and its connection is closed", with_crew(function(crew)
    local port, open = echo_server(crew)
    local task = settle(crew, ECHO .. ([[
      crew.task("t", { perform = function() read(connect(%d)) end })
    ]]):format(port), { archived = 1 }, { timeout = 1 })
    assert.matches("context deadline exceeded", task.message.error_msg)
    assert.equal(1, crew.notes:count "cancelled")
    crew:wait_until("the connection is closed", 5, function() return next(open) == nil end)
  end))

  describe("has a callback whose error", function()
    it("fails the task that started it, and nobody else's", with_crew(function(crew)
      crew:script("t.lua", [[
        local uv = require "luv"
        crew.task("calm", { perform = function() crew.sleep(1) note "calm" end })
        crew.task("t", { perform = function()
          local function deep() error("in the callback") end
          uv.new_timer():start(200, 0, function() deep() end)
          crew.sleep(60)
        end })
      ]])
      local queue = crew:queue()
      for _ = 1, 10 do queue:add { type = "calm" } end
      queue:add { type = "t", id = "one", retry = 0 }
      local node = crew:run()
      local workers = crew:wait_until("a worker runs", 10, function()
        local all = node:workers()
        return #all == 1 and all
      end)
      crew:wait_counts(queue, 20, { processed = 11, failed = 1, archived = 1, active = 0 })
      assert.matches("t%.lua:5: in the callback", queue:task("one").message.error_msg)
      assert.same(workers, node:workers())
      assert.matches("in function 'deep'", node:text(), "the log has the callback's stack")
    end))

    it("fails the task even if the handler never hears of it", with_crew(function(crew)
      local task = settle(crew, [[
        local uv = require "luv"
        crew.task("t", { perform = function()
          uv.new_timer():start(50, 0, function() error "missed" end)
          pcall(crew.sleep, 10)
          return "fine"
        end })
      ]], { archived = 1 })
      assert.matches("missed", task.message.error_msg)
    end))

    it("is an outcome ends the task so", with_crew(function(crew)
      local task = settle(crew, [[
        local uv = require "luv"
        crew.task("t", { perform = function(_, task)
          uv.new_timer():start(50, 0, function() task:skip_retry("no use") end)
          crew.gather(function() crew.sleep(60) end, function() crew.sleep(60) end)
        end })
      ]], { archived = 1 }, { retry = 5 })
      assert.equal("no use", task.message.error_msg)
    end))

    it("comes after the task has ended is logged with its id, and harms nothing", with_crew(function(crew)
      crew:script("t.lua", [[
        local uv = require "luv"
        crew.task("t", { perform = function()
          local timer = crew.async.keep(uv.new_timer())
          timer:start(100, 0, function() timer:close() error "late" end)
        end })
        crew.task("calm", { perform = function() crew.sleep(1) end })
      ]])
      local queue = crew:queue()
      queue:add { type = "t", id = "one" }
      queue:add { type = "calm" }
      local node = crew:run()
      crew:wait_counts(queue, 20, { processed = 2, failed = 0, active = 0 })
      local line = node:wait_log(10, { event = "error in a callback whose task has ended" })
      assert.equal("one", line.task_id)
      assert.matches("late", line.error)
    end))

    it("belongs to no task is logged", with_crew(function(crew)
      local _, node = settle(crew, [[
        local uv = require "luv"
        uv.new_timer():start(10, 0, function() error "nobody's" end)
        crew.task("t", { perform = function() crew.sleep(0.2) end })
      ]], { processed = 1, failed = 0 })
      node:wait_log(10, { event = "error in a callback that belongs to no task" })
    end))
  end)

  it("closes the files that a task has left open, and no other", with_crew(function(crew)
    crew:script("t.lua", [[
      local uv = require "luv"
      local await, FILE = crew.async.await, "left-open.txt"
      require("ffi").cdef "int close(int);"
      local function open_file(flags)
        return uv.fs_open(FILE, flags or "r", 384)
      end
      local function open_now()
        local count = 0
        for fd in function(scan) return uv.fs_scandir_next(scan) end, assert(uv.fs_scandir("/proc/self/fd")) do
          local target = uv.fs_readlink("/proc/self/fd/" .. fd)
          count = count + ((target and target:find(FILE, 1, true)) and 1 or 0)
        end
        return count
      end
      local kept
      local ways = {
        at_once = function() open_file "w" return 1 end,
        later = function() await(function(resume) uv.fs_open(FILE, "r", 384, resume) end) return 1 end,
        temporary = function() uv.fs_mkstemp(FILE .. "XXXXXX") return 1 end,
        stopped = function() open_file() crew.sleep(60) end,
        kept = function() kept = crew.async.keep(open_file()) return 1 end,
        closed_by_another = function() uv.fs_close(kept) end,
        unfinished = function() uv.fs_open(FILE, "r", 384, function() end) end,
        used_again = function() -- the number that was closed in a roundabout way is now somebody else's
          local fd = open_file()
          uv.fs_close(fd)
          local file = io.open(FILE)
          note("same", tostring(open_now() == 1))
          _G.held = file
        end,
        others_close = function() _G.held:close() end,
        closed_unseen = function() -- and a socket of the worker has the number then
          local fd = open_file()
          require("ffi").C.close(fd)
          _G.socket = uv.new_tcp()
          _G.socket:bind("127.0.0.1", 0)
          crew.async.keep(_G.socket)
          note("same", tostring(_G.socket:fileno() == fd))
        end,
        socket_lives = function() note("same", tostring(uv.fs_fstat(_G.socket:fileno()) ~= nil)) _G.socket:close() end,
      }
      crew.task("t", { timeout = "1s", perform = function(way)
        local before = open_now()
        if way == "count" then return note("count", before) end
        local opened = ways[way]()
        if opened then note("opened", tostring(open_now() == before + opened)) end
      end })
    ]])
    local queue = crew:queue()
    local function perform(way)
      queue:add { type = "t", id = way, payload = '"' .. way .. '"', retry = 0, retention = 60, timeout = 1 }
      local state = way == "stopped" and "archived" or "completed"
      crew:wait_until(way .. " ended", 20, function() return queue:task(way).state == state end)
    end
    local counts = 0
    local function left(way, expected)
      perform(way)
      crew:wait_until(expected .. " are open after " .. way, 20, function()
        counts = counts + 1
        queue:add { type = "t", id = "count" .. counts, payload = '"count"', retry = 0 }
        crew:wait_until("they were counted", 20, function() return crew.notes:count "count" == counts end)
        return tonumber(crew.notes:all("count")[counts][2]) == expected
      end)
    end
    crew:run { workers = 1 }
    for _, way in ipairs { "at_once", "later", "temporary", "stopped", "unfinished" } do left(way, 0) end
    left("kept", 1)
    left("closed_by_another", 0)
    left("used_again", 1)
    left("others_close", 0)
    left("closed_unseen", 0)
    perform "socket_lives"
    for _, opened in ipairs(crew.notes:all "opened") do assert.equal("true", opened[2]) end
    assert.equal(3, crew.notes:count "same")
    for _, same in ipairs(crew.notes:all "same") do assert.equal("true", same[2]) end
  end))

  it("writes what a task has asked for into that task's file, also if it ends first", with_crew(function(crew)
    crew:script("t.lua", [[
      local uv = require "luv"
      local held
      local function open_for_writing(path) return assert(uv.fs_open(path, "w", 384)) end
      local function occupy_threads() -- all of libuv's: a pipe is opened when the other side opens it as well
        for i = 1, 4 do
          local path = here .. "/pipe" .. i
          assert(os.execute("mkfifo " .. path) == 0)
          uv.fs_open(path, "r", 0, function() end)
        end
      end
      local steps = {
        leave = function()
          occupy_threads()
          uv.fs_write(open_for_writing(here .. "/own"), "own", 0, function() note "written" end)
        end,
        other = function()
          held = crew.async.keep(open_for_writing(here .. "/other"))
          for _, pipe in ipairs { 1, 2, 3, 4 } do uv.fs_open(here .. "/pipe" .. pipe, "r+", 0) end
        end,
        descriptors = function()
          local count = 0
          for fd in function(scan) return uv.fs_scandir_next(scan) end, assert(uv.fs_scandir("/proc/self/fd")) do
            local target = uv.fs_readlink("/proc/self/fd/" .. fd)
            count = count + ((target == here .. "/own" or target == here .. "/other") and 1 or 0)
          end
          note("open", count)
        end,
      }
      crew.task("t", { perform = function(step) steps[step]() end })
    ]])
    local queue = crew:queue()
    local function perform(step, id)
      queue:add { type = "t", id = id or step, payload = '"' .. step .. '"', retry = 0, retention = 60 }
      crew:wait_until(step .. " is done", 20, function() return queue:task(id or step).state == "completed" end)
    end
    crew:run { workers = 1 }
    perform "leave"
    perform "other"
    crew:wait_until("it is written", 20, function() return crew.notes:count "written" == 1 end)
    assert.equal("own", read_file(crew.folder .. "/own"))
    assert.equal("", read_file(crew.folder .. "/other"))
    local asked = 0
    crew:wait_until("the task's file is closed", 20, function()
      asked = asked + 1
      perform("descriptors", "count" .. asked)
      return crew.notes:all("open")[asked][2] == "1"
    end)
  end))

  it("cannot wait in a callback, and says so", with_crew(function(crew)
    local task = settle(crew, [[
      local uv = require "luv"
      crew.task("t", { perform = function()
        uv.new_timer():start(10, 0, function() crew.sleep(1) end)
        crew.sleep(60)
      end })
    ]], { archived = 1 })
    assert.matches("t%.lua:4: waiting works only while a task runs, not .* in a callback", task.message.error_msg)
  end))

  it("names the task as the one to blame while its callback runs", with_crew(function(crew)
    crew:script("t.lua", [[
      local uv = require "luv"
      crew.task("calm", { perform = function() crew.sleep(1) end })
      crew.task("bad", { perform = function()
        uv.new_timer():start(300, 0, function() note "crash" ffi.cast("int *", 8)[0] = 1 end)
        crew.sleep(60)
      end })
    ]])
    local queue = crew:queue()
    for i = 1, 10 do queue:add { type = "calm", id = "calm" .. i } end
    queue:add { type = "bad", id = "bad" }
    crew:run { max_crashes = 2 }
    crew:wait_counts(queue, 30, { archived = 1, active = 0, pending = 0 })
    assert.same({ "bad" }, queue:ids "archived")
    assert.equal(2, crew.notes:count "crash")
  end))

  it("is without what would break the worker, and says why", with_crew(function(crew)
    settle(crew, [[
      local uv = require "luv"
      crew.task("t", { perform = function()
        for _, name in ipairs { "run", "stop", "loop_close", "walk", "sleep", "chdir", "new_thread", "queue_work" } do
          note("refused", tostring(pcall(uv[name], print)), select(2, pcall(uv[name], print)))
        end
        note("argument", select(2, pcall(function() uv.new_timer():start("x") end)))
      end })
    ]], { processed = 1, failed = 0 })
    local refused = crew.notes:all "refused"
    assert.equal(8, #refused)
    for _, entry in ipairs(refused) do
      assert.equal("false", entry[2])
      assert.matches("is taken away in a worker: ", entry[3])
    end
    assert.matches("t%.lua:7: bad argument", crew.notes:all("argument")[1][2], "errors of luv name the handler's line")
  end))

  it("leaves handles their methods, also those whose names are taken away elsewhere", with_crew(function(crew)
    settle(crew, [[
      local uv = require "luv"
      crew.task("t", { perform = function()
        local ticks, timer = 0, uv.new_timer()
        timer:start(10, 10, function() ticks = ticks + 1 timer:stop() end)
        crew.sleep(0.2)
        note("ticks", ticks)
      end })
    ]], { processed = 1, failed = 0 })
    assert.equal("1", crew.notes:all("ticks")[1][2])
  end))

  it("lets a handle that is kept serve later tasks", with_crew(function(crew)
    crew:script("t.lua", [[
      local uv = require "luv"
      local timer
      crew.task("t", { perform = function()
        timer = timer or crew.async.keep(uv.new_timer())
        crew.async.await(function(resume)
          timer:start(10, 0, resume)
          return function() timer:stop() end
        end)
      end })
    ]])
    local queue = crew:queue()
    crew:run { concurrency = 1 }
    for i = 1, 3 do
      queue:add { type = "t" }
      crew:wait_counts(queue, 20, { processed = i, failed = 0 })
    end
  end))

  it("ends the process that a handler spawned and left behind", with_crew(function(crew)
    settle(crew, [[
      local uv = require "luv"
      crew.task("t", { perform = function()
        local _, pid = uv.spawn("sleep", { args = { "1000" } }, function(_, signal) note("exit", signal) end)
        note("pid", pid)
      end })
    ]], { processed = 1, failed = 0 })
    crew:wait_until("it has ended", 10, function() return crew.notes:count "exit" == 1 end)
    assert.equal("9", crew.notes:all("exit")[1][2])
  end))
end)
