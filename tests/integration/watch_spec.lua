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
