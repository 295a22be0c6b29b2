-- Watching the scripts: what an editor writes is loaded, what it breaks is not.
local Node = require "node"
local Process = require "process"
local uv = require "luv"
local wait = require "wait"
local with_crew = require("support").with_crew

local MODE = tonumber("700", 8)

local function version(n)
  return ([[ crew.task("t", { perform = function(_, task) note("v%d", task.id) end }) ]]):format(n)
end

local function run_one(crew, queue, word)
  local before = crew.notes:count(word)
  queue:add { type = "t" }
  crew:wait_until("a task is run by " .. word, 20, function() return crew.notes:count(word) == before + 1 end)
end

local function wait_reloads(crew, node, count)
  crew:wait_until(count .. " reloads", 20, function() return #node:log { event = "scripts reloaded" } >= count end)
end

local function watching(crew)
  crew:script("t.lua", version(1))
  local queue, node = crew:queue(), crew:run({ workers = 2 }, { flags = { "--watch" } })
  run_one(crew, queue, "v1")
  return queue, node
end

describe("watching the scripts", function()
  it("loads what an editor writes in place, renames over the file, or writes in steps", with_crew(function(crew)
    local queue, node = watching(crew)
    crew:script("t.lua", version(2))
    wait_reloads(crew, node, 1)
    run_one(crew, queue, "v2")
    crew:file("scripts/.t.lua.swp", crew.notes:script(version(3)))
    assert(uv.fs_rename(crew.scripts .. "/.t.lua.swp", crew.scripts .. "/t.lua"))
    wait_reloads(crew, node, 2)
    run_one(crew, queue, "v3")
    local file = assert(io.open(crew.scripts .. "/t.lua", "wb"))
    for piece in (crew.notes:script(version(4))):gmatch "...?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?" do
      file:write(piece)
      file:flush()
      wait.poll(0.01, function() end)
    end
    file:close()
    wait_reloads(crew, node, 3)
    run_one(crew, queue, "v4")
    assert.same({}, node:log { event = "reload refused" })
  end))

  it("reloads once for many files, and not for what is no script or no change", with_crew(function(crew)
    local _, node = watching(crew)
    for i = 1, 200 do
      crew:script(("many%d.lua"):format(i), ("return %d"):format(i))
    end
    wait_reloads(crew, node, 1)
    crew:file("scripts/notes.txt", "words")
    crew:file("scripts/.hidden.lua", "error 'x'")
    crew:script("many1.lua", "return 1")
    wait.hold("nothing is reloaded", 0.7, function() return #node:log { event = "reloading scripts" } == 1 end)
  end))

  it("sees new folders, and those that are replaced", with_crew(function(crew)
    local queue, node = watching(crew)
    assert(uv.fs_mkdir(crew.scripts .. "/sub", MODE))
    crew:script("sub/words.lua", [[ return "sub" ]])
    crew:script("t.lua", [[ crew.task("t", { perform = function() note(require "sub.words") end }) ]])
    wait_reloads(crew, node, 1)
    run_one(crew, queue, "sub")
    local done = #node:log { event = "scripts reloaded" }
    crew:script("sub/words.lua", [[ return "changed" ]])
    wait_reloads(crew, node, done + 1)
    run_one(crew, queue, "changed")
    done = #node:log { event = "scripts reloaded" }
    assert(uv.fs_mkdir(crew.folder .. "/other", MODE))
    crew:file("other/t.lua", crew.notes:script(version(9)))
    assert(uv.fs_rename(crew.scripts, crew.folder .. "/old"))
    assert(uv.fs_rename(crew.folder .. "/other", crew.scripts))
    wait_reloads(crew, node, done + 1)
    run_one(crew, queue, "v9")
  end))

  it("keeps the old scripts while a file is broken, and goes on when it is mended", with_crew(function(crew)
    local queue, node = watching(crew)
    crew:script("t.lua", "local = 3")
    assert.matches("/t%.lua:2: ", node:wait_log(20, { event = "reload refused" }).detail)
    run_one(crew, queue, "v1")
    crew:script("t.lua", version(2))
    wait_reloads(crew, node, 1)
    run_one(crew, queue, "v2")
  end))

  it("sees a volume of Kubernetes change, whose files stand behind a hidden link", with_crew(function(crew)
    for n = 1, 2 do
      assert(uv.fs_mkdir(("%s/..%d"):format(crew.scripts, n), MODE))
      crew:script(("..%d/t.lua"):format(n), version(n))
    end
    assert(uv.fs_symlink("..1", crew.scripts .. "/..data"))
    assert(uv.fs_symlink("..data/t.lua", crew.scripts .. "/t.lua"))
    local queue, node = crew:queue(), crew:run({ workers = 2 }, { flags = { "--watch" } })
    run_one(crew, queue, "v1")
    for turn, n in ipairs { 2, 1 } do -- the first may be found by the look at the start
      assert(uv.fs_symlink(".." .. n, crew.scripts .. "/..data_tmp"))
      assert(uv.fs_rename(crew.scripts .. "/..data_tmp", crew.scripts .. "/..data"))
      wait_reloads(crew, node, turn)
      run_one(crew, queue, "v" .. n)
    end
  end))

  it("says once, and what to do, that the kernel lets it watch no more folders", with_crew(function(crew)
    crew:script("t.lua", version(1))
    for i = 1, 20 do assert(uv.fs_mkdir(("%s/sub%d"):format(crew.scripts, i), MODE)) end
    local output = crew.folder .. "/limited.log"
    local process = Process.start("unshare", { -- limits are those of a user namespace
      args = { "--user", "--map-root-user", "sh", "-c",
        "echo 5 > /proc/sys/user/max_inotify_watches && exec " .. Node.program .. " run --watch --log-format json" },
      env = { MOONCREW_REDIS = crew.server:url(), MOONCREW_SCRIPTS = crew.scripts, MOONCREW_WORKERS = "1" },
      cwd = crew.folder, output = output })
    crew:finally(function() if process:alive() then process:kill() end end)
    run_one(crew, crew:queue(), "v1")
    crew:script("t.lua", version(2))
    wait.wait_until("the folder itself is watched", 20, function()
      return process:text():find("scripts reloaded", 1, true)
    end)
    local line, more = process:text():match '("event":"folders not watched"[^\n]*)(.*)'
    assert.matches('"folders":17', line)
    assert.matches("raise fs.inotify.max_user_watches", line, 1, true)
    assert.is_nil(more:find("not watched", 1, true))
    process:send "sigterm"
    assert.equal(0, (process:wait(20)))
  end))

  it("is off unless it is asked for", with_crew(function(crew)
    crew:script("t.lua", version(1))
    local queue, node = crew:queue(), crew:run()
    run_one(crew, queue, "v1")
    crew:script("t.lua", version(2))
    wait.hold("nothing is reloaded", 0.7, function() return #node:log { event = "reloading scripts" } == 0 end)
  end))

  it("waits for scripts to be mended when the first ones do not load", with_crew(function(crew)
    crew:script("t.lua", "local = 3")
    local queue, node = crew:queue(), crew:run({ workers = 2 }, { flags = { "--watch" } })
    node:wait_log(20, { event = "waiting for the scripts" })
    crew:script("t.lua", "local = 4")
    assert.matches("nothing is served", node:wait_log(20, { event = "reload refused" }).consequence)
    crew:script("t.lua", version(1))
    run_one(crew, queue, "v1")
    node:send "sigterm"
    assert.same({ 0, 0 }, { node:wait(20) })
  end))
end)

describe("mooncrew dev", function()
  local function start(crew, flags)
    local args = { "dev", "--workers", "1", "--scripts", crew.scripts }
    for _, flag in ipairs(flags or {}) do args[#args + 1] = flag end
    local process = Process.start(Node.program, { args = args, cwd = crew.folder, output = crew.folder .. "/dev.out" })
    crew:finally(function() if process:alive() then process:kill() end end)
    wait.wait_until("dev runs", 20, function() return process:text():find("worker ready", 1, true) end)
    return process
  end

  local function command(crew, args)
    return Process.run(Node.program, { args = args, cwd = crew.folder, output = crew:file("c.out", "") }, 20)
  end

  it("watches, and `mooncrew reload` finds it", with_crew(function(crew)
    crew:script("t.lua", version(1))
    local process = start(crew)
    crew:script("t.lua", version(2))
    wait.wait_until("it reloads", 20, function() return process:text():find("scripts reloaded", 1, true) end)
    local code, out = command(crew, { "reload" })
    assert.equal(0, code, out)
    assert.matches("reloaded, generation 3 serves", out)
    process:send "sigterm"
    assert.equal(0, (process:wait(20)))
  end))

  it("does not watch with --no-watch", with_crew(function(crew)
    crew:script("t.lua", version(1))
    local process = start(crew, { "--no-watch" })
    crew:script("t.lua", version(2))
    wait.hold("nothing is reloaded", 0.7, function() return not process:text():find("reloading", 1, true) end)
    process:send "sigterm"
    assert.equal(0, (process:wait(20)))
  end))
end)
