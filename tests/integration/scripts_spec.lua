-- Scripts: all of a folder's are loaded, and a folder that does not load does not run.
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

  it("are found in folders, and may require what stands beside them", with_crew(function(crew)
    assert(require("luv").fs_mkdir(crew.scripts .. "/deep", tonumber("700", 8)))
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
