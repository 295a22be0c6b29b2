-- A program may be started without standard input, output or error.
local Node = require "node"
local Process = require "process"
local with_crew = require("support").with_crew

local function shell(crew, line)
  return Process.run("/bin/sh", { args = { "-c", line }, cwd = crew.folder,
    env = { MOONCREW_REDIS = crew.server:url(), M = Node.program }, output = crew:file("shell.out", "") }, 20)
end

describe("without a standard file", function()
  it("a task is enqueued, and the exit code is true", with_crew(function(crew)
    assert.equal(0, (shell(crew, '"$M" enqueue t <&-')))
    assert.equal(0, (shell(crew, '"$M" enqueue t 2>&-')))
    assert.equal(0, (shell(crew, '"$M" enqueue t <&- 2>&-')))
    assert.equal(3, crew:queue():counts().pending)
  end))

  it("output that cannot be written is told", with_crew(function(crew)
    local code, text = shell(crew, '"$M" version >&-')
    assert.equal(1, code)
    assert.equal("mooncrew: cannot write to standard output: Bad file descriptor (IO_ERROR)\n", text)
    assert.equal(1, (shell(crew, '"$M" help <&- >&- 2>&-')))
  end))

  it("a payload cannot be read from there", with_crew(function(crew)
    local code, text = shell(crew, '"$M" enqueue t - <&-')
    assert.equal(1, code)
    assert.equal("mooncrew: cannot read standard input: Bad file descriptor\n", text)
  end))

  it("a node runs its tasks", with_crew(function(crew)
    crew:script("t.lua", [[ crew.task("t", { perform = function() note("ran") end }) ]])
    crew:queue():add { type = "t" }
    local process = Process.start("/bin/sh", { args = { "-c", 'exec "$M" run --workers 1 <&- >&- 2>&-' },
      cwd = crew.folder, env = { MOONCREW_REDIS = crew.server:url(), M = Node.program }, output = "/dev/null" })
    crew:finally(function() if process:alive() then process:kill() end end)
    crew:wait_until("the task has run", 20, function() return crew.notes:count "ran" == 1 end)
    process:send "sigterm"
    assert.equal(0, (process:wait(20)))
  end))
end)
