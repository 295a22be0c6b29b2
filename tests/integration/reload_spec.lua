-- Reload: other scripts take over under load, and never worse ones.
local Node = require "node"
local Process = require "process"
local cjson = require "cjson"
local uv = require "luv"
local wait = require "wait"
local with_crew = require("support").with_crew

local function version(n)
  return ([[ crew.task("t", { perform = function(_, task) note("v%d", task.id) end }) ]]):format(n)
end

-- A task that runs as long as the file "hold" is there.
local function holding(n)
  return ([[ crew.task("t", { perform = function(_, task)
    note("begin%d", task.id)
    while io.open(here .. "/hold") do crew.sleep(0.02) end
    note("end%d", task.id)
  end }) ]]):format(n, n)
end

local BROKEN = 'local x = 1\nerror("it is broken")'

local function server_of(crew)
  local code, out = crew:command { "server", "ls", "--json" }
  assert.equal(0, code, out)
  return cjson.decode(out).servers[1]
end

local function wait_generation(crew, number)
  return crew:wait_until("generation " .. number .. " serves", 20, function()
    local server = server_of(crew)
    return server and server.generation == number and server.loaded_at and server
  end)
end

local function run_one(crew, queue, word)
  local before = crew.notes:count(word)
  queue:add { type = "t" }
  crew:wait_until("a task is run by " .. word, 20, function() return crew.notes:count(word) == before + 1 end)
end

local function wait_ready(crew, node, count)
  crew:wait_until(count .. " workers are ready", 20, function()
    return #node:log { event = "worker ready" } == count
  end)
end

describe("a reload", function()
  it("takes new scripts and the modules beside them into force, and says so", with_crew(function(crew)
    crew:script("t.lua", [[ local words = require "words"
      crew.task("t", { perform = function(_, task) note(words.word, task.id) end }) ]])
    crew:script("words.lua", [[ return { word = "old" } ]])
    local queue, node = crew:queue(), crew:run { workers = 2 }
    run_one(crew, queue, "old")
    wait_generation(crew, 1)
    local before = node:workers()
    crew:script("words.lua", [[ return { word = "new" } ]])
    local code, out = crew:command { "reload" }
    assert.equal(0, code, out)
    assert.matches("^%S+:" .. node.pid .. ": reloaded, generation 2 serves", out)
    run_one(crew, queue, "new")
    crew:wait_until("the old workers are gone", 20, function()
      local now = {}
      for _, pid in ipairs(node:workers()) do now[pid] = true end
      return not now[before[1]] and not now[before[2]]
    end)
    local server = wait_generation(crew, 2)
    assert.equal(0, server.draining)
    assert.is_nil(server.reload_error)
    assert.equal(2, server.pools[1].serving)
    assert.equal(1, #node:log { event = "scripts reloaded" })
    code, out = crew:command { "server", "ls" }
    assert.equal(0, code)
    assert.matches("GENERATION", out)
    assert.matches("2, [%w]+", out)
  end))

  it("with a script that does not load is refused with file and line, and the old ones serve on, also where a worker "
    .. "is started again", with_crew(function(crew)
    crew:script("t.lua", version(1))
    local queue, node = crew:queue(), crew:run { workers = 2 }
    run_one(crew, queue, "v1")
    wait_generation(crew, 1)
    crew:script("t.lua", BROKEN)
    local code, out = crew:command { "reload" }
    assert.equal(1, code, out)
    assert.matches("/scripts/t%.lua:3: it is broken %(generation 1 serves on%)", out)
    local refused = node:log { event = "reload refused" }
    assert.equal(1, #refused)
    assert.equal("error", refused[1].level)
    assert.matches("/scripts/t%.lua:3: it is broken", refused[1].detail)
    assert.equal("the old scripts serve on, in this generation", refused[1].consequence)
    assert.equal(0, #node:log { event = "worker died" })
    local errors = 0
    for _, line in ipairs(node:log()) do errors = errors + (line.level == "error" and 1 or 0) end
    assert.equal(1, errors)
    run_one(crew, queue, "v1")
    local served = {}
    for _, line in ipairs(node:log { event = "worker ready" }) do served[line.worker] = line.pid end
    for _, pid in pairs(served) do uv.kill(pid, "sigkill") end
    wait_ready(crew, node, 4)
    run_one(crew, queue, "v1")
    assert.matches("it is broken", server_of(crew).reload_error)
    assert.matches("the scripts were refused", select(2, crew:command { "server", "ls" }))
    crew:script("t.lua", version(2))
    code, out = crew:command { "reload", "--json" }
    assert.equal(0, code, out)
    assert.is_true(cjson.decode(out).servers[1].ok)
    run_one(crew, queue, "v2")
    assert.is_nil(server_of(crew).reload_error)
  end))

  it("lets handlers of the old scripts end, within the slots of both, and a further one waits for them",
    with_crew(function(crew)
      crew:script("t.lua", holding(1))
      crew:file("hold", "")
      local queue, node = crew:queue(), crew:run { workers = 1, concurrency = 2, prefetch = 0 }
      queue:add_many(3, function() return { type = "t" } end)
      crew:wait_until("two have begun", 20, function() return crew.notes:count "begin1" == 2 end)
      wait_generation(crew, 1)
      crew:script("t.lua", holding(2))
      local code, out = crew:command { "reload" }
      assert.equal(0, code, out)
      assert.matches("1 worker of the one before finish", out)
      crew:script("t.lua", holding(3))
      code, out = crew:command { "reload", "--timeout", "300ms" }
      assert.equal(1, code, out)
      assert.matches("not in time: 1 worker of the generation before", out)
      local waits = node:wait_log(20, { event = "reload waits" })
      assert.equal(2, waits.tasks)
      assert.equal(1, server_of(crew).draining)
      wait.hold("the third waits for a slot", 0.5, function() return crew.notes:count "begin2" == 0 end)
      uv.fs_unlink(crew.folder .. "/hold")
      crew:wait_counts(queue, 20, { processed = 3, pending = 0, active = 0 })
      assert.equal(2, crew.notes:count "end1")
      assert.equal(1, crew.notes:count "end2" + crew.notes:count "end3")
      wait_generation(crew, 3)
      run_one(crew, queue, "end3")
    end))

  it("asked for five times while one is under way is done once more", with_crew(function(crew)
    crew:script("t.lua", version(1))
    local queue, node = crew:queue(), crew:run { workers = 2 }
    run_one(crew, queue, "v1")
    crew:file("hold", "")
    crew:script("t.lua", [[ while io.open(here .. "/hold") do os.execute "sleep 0.02" end ]] .. version(2))
    node:send "sighup"
    node:wait_log(20, { event = "reloading scripts" })
    for _ = 1, 5 do
      node:send "sighup"
      wait.poll(0.02, function() end)
    end
    assert.equal(1, #node:log { event = "reload waits" })
    uv.fs_unlink(crew.folder .. "/hold")
    crew:wait_until("all are answered", 20, function()
      local server = server_of(crew)
      return server.reloads_asked >= 2 and server.reloads_answered == server.reloads_asked and server.draining == 0
    end)
    assert.equal(2, #node:log { event = "scripts reloaded" })
    run_one(crew, queue, "v2")
  end))

  it("is refused when a new worker is killed while it loads, and goes on when an old one is", with_crew(function(crew)
    local slow = [[ local till = os.time() + 60
      while io.open(here .. "/hold") and os.time() < till do os.execute "sleep 0.02" end ]]
    crew:script("t.lua", version(1))
    local queue, node = crew:queue(), crew:run { workers = 2 }
    run_one(crew, queue, "v1")
    wait_generation(crew, 1)
    wait_ready(crew, node, 2)
    local function new_ones()
      local old, new = {}, {}
      for _, line in ipairs(node:log { event = "worker ready" }) do old[line.pid] = true end
      for _, pid in ipairs(node:workers()) do
        if not old[pid] then new[#new + 1] = pid end
      end
      return #new >= 2 and new
    end
    crew:file("hold", "")
    crew:script("t.lua", slow .. version(2))
    node:send "sighup"
    uv.kill(crew:wait_until("new workers load", 20, new_ones)[1], "sigkill")
    assert.matches("ended by signal 9 .* while ", -- it loaded this, or before it came to any script
      node:wait_log(20, { event = "reload refused" }).detail)
    crew:wait_until("the other one is gone", 20, function() return not new_ones() end)
    run_one(crew, queue, "v1")

    node:send "sighup"
    crew:wait_until("new workers load", 20, new_ones)
    local old = node:log({ event = "worker ready" })[1].pid
    uv.kill(old, "sigkill")
    node:wait_log(20, { event = "worker died", pid = old })
    run_one(crew, queue, "v1")
    uv.fs_unlink(crew.folder .. "/hold")
    node:wait_log(20, { event = "scripts reloaded" })
    run_one(crew, queue, "v2")
    crew:wait_until("the old are gone", 20, function() return #node:workers() == 2 end)
    run_one(crew, queue, "v2")
  end))

  it("puts back what an old worker ran that is killed while it drains, and starts no other one in its place",
    with_crew(function(crew)
      crew:script("t.lua", holding(1))
      crew:file("hold", "")
      local queue, node = crew:queue(), crew:run { workers = 1, concurrency = 3, prefetch = 0 }
      queue:add_many(3, function() return { type = "t" } end)
      crew:wait_until("three have begun", 20, function() return crew.notes:count "begin1" == 3 end)
      local old = crew.notes:all("begin1")[1].pid
      crew:script("t.lua", holding(2))
      node:send "sighup"
      node:wait_log(20, { event = "scripts reloaded" })
      uv.kill(old, "sigkill")
      node:wait_log(20, { event = "worker died", pid = old })
      crew:wait_until("the new one has them", 20, function() return crew.notes:count "begin2" == 3 end)
      node:wait_log(20, { event = "old workers are gone" })
      assert.equal(1, #node:workers())
      uv.fs_unlink(crew.folder .. "/hold")
      crew:wait_counts(queue, 20, { processed = 3, failed = 0, pending = 0, active = 0 })
      assert.same({ 0, 3 }, { crew.notes:count "end1", crew.notes:count "end2" })
    end))

  it("is all that a terminal does which closes: no handler is lost", with_crew(function(crew)
    crew:script("t.lua", holding(1))
    crew:file("hold", "")
    local queue = crew:queue()
    local terminal = crew:terminal { workers = 1 }
    queue:add { type = "t" }
    crew:wait_until("it has begun", 20, function() return crew.notes:count "begin1" == 1 end)
    crew:script("t.lua", holding(2))
    terminal.pipe:close()
    crew:wait_until("the scripts are reloaded", 20, function()
      local server = server_of(crew)
      return server.generation == 2 and server.loaded_at
    end)
    uv.fs_unlink(crew.folder .. "/hold")
    crew:wait_counts(queue, 20, { processed = 1, failed = 0, pending = 0, active = 0 })
    assert.equal(1, crew.notes:count "end1")
    run_one(crew, queue, "end2")
    terminal.process:send "sigterm"
    assert.equal(0, (terminal.process:wait(20)))
  end))

  it("does not keep the supervisor from stopping", with_crew(function(crew)
    crew:script("t.lua", holding(1))
    local queue, node = crew:queue(), crew:run { workers = 2 }
    crew:file("hold", "")
    queue:add { type = "t" }
    crew:wait_until("it has begun", 20, function() return crew.notes:count "begin1" == 1 end)
    crew:file("loading", "")
    crew:script("t.lua", [[ while io.open(here .. "/loading") do os.execute "sleep 0.02" end ]] .. version(2))
    node:send "sighup"
    node:wait_log(20, { event = "reloading scripts" })
    node:send "sigterm"
    uv.fs_unlink(crew.folder .. "/hold")
    assert.same({ 0, 0 }, { node:wait(20) })
    assert.equal(1, crew.notes:count "end1")
    local counts = queue:counts()
    assert.same({ 1, 0, 0 }, { counts.processed, counts.active, counts.pending })
    assert.equal(0, #crew.redis:call("KEYS", "asynq:mc_servers:*"))
  end))

  it("stops with tasks in old workers that drain, and loses none of them", with_crew(function(crew)
    crew:script("t.lua", holding(1))
    local queue, node = crew:queue(), crew:run { workers = 2, shutdown_timeout = "200ms" }
    crew:file("hold", "")
    queue:add_many(4, function() return { type = "t" } end)
    crew:wait_until("they have begun", 20, function() return crew.notes:count "begin1" == 4 end)
    node:send "sighup"
    node:wait_log(20, { event = "scripts reloaded" })
    node:send "sigterm"
    assert.same({ 0, 0 }, { node:wait(20) })
    local counts = queue:counts()
    assert.same({ 4, 0, 0 }, { counts.pending, counts.active, counts.failed })
  end))

  it("with a script that never ends to load is refused in time", with_crew(function(crew)
    crew:script("t.lua", version(1))
    local queue, node = crew:queue(), crew:run { workers = 2, load_timeout = "1s" }
    run_one(crew, queue, "v1")
    crew:script("loop.lua", "while true do end")
    node:send "sighup"
    local line = node:wait_log(20, { event = "reload refused" })
    assert.matches("longer to load than load_timeout", line.detail)
    run_one(crew, queue, "v1")
    crew:wait_until("the new ones are gone", 20, function() return #node:workers() == 2 end)
    assert.same({}, node:log { event = "worker does not become ready" })
    uv.fs_unlink(crew.scripts .. "/loop.lua")
    crew:script("t.lua", version(2))
    assert.equal(0, (crew:command { "reload" }))
    run_one(crew, queue, "v2")
  end))

  it("whose server is stopped meanwhile says no more than that", with_crew(function(crew)
    crew:script("t.lua", version(1))
    local queue, node = crew:queue(), crew:run { workers = 1, shutdown_timeout = "1s" }
    run_one(crew, queue, "v1")
    crew:script("loop.lua", "while true do end")
    local command = Process.start(Node.program, { args = { "reload" }, cwd = crew.folder,
      env = { MOONCREW_REDIS = crew.server:url() }, output = crew:file("reload.out", "") })
    node:wait_log(20, { event = "reloading scripts" })
    node:send "sigterm"
    assert.same({ 0, 0 }, { node:wait(20) })
    assert.equal(1, (command:wait(30)))
    assert.matches(":%d+: the server has stopped\n$", command:text())
  end))

  it("adds the types of new files and takes away those of removed ones", with_crew(function(crew)
    crew:script("t.lua", version(1))
    crew:script("gone.lua", [[ crew.task("gone", { perform = function() note "gone" end }) ]])
    local queue, node = crew:queue(), crew:run()
    run_one(crew, queue, "v1")
    uv.fs_unlink(crew.scripts .. "/gone.lua")
    assert(uv.fs_mkdir(crew.scripts .. "/sub", tonumber("700", 8)))
    crew:script("sub/fresh.lua", [[ crew.task("fresh", { perform = function() note "fresh" end }) ]])
    node:send "sighup"
    node:wait_log(20, { event = "scripts reloaded" })
    queue:add { type = "fresh" }
    crew:wait_until("the new type is served", 20, function() return crew.notes:count "fresh" == 1 end)
    queue:add { type = "gone" }
    crew:wait_until("the old type is not", 20, function()
      local counts = queue:counts()
      return counts.retry + counts.archived == 1
    end)
    assert.equal(0, crew.notes:count "gone")
  end))

  it("follows a link that is set to another release", with_crew(function(crew)
    for n = 1, 2 do
      assert(uv.fs_mkdir(crew.folder .. "/release" .. n, tonumber("700", 8)))
      crew:file(("release%d/t.lua"):format(n), crew.notes:script(version(n)))
    end
    assert(uv.fs_symlink(crew.folder .. "/release1", crew.folder .. "/current"))
    local queue, node = crew:queue(), crew:run { scripts = crew.folder .. "/current" }
    run_one(crew, queue, "v1")
    assert(uv.fs_symlink(crew.folder .. "/release2", crew.folder .. "/next"))
    assert(uv.fs_rename(crew.folder .. "/next", crew.folder .. "/current"))
    node:send "sighup"
    node:wait_log(20, { event = "scripts reloaded" })
    run_one(crew, queue, "v2")
    crew:file("release2/t.lua", BROKEN)
    node:send "sighup"
    assert.matches("/current/t%.lua:2: it is broken", node:wait_log(20, { event = "reload refused" }).detail)
  end))

  it("of a folder that is gone is refused", with_crew(function(crew)
    crew:script("t.lua", version(1))
    local queue, node = crew:queue(), crew:run()
    run_one(crew, queue, "v1")
    assert(uv.fs_rename(crew.scripts, crew.folder .. "/away"))
    node:send "sighup"
    assert.matches("cannot read '.*/scripts': no such file", node:wait_log(20, { event = "reload refused" })
      .detail:lower())
    run_one(crew, queue, "v1")
  end))

  it("that cannot be begun, after one that served, ends no worker", with_crew(function(crew)
    crew:script("t.lua", version(1))
    local queue, node = crew:queue(), crew:run { workers = 2 }
    wait_ready(crew, node, 2)
    crew:script("t.lua", holding(2))
    assert.equal(0, (crew:command { "reload" }))
    wait.wait_until("the old ones are gone", 20, function() return #node:workers() == 2 end)
    local before = node:workers()
    crew:file("hold", "")
    queue:add { type = "t" }
    crew:wait_until("it has begun", 20, function() return crew.notes:count "begin2" == 1 end)
    assert(uv.fs_rename(crew.scripts, crew.folder .. "/away"))
    local code, out = crew:command { "reload" }
    assert.equal(1, code, out)
    assert.matches("generation 2 serves on", out)
    wait.hold("the same workers live", 0.5, function()
      return table.concat(before, " ") == table.concat(node:workers(), " ")
    end)
    uv.fs_unlink(crew.folder .. "/hold")
    crew:wait_counts(queue, 20, { processed = 1, active = 0, pending = 0 })
    assert.same({ 1, 1 }, { crew.notes:count "begin2", crew.notes:count "end2" })
  end))

  it("ends an old worker that does not end by itself, and says so", with_crew(function(crew)
    crew:script("t.lua", version(1) .. "crew.on_stop(function() while true do end end)")
    local queue, node = crew:queue(), crew:run { kill_grace = "300ms" }
    run_one(crew, queue, "v1")
    local old = node:workers()[1]
    crew:script("t.lua", version(2))
    node:send "sighup"
    local line = node:wait_log(20, { event = "worker does not end", pid = old })
    assert.matches("crew.on_stop", line.detail, 1, true)
    node:wait_log(20, { event = "old workers are gone" })
    assert.equal(1, #node:log { event = "worker does not end" })
    run_one(crew, queue, "v2")
  end))
end)

describe("mooncrew reload", function()
  it("waits for a server that Redis has forgotten meanwhile", with_crew(function(crew)
    crew:script("t.lua", version(1))
    local queue, node = crew:queue(), crew:run()
    run_one(crew, queue, "v1")
    wait_generation(crew, 1)
    crew:file("hold", "")
    crew:script("t.lua", [[ while io.open(here .. "/hold") do os.execute "sleep 0.02" end ]] .. version(2))
    local command = Process.start(Node.program, { args = { "reload", "--json" }, cwd = crew.folder,
      env = { MOONCREW_REDIS = crew.server:url() }, output = crew.folder .. "/reload.out" })
    node:wait_log(20, { event = "reloading scripts" })
    crew.redis:call "FLUSHALL"
    wait.hold("it waits", 0.5, function() return command:alive() end)
    uv.fs_unlink(crew.folder .. "/hold")
    assert.equal(0, (command:wait(30)), command:text())
    assert.is_true(cjson.decode(command:text()).servers[1].ok)
  end))

  it("says that no server of this machine is there, and tells others apart", with_crew(function(crew)
    local code, out = crew:command { "reload" }
    assert.equal(1, code)
    assert.matches("no server of mooncrew runs on this machine", out)
    crew:script("t.lua", version(1))
    local queue, node = crew:queue(), crew:run()
    run_one(crew, queue, "v1")
    wait_generation(crew, 1)
    assert.equal(1, (crew:command { "reload", "--pid", "1" }))
    assert.equal(0, (crew:command { "reload", "--pid", tostring(node.pid) }))
    code, out = crew:command { "reload", "--server", ("%s:%d"):format(uv.os_gethostname(), node.pid) }
    assert.equal(0, code, out)
    assert.equal(2, (crew:command { "reload", "--timeout", "soon" }))
  end))
end)
