-- Scripts: all of a folder's are loaded, and a folder that does not load does not run.
local uv = require "luv"
local with_crew = require("support").with_crew

local function assert_refused(crew, patterns)
  local node = crew:run()
  local code, signal = node:wait(20)
  assert.equal(0, signal)
  assert.is_true(code ~= 0, "exit code of a node whose scripts do not load")
  for _, pattern in ipairs(patterns) do
    assert.matches(pattern, node:text())
  end
  local check_code, text = crew:command { "check", "--scripts", crew.scripts }
  assert.equal(1, check_code, text)
  for _, pattern in ipairs(patterns) do
    assert.matches(pattern, text)
  end
end

describe("scripts", function()
  it("with a syntax error stop `run` and `check`, which name file and line", with_crew(function(crew)
    crew:script("fine.lua", [[ crew.task("t", { perform = function() end }) ]])
    crew:script("broken.lua", "\n\nlocal = 3\n")
    assert_refused(crew, { "broken%.lua:4:" })
  end))

  it("that raise an error while they load stop `run` and `check`, too", with_crew(function(crew)
    crew:script("broken.lua", [[error "no configuration for this"]])
    assert_refused(crew, { "broken%.lua:2:", "no configuration for this" })
  end))

  it("that register one name twice stop `run` and `check`, which name both", with_crew(function(crew)
    crew:script("one.lua", [[ crew.task("t", { perform = function() end }) ]])
    crew:script("two.lua", [[ crew.task("t", { perform = function() end }) ]])
    assert_refused(crew, { "one%.lua:2", "two%.lua:2" })
  end))

  -- runtime/lualib/traversal.h; LuaJIT has numbers for the functions that it can compile.
  it("walk tables by functions that LuaJIT does not compile", with_crew(function(crew)
    crew:script("t.lua", crew.HANDLER:format [[
      local util = require "jit.util"
      local count = 0
      for _ in pairs { 1, 2, a = 3 } do count = count + 1 end
      note("found", tostring(util.funcinfo(next).ffid), tostring(util.funcinfo(pairs).ffid), count)
    ]])
    local found = crew:run_handler():all("found")[1]
    assert.same({ "nil", "nil", "3" }, { found[2], found[3], tostring(found[4]) })
  end))

  it("are found in folders, and may require what stands beside them", with_crew(function(crew)
    assert(uv.fs_mkdir(crew.scripts .. "/deep", tonumber("700", 8)))
    crew:file("scripts/shared.lua", "return { word = 'shared' }\n")
    crew:script("deep/t.lua", [[
      local shared = require "shared"
      crew.task("t", { perform = function() note("ran", shared.word) end })
    ]])
    crew:queue():add { type = "t" }
    crew:run()
    crew:wait_until("the task has run", 20, function() return crew.notes:count "ran" == 1 end)
    assert.equal("shared", crew.notes:all("ran")[1][2])
  end))

  it("that pass are listed by `check`", with_crew(function(crew)
    crew:script("t.lua", [[ crew.task("mail:send", { queue = "low", perform = function() end }) ]])
    local code, text = crew:command { "check", "--scripts", crew.scripts }
    assert.equal(0, code, text)
    assert.matches("mail:send", text)
  end))
end)

describe("a folder of scripts that is not there", function()
  it("stops `run`, which names it", with_crew(function(crew)
    local node = crew:run { scripts = crew.folder .. "/nowhere" }
    local code = node:wait(20)
    assert.is_true(code ~= 0)
    assert.matches("nowhere", node:text())
  end))
end)

-- One cron entry and the fold of one group, both with this name, for tasks that old and new scripts have alike.
local NAMED = [[
local name = %q
crew.task("tick:" .. name, { perform = function(_, task) note("tick:" .. name, task.id) end })
crew.task("folded:" .. name, { retention = "1h", perform = function() note("folded:" .. name) end })
crew.cron("@every 1s", "tick:" .. name)
crew.aggregate { group = name, grace_period = "1s", type = "folded:" .. name, fold = function() return {} end }
]]

-- Kills a worker and waits until another one in its place is ready.
local function replace(crew, node, pid)
  local ready = #node:log { event = "worker ready" }
  uv.kill(pid, "sigkill")
  crew:wait_until("another worker is ready", 20, function()
    return #node:log { event = "worker ready" } > ready
  end)
end

describe("scripts that change while workers run", function()
  it("bring their cron entries and groups at a reload, and not with a worker that is started again",
    with_crew(function(crew)
    crew:script("names.lua", NAMED:format "old")
    local queue = crew:queue()
    local node = crew:run { workers = 2 }
    crew:wait_until("both workers are ready", 20, function() return #node:log { event = "worker ready" } == 2 end)
    crew:wait_until("the old entry ticks", 20, function() return crew.notes:count "tick:old" > 0 end)
    local old = node:workers()
    crew:script("names.lua", NAMED:format "new")
    crew:script("kept.lua", [[crew.task("tick:old", { perform = function() note "tick:old" end })]])
    queue:add_grouped("new", 2, function() return { type = "number", payload = "{}" } end)

    replace(crew, node, old[1])
    local ticks = crew.notes:count "tick:old"
    crew:wait_until("the old entry has gone on", 20, function() return crew.notes:count "tick:old" >= ticks + 4 end)
    assert.equal(0, crew.notes:count "tick:new")
    assert.equal(2, crew.redis:call("ZCARD", queue:key "g:new"))
    replace(crew, node, old[2])
    assert.equal(0, #node:log { event = "scripts differ between workers" })
    assert.equal(2, crew.redis:call("ZCARD", queue:key "g:new"))

    local ready = node:log { event = "worker ready" }
    node:send "sighup"
    crew:wait_until("the new entry ticks", 20, function() return crew.notes:count "tick:new" >= 2 end)
    crew:wait_until("the new group is folded", 20, function() return crew.notes:count "folded:new" == 1 end)
    ticks = crew.notes:count "tick:old"
    local new_ticks = crew.notes:count "tick:new"
    crew:wait_until("the new entry goes on", 20, function() return crew.notes:count "tick:new" > new_ticks + 1 end)
    assert.is_true(crew.notes:count "tick:old" <= ticks + 1, "the old entry has ended")
    assert.equal(0, queue:counts().retry, "tasks that a worker did not know")
    for _, note in ipairs(crew.notes:all "tick:new") do
      for _, line in ipairs(ready) do
        assert.is_true(note.pid ~= line.pid)
      end
    end
  end))
end)
