-- What crew.exec makes of its arguments; that programs really run stands in tests/integration/exec_spec.lua.

local crew = require "mooncrew"
local exec = require "mooncrew.exec"

describe("crew.exec", function()
  local backend, request

  before_each(function()
    backend = exec.backend
    exec.backend = function(given)
      request = given
      return { code = 0, stdout = "out", stderr = "" }
    end
  end)
  after_each(function()
    exec.backend = backend
  end)

  it("hands a checked request to its backend", function()
    local argv, env = { "convert", 12, "a b; rm -rf" }, { LANG = "C", N = 1, HOME = false }
    local result = crew.exec(argv, { stdin = "in\0put", env = env, cwd = "/tmp", timeout = "1m", output_limit = 10 })
    assert.are.equal("out", result.stdout)
    assert.are.same({ argv = { "convert", "12", "a b; rm -rf" }, stdin = "in\0put", cwd = "/tmp", timeout = 60,
      env = { LANG = "C", N = "1", HOME = false }, output_limit = 10 }, request)
    assert.are.equal(12, argv[2], "the caller's own tables stay as they are")
  end)

  it("keeps 4 MiB of each output, and has no time limit of its own, unless told", function()
    crew.exec { "true" }
    assert.are.same({ argv = { "true" }, output_limit = 4194304 }, request)
    crew.exec({ "true" }, { timeout = 0 })
    assert.is_nil(request.timeout)
  end)

  it("returns what the backend does", function()
    exec.backend = function()
      return nil, "no such program", "NOT_FOUND"
    end
    assert.are.same({ nil, "no such program", "NOT_FOUND" }, { crew.exec { "x" } })
  end)

  for wrong, wanted in pairs {
    ["crew.exec('ls -l')"] = "expected a list of program and arguments, got string .there is no shell",
    ["crew.exec {}"] = "the list has no program",
    ["crew.exec { '' }"] = "the list has no program",
    ["crew.exec { 'ls', {} }"] = "argument 2: expected string, got table",
    ["crew.exec { 'ls', nil, nil, 'b' }"] = "argument 2: expected string, got nil",
    ["crew.exec { 'ls', [4] = 'b' }"] = "argument 2: expected string, got nil",
    ["crew.exec { 'ls', timeout = 5 }"] = "'timeout' stands among the arguments; options are a table of their own",
    ["crew.exec { 'ls', 'a\\0b' }"] = "argument 2: a zero byte",
    ["crew.exec({ 'ls' }, 1)"] = "options: expected table, got number",
    ["crew.exec({ 'ls' }, { shell = true })"] = "unknown option 'shell'",
    ["crew.exec({ 'ls' }, { stdin = 1 })"] = "stdin: expected string, got number",
    ["crew.exec({ 'ls' }, { cwd = {} })"] = "cwd: expected string, got table",
    ["crew.exec({ 'ls' }, { env = 'A=1' })"] = "env: expected table, got string",
    ["crew.exec({ 'ls' }, { env = { 'A=1' } })"] = "env: 1 is no name of a variable",
    ["crew.exec({ 'ls' }, { env = { ['A='] = '1' } })"] = "env: A= is no name of a variable",
    ["crew.exec({ 'ls' }, { env = { A = {} } })"] = "env: A: expected string, got table",
    ["crew.exec({ 'ls' }, { timeout = 'soon' })"] = "timeout: ",
    ["crew.exec({ 'ls' }, { output_limit = -1 })"] = "output_limit: expected a number of bytes",
    ["crew.exec({ 'ls' }, { output_limit = 0/0 })"] = "output_limit: expected a number of bytes",
  } do
    it("refuses " .. wrong, function()
      local chunk = assert(loadstring("local crew = ...\nlocal _ = " .. wrong .. "\n", "=script"))
      local ok, message = pcall(chunk, crew)
      assert.is_false(ok)
      assert.matches("^script:2: crew.exec: " .. wanted, message)
    end)
  end

  it("says outside of a worker how to go on", function()
    local ok, message = pcall(backend, { argv = { "ls" } })
    assert.is_false(ok)
    assert.matches("crew.exec runs programs in a worker only", message)
  end)
end)
