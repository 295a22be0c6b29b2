-- mooncrew completion, as bash uses it.

package.path = "./spec/lua/cli/?.lua;" .. package.path

local console = require "console"

describe("mooncrew completion", function()
  local it_is, path

  before_each(function()
    it_is = console.open()
    path = os.tmpname()
  end)

  after_each(function()
    it_is:close()
    os.remove(path)
  end)

  -- What bash proposes for the last of these words.
  local function proposals(...)
    local words = { ... }
    local pipe = assert(io.popen(([[bash -c '
      source %s && COMP_WORDS=(%s) COMP_CWORD=%d && _mooncrew && echo "${COMPREPLY[@]}"
    ' 2>&1]]):format(path, table.concat(words, " "), #words - 1)))
    local text = pipe:read("*a")
    pipe:close()
    return (text:gsub("%s+$", ""))
  end

  it("lets bash complete commands, flags and states", function()
    local code, script = it_is:run("completion", "bash")
    assert.equal(0, code)
    local file = assert(io.open(path, "wb"))
    file:write(script)
    file:close()
    assert.equal("queue", proposals("mooncrew", "qu"))
    assert.equal("inspect", proposals("mooncrew", "task", "in"))
    assert.equal("--state", proposals("mooncrew", "task", "ls", "--st"))
    assert.equal("active archived aggregating", proposals("mooncrew", "task", "ls", "--state", "a"))
  end)

  it("has a script for zsh, and for no shell that is unknown", function()
    local code, script = it_is:run("completion", "zsh")
    assert.equal(0, code)
    assert.matches("^#compdef mooncrew\n", script)
    assert.equal(2, (it_is:run("completion", "tcsh")))
  end)
end)
