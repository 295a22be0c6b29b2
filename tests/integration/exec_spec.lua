-- Programs that handlers run: what they give back, and that nothing of them outlives its handler, whatever happens.
local Process = require "process"
local uv = require "luv"
local wait = require "wait"
local with_crew = require("support").with_crew

-- Runs a handler's body once, to its end; returns the notes "got" as lists of words, the task's hash, and the node.
local function perform(crew, body, options, config)
  crew:script("t.lua", ([[
    local function got(result, message, code)
      if result then
        local stdout, stderr = result.stdout:gsub("\n", " "), result.stderr:gsub("\n", " ")
        note("got", result.code or "none", result.signal or "none", stdout, stderr)
      else
        note("got", code, message)
      end
    end
    crew.task("t", { perform = function(_, task) %s end })
    local _ = got
  ]]):format(body))
  local queue = crew:queue()
  local task = { type = "t", id = "one", retry = 0 }
  for name, value in pairs(options or {}) do task[name] = value end
  queue:add(task)
  local node = crew:run(config)
  if not (options and options.running) then crew:wait_counts(queue, 40, { processed = 1, active = 0 }) end
  return crew.notes:all "got", queue:task "one", node, queue
end

-- A shell's text that leaves all kinds of processes behind, which note their ids: a child, a child of a child, one in a
-- group of its own, and a daemon (two forks, a session of its own).
local LEAVES_CHILDREN = [[
sleep 1000 & echo $! >> pids
sh -c "sleep 1000 & echo \$! >> pids; sleep 1000" & echo $! >> pids
setsid sh -c "(setsid sleep 1000 & echo \$! >> pids) & sleep 1000" & echo $! >> pids
(sh -c "echo \$\$ >> pids; trap \"\" TERM HUP INT; sleep 1000" &)
while [ $(wc -l < pids) -lt 6 ]; do sleep 0.01; done
]]

local function pids(crew)
  local file = io.open(crew.folder .. "/pids")
  local found = {}
  for line in file and file:lines() or function() end do found[#found + 1] = assert(tonumber(line)) end
  if file then file:close() end
  return found
end

-- A zombie that nobody has reaped yet does not run.
local function runs(pid)
  local file = io.open(("/proc/%d/stat"):format(pid))
  local text = file and file:read "*a"
  if file then file:close() end
  return text ~= nil and not text:find "%) [ZX]"
end

local function assert_all_end(crew, seconds)
  local all = pids(crew)
  assert.is_true(#all >= 6, "the program has started its children")
  crew:wait_until("all that the program started has ended", seconds, function()
    for _, pid in ipairs(all) do
      if runs(pid) then return nil, pid .. " runs" end
    end
    return true
  end)
end

describe("crew.exec", function()
  it("gives output, status and signal back", with_crew(function(crew)
    local got = perform(crew, [[
      got(crew.exec { "sh", "-c", "printf out; printf err >&2; exit 3" })
      got(crew.exec { "sh", "-c", "kill -TERM $$" })
      got(crew.exec { "printf", "%s", "a b; echo $HOME `id`" })
      got(crew.exec({ "cat" }, { stdin = "text" }))
      got(crew.exec { "sh", "-c", "printf through > /dev/stdout; cat" })
      got(crew.exec({ "sh", "-c", "exec <&-; sleep 0.1" }, { stdin = ("x"):rep(1e6) }))
    ]])
    assert.same({ "got", "3", "none", "out", "err" }, { unpack(got[1]) })
    assert.same({ "got", "none", "15", "", "" }, { unpack(got[2]) })
    assert.same({ "got", "0", "none", "a b; echo $HOME `id`", "" }, { unpack(got[3]) })
    assert.same({ "got", "0", "none", "text", "" }, { unpack(got[4]) })
    assert.same({ "got", "0", "none", "through", "" }, { unpack(got[5]) })
    assert.same({ "got", "0", "none", "", "" }, { unpack(got[6]) })
  end))

  it("takes megabytes in and out, in many tasks at once", with_crew(function(crew)
    crew:script("t.lua", [[
      crew.task("t", { perform = function(_, task)
        local text = task.id:rep(50000)
        assert(assert(crew.exec({ "cat" }, { stdin = text })).stdout == text)
      end })
    ]])
    local queue = crew:queue()
    for _ = 1, 40 do queue:add { type = "t" } end
    crew:run { concurrency = 20 }
    crew:wait_counts(queue, 30, { processed = 40, failed = 0, active = 0 })
  end))

  it("says why a program cannot run", with_crew(function(crew)
    local got = perform(crew, [[
      got(crew.exec { "no-such-program" })
      got(crew.exec { here .. "/missing" })
      got(crew.exec { here .. "/scripts/t.lua" })
      got(crew.exec({ "true" }, { cwd = here .. "/missing" }))
      got(crew.exec({ "true" }, { env = { PATH = "/nowhere" } }))
    ]])
    local codes = {}
    for i, entry in ipairs(got) do codes[i] = entry[2] end
    assert.same({ "NOT_FOUND", "NOT_FOUND", "NOT_EXECUTABLE", "NO_FOLDER", "NOT_FOUND" }, codes)
    assert.matches("there is no program 'no%-such%-program' in PATH", got[1][3])
    assert.matches("/missing", got[4][3])
  end))

  it("runs in the folder and the environment that are asked for", with_crew(function(crew)
    local got = perform(crew, [[
      got(crew.exec({ "sh", "-c", "printf '%s|%s|%s' \"$PWD\" \"$A\" \"${HOME-unset}\"" },
        { cwd = here, env = { A = "x=y", HOME = false } }))
    ]])
    assert.equal(uv.fs_realpath(crew.folder) .. "|x=y|unset", got[1][4])
  end))

  it("hands no descriptor of the worker's on, and no terminal group", with_crew(function(crew)
    local got = perform(crew, [[
      local held = assert(io.open(here .. "/scripts/t.lua"))
      got(crew.exec { "sh", "-c",
        "i=3; while [ $i -lt 64 ]; do [ ! -e /proc/$$/fd/$i ] || echo open $i; i=$((i + 1)); done" })
      got(crew.exec { "sh", "-c", "ps -o sid= -p $$" })
      held:close()
      got({ code = 0, stdout = tostring(ffi.C.getpid()), stderr = "" })
    ]])
    assert.equal("", got[1][4])
    assert.are_not.equal(got[3][4], got[2][4]:match "%d+", "a session of its own")
  end))

  it("kills a program that writes too much", with_crew(function(crew)
    local got = perform(crew, [[
      got(crew.exec({ "yes" }, { output_limit = 100000 }))
      got(crew.exec({ "sh", "-c", "head -c 100000 /dev/zero | tr '\\0' x; echo $$ >&2" }, { output_limit = 100000 }))
      got(crew.exec({ "sh", "-c", "head -c 100001 /dev/zero >&2" }, { output_limit = 100000 }))
    ]])
    assert.equal("OUTPUT_LIMIT", got[1][2])
    assert.equal(100000, #got[2][4])
    assert.equal("OUTPUT_LIMIT", got[3][2])
    assert.matches("more than 100000 bytes", got[3][3])
  end))

  describe("leaves nothing running", function()
    it("when the program ends and leaves others behind, for whom it does not wait", with_crew(function(crew)
      local got = perform(crew, ([[
        got(crew.exec({ "sh", "-c", %q }, { cwd = here }))
      ]]):format(LEAVES_CHILDREN .. "exit 5"))
      assert.equal("5", got[1][2])
      assert_all_end(crew, 0.5) -- before the handler went on
    end))

    it("when its own time is up", with_crew(function(crew)
      local got = perform(crew, ([[
        got(crew.exec({ "sh", "-c", %q }, { cwd = here, timeout = 10 }))
      ]]):format(LEAVES_CHILDREN .. "sleep 1000"))
      assert.equal("TIMEOUT", got[1][2])
      assert.matches("did not end within 10 s", got[1][3])
      assert_all_end(crew, 0.5)
    end))

    it("when the task's time is up", with_crew(function(crew)
      local _, task = perform(crew, ([[
        crew.exec({ "sh", "-c", %q }, { cwd = here })
      ]]):format(LEAVES_CHILDREN .. "sleep 1000"), { timeout = 10 })
      assert.matches("context deadline exceeded", task.message.error_msg)
      assert_all_end(crew, 5)
    end))

    it("when another function of a gather fails", with_crew(function(crew)
      local _, task = perform(crew, ([[
        crew.gather(function() crew.exec({ "sh", "-c", %q }, { cwd = here }) end, function()
          local function started()
            local file = io.open(here .. "/pids")
            local text = file and file:read "*a" or ""
            if file then file:close() end
            return select(2, text:gsub("\n", "")) >= 6
          end
          while not started() do crew.sleep(0.02) end
          error "the other one"
        end)
      ]]):format(LEAVES_CHILDREN .. "sleep 1000"))
      assert.matches("the other one", task.message.error_msg)
      assert_all_end(crew, 5)
    end))

    for name, victim in pairs { worker = true, supervisor = false } do
      it(("when the %s is killed with SIGKILL"):format(name), with_crew(function(crew)
        local _, _, node = perform(crew, ([[
          note "start"
          crew.exec({ "sh", "-c", %q }, { cwd = here })
        ]]):format(LEAVES_CHILDREN .. "sleep 1000"), { running = true }, { max_crashes = 1 })
        crew:wait_until("the program has started its children", 20, function() return #pids(crew) >= 6 end)
        uv.kill(victim and node:workers()[1] or node.pid, "sigkill")
        assert_all_end(crew, 10)
      end))
    end

    it("when the program is gone, not even a guard", with_crew(function(crew)
      local _, _, node = perform(crew, [[ for _ = 1, 20 do assert(crew.exec { "true" }) end ]])
      local worker = node:workers()[1]
      crew:wait_until("the worker has no children", 5, function() return #Process.children(worker) == 0 end)
    end))
  end)

  it("tells what was killed from outside, together with its guard", with_crew(function(crew)
    local got = perform(crew, [[
      got(crew.exec { "sh", "-c", "kill -9 $PPID; exec sleep 1000" })
    ]])
    assert.equal("KILLED", got[1][2])
  end))

  it("ends at once when the task is cancelled", with_crew(function(crew)
    local _, _, _, queue = perform(crew, [[ note "start" crew.exec { "sleep", "1000" } ]], { running = true })
    crew:wait_until("it runs", 10, function() return crew.notes:count "start" == 1 end)
    local before = wait.now_ms()
    crew.redis:call("PUBLISH", "asynq:cancel", "one")
    crew:wait_counts(queue, 10, { active = 0, archived = 1 })
    assert.is_true(wait.now_ms() - before < 1000 * wait.patience, "soon")
  end))
end)
