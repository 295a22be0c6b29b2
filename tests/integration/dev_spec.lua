-- `mooncrew dev` and its private Redis.
local Node = require "node"
local Process = require "process"
local uv = require "luv"
local wait = require "wait"
local with_crew = require("support").with_crew

local function start(crew, cwd, workers)
  workers = workers or "1"
  local process = Process.start(Node.program, { args = { "dev", "--workers", workers, "--scripts", crew.scripts },
    cwd = cwd or crew.folder, output = ("%s/dev%s.out"):format(crew.folder, workers) })
  crew:finally(function() if process:alive() then process:kill() end end)
  wait.wait_until("dev runs", 20, function()
    assert(process:alive(), process:text())
    return process:text():find("connected to redis", 1, true)
  end)
  return process, tonumber(process:text():match "%(pid (%d+),"), process:text()
end

describe("mooncrew dev", function()
  it("stops with 1 when its Redis dies, and says so", with_crew(function(crew)
    crew:script("t.lua", [[ crew.task("t", { perform = function() end }) ]])
    local process, redis = start(crew)
    uv.kill(redis, "sigkill")
    assert.equal(1, (process:wait(20)))
    assert.matches("error the private redis%-server has ended detail=.*mooncrew dev cannot go on without it",
      process:text())
    assert.is_false(Process.exists(redis))
  end))

  it("says what runs", with_crew(function(crew)
    crew:script("t.lua", [[ crew.task("t", { perform = function() end }) ]])
    local process, _, text = start(crew)
    assert.matches("mooncrew dev: 1 worker runs 1 script in %S+/ on a private Redis %(pid %d+, data in ", text)
    process:send "sigterm"
    assert.equal(0, (process:wait(20)))
    crew:script("u.lua", [[ crew.task("u", { perform = function() end }) ]])
    process, _, text = start(crew, nil, "2")
    assert.matches("mooncrew dev: 2 workers run 2 scripts in %S+/ on", text)
    process:send "sigterm"
    assert.equal(0, (process:wait(20)))
  end))

  it("leaves no folder of its socket behind", with_crew(function(crew)
    local deep = crew.folder .. "/" .. ("long"):rep(25)
    assert(uv.fs_mkdir(deep, tonumber("700", 8)))
    local process, _, text = start(crew, deep)
    local folder = text:match "at redis%+unix://(/%S+)/redis%.sock"
    assert.is_nil(folder:find("%.mooncrew"), folder)
    assert.truthy(uv.fs_stat(folder))
    process:send "sigterm"
    assert.equal(0, (process:wait(20)))
    assert.is_nil((uv.fs_stat(folder)))
  end))

  it("warns of an empty scripts folder and of another Redis that commands would use", with_crew(function(crew)
    crew:file("mooncrew.lua", 'return { redis = "redis://me:hunter2@h:1" }')
    local process, _, text = start(crew)
    assert.matches("mooncrew: warning: there is no script in '[^']*': no task type is served\n", text)
    assert.matches("mooncrew: warning: mooncrew.lua names another Redis, redis://h:1/0: commands in this folder use",
      text)
    assert.is_nil(text:find "hunter2")
    process:send "sigterm"
    assert.equal(0, (process:wait(20)))
  end))
end)
