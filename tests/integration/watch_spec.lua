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

-- Has tasks run, one after another, until one is run by the script that notes the word.
local function run_one(crew, queue, word)
  local before = crew.notes:count(word)
  crew:wait_until("a task is run by " .. word, 20, function()
    local counts = queue:counts()
    if counts.pending + counts.active == 0 then queue:add { type = "t" } end
    return crew.notes:count(word) > before
  end)
end

local function count_log(node, event)
  return #node:log { event = event }
end

local function watching(crew)
  crew:script("t.lua", version(1))
  local queue, node = crew:queue(), crew:run({ workers = 2 }, { flags = { "--watch" } })
  run_one(crew, queue, "v1")
  return queue, node
end

-- A writer that pauses for longer, or goes on for longer, may rightly be taken to have ended: see watch.c.
local PAUSE_MS, WHOLE_MS = 60, 1000

local function pause(seconds)
  wait.hold("time passes", seconds, function() return true end)
end

-- Has a change made to the version that it is given; on a busy machine again, with the next version, until it was made
-- without a pause: write(n, step, rest) calls step() after each part, and rest(seconds) where a pause does no harm.
-- Returns what was logged of the last one.
local function change_without_pause(crew, queue, node, n, write)
  for attempt = n, n + 50 do
    local reloads, refused = count_log(node, "reloading scripts"), count_log(node, "reload refused")
    local began_ms, longest_ms = wait.now_ms(), 0
    local last_ms = began_ms
    local function step()
      local now_ms = wait.now_ms()
      longest_ms, last_ms = math.max(longest_ms, now_ms - last_ms), now_ms
    end
    local function rest(seconds)
      local from_ms = wait.now_ms()
      pause(seconds)
      local rested_ms = wait.now_ms() - from_ms
      began_ms, last_ms = began_ms + rested_ms, last_ms + rested_ms
    end
    write(attempt, step, rest)
    run_one(crew, queue, "v" .. attempt)
    if longest_ms < PAUSE_MS and last_ms - began_ms < WHOLE_MS then
      return { reloads = count_log(node, "reloading scripts") - reloads,
        refused = count_log(node, "reload refused") - refused }
    end
  end
  error "this machine is too busy to write a file without a pause"
end

describe("watching the scripts", function()
  it("loads what an editor writes in place, or renames over the file", with_crew(function(crew)
    local queue, node = watching(crew)
    local seen = change_without_pause(crew, queue, node, 2, function(n, step)
      crew:script("t.lua", version(n))
      step()
    end)
    assert.same({ reloads = 1, refused = 0 }, seen)
    crew:file("scripts/.t.lua.swp", crew.notes:script(version(99)))
    assert(uv.fs_rename(crew.scripts .. "/.t.lua.swp", crew.scripts .. "/t.lua"))
    run_one(crew, queue, "v99")
    assert.equal(0, count_log(node, "reload refused"))
  end))

  it("loads what an editor writes in steps when it is whole", with_crew(function(crew)
    local queue, node = watching(crew)
    local seen = change_without_pause(crew, queue, node, 2, function(n, step)
      local file = assert(io.open(crew.scripts .. "/t.lua", "wb"))
      for piece in crew.notes:script(version(n)):gmatch(("."):rep(3) .. (".?"):rep(40)) do
        file:write(piece)
        file:flush()
        step()
        pause(0.01)
      end
      file:close()
      step()
    end)
    assert.same({ reloads = 1, refused = 0 }, seen)
  end))

  it("hears first what happened while it was kept from looking", with_crew(function(crew)
    local queue, node = watching(crew)
    local seen = change_without_pause(crew, queue, node, 2, function(n, step, rest)
      crew:script("other.lua", ("return %d"):format(n))
      pause(0.02) -- it hears of this one, most likely
      node:send "sigstop"
      step()
      rest(0.3) -- longer than it waits for more
      local file, text = assert(io.open(crew.scripts .. "/t.lua", "wb")), crew.notes:script(version(n))
      file:write(text:sub(1, -10))
      file:flush()
      node:send "sigcont"
      pause(0.02)
      file:write(text:sub(-9))
      file:close()
      step()
    end)
    assert.same({ reloads = 1, refused = 0 }, seen)
  end))

  it("reloads once for many files, and not for what is no script or no change", with_crew(function(crew)
    local queue, node = watching(crew)
    local seen = change_without_pause(crew, queue, node, 2, function(n, step)
      for i = 1, 200 do
        crew:script(("many%d.lua"):format(i), ("return %d"):format(n))
        step()
      end
      crew:script("t.lua", version(n))
      step()
    end)
    assert.same({ reloads = 1, refused = 0 }, seen)
    local reloads = count_log(node, "reloading scripts")
    crew:file("scripts/notes.txt", "words")
    crew:file("scripts/.hidden.lua", "error 'x'")
    local file = assert(io.open(crew.scripts .. "/many1.lua", "r+b")) -- at no time is it empty
    file:write(crew.notes:script "return")
    file:close()
    wait.hold("nothing is reloaded", 0.7, function() return count_log(node, "reloading scripts") == reloads end)
  end))

  it("sees new folders, and those that are replaced", with_crew(function(crew)
    local queue = watching(crew)
    assert(uv.fs_mkdir(crew.scripts .. "/sub", MODE))
    crew:script("sub/words.lua", [[ return "sub" ]])
    crew:script("t.lua", [[ crew.task("t", { perform = function() note(require "sub.words") end }) ]])
    run_one(crew, queue, "sub")
    crew:script("sub/words.lua", [[ return "changed" ]])
    run_one(crew, queue, "changed")
    assert(uv.fs_mkdir(crew.folder .. "/other", MODE))
    crew:file("other/t.lua", crew.notes:script(version(9)))
    assert(uv.fs_rename(crew.scripts, crew.folder .. "/old"))
    assert(uv.fs_rename(crew.folder .. "/other", crew.scripts))
    run_one(crew, queue, "v9")
  end))

  it("keeps the old scripts while a file is broken, and goes on when it is mended", with_crew(function(crew)
    local queue, node = watching(crew)
    crew:script("t.lua", "local = 3")
    assert.matches("/t%.lua:2: ", node:wait_log(20, { event = "reload refused" }).detail)
    run_one(crew, queue, "v1")
    crew:script("t.lua", version(2))
    run_one(crew, queue, "v2")
  end))

  it("sees a release take the place of another one, by a link or a folder above the scripts", with_crew(function(crew)
    local function release(n)
      for _, folder in ipairs { "", "/scripts" } do
        assert(uv.fs_mkdir(("%s/release%d%s"):format(crew.folder, n, folder), MODE))
      end
      crew:file(("release%d/scripts/t.lua"):format(n), crew.notes:script(version(n)))
    end
    for n = 1, 4 do release(n) end
    assert(uv.fs_symlink("release1", crew.folder .. "/current"))
    assert(uv.fs_symlink(crew.folder .. "/current", crew.folder .. "/app"))
    local queue = crew:queue()
    crew:run { watch = true, scripts = crew.folder .. "/app/scripts" }
    run_one(crew, queue, "v1")
    assert(uv.fs_symlink("release2", crew.folder .. "/next"))
    assert(uv.fs_rename(crew.folder .. "/next", crew.folder .. "/current"))
    run_one(crew, queue, "v2")
    assert(uv.fs_unlink(crew.folder .. "/app"))
    assert(uv.fs_symlink("release3", crew.folder .. "/app"))
    run_one(crew, queue, "v3")
    assert(uv.fs_rename(crew.folder .. "/release3", crew.folder .. "/old"))
    assert(uv.fs_rename(crew.folder .. "/release4", crew.folder .. "/release3"))
    run_one(crew, queue, "v4")
  end))

  it("sees a volume of Kubernetes change, whose files stand behind a hidden link", with_crew(function(crew)
    for n = 1, 2 do
      assert(uv.fs_mkdir(("%s/..%d"):format(crew.scripts, n), MODE))
      crew:script(("..%d/t.lua"):format(n), version(n))
    end
    assert(uv.fs_symlink("..1", crew.scripts .. "/..data"))
    assert(uv.fs_symlink("..data/t.lua", crew.scripts .. "/t.lua"))
    local queue = crew:queue()
    crew:run({ workers = 2 }, { flags = { "--watch" } })
    run_one(crew, queue, "v1")
    for _, n in ipairs { 2, 1 } do -- the first may be found by the look at the start
      assert(uv.fs_symlink(".." .. n, crew.scripts .. "/..data_tmp"))
      assert(uv.fs_rename(crew.scripts .. "/..data_tmp", crew.scripts .. "/..data"))
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
