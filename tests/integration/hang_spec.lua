-- Commands that run what others wrote do not hang on it.
local uv = require "luv"

local MOONCREW = os.getenv "MOONCREW"
if MOONCREW:sub(1, 1) ~= "/" then MOONCREW = uv.cwd() .. "/" .. MOONCREW end

local LIMIT = ": it takes longer than 3 s to load: "

describe("what does not come to its end", function()
  local folder

  before_each(function()
    folder = assert(uv.fs_mkdtemp "/tmp/mooncrew-test-XXXXXX")
    assert(uv.fs_mkdir(folder .. "/scripts", tonumber("700", 8)))
    assert(uv.fs_mkdir(folder .. "/spec", tonumber("700", 8)))
  end)

  after_each(function()
    os.execute("rm -r " .. folder)
  end)

  local function write(name, text)
    local file = assert(io.open(folder .. "/" .. name, "w"))
    file:write(text)
    file:close()
  end

  -- With a standard input on which nothing ever comes. Returns exit code and all that was written.
  local function run(arguments, variables)
    local pipe = io.popen(("cd %s && mkfifo in 2>/dev/null; exec 3<>in; %s timeout -s KILL 60 %s %s <&3 2>&1; echo :$?")
      :format(folder, variables or "MOONCREW_LOAD_TIMEOUT=3s", MOONCREW, arguments))
    local text, code = pipe:read("*a"):match "^(.*):(%d+)\n$"
    pipe:close()
    return tonumber(code), text
  end

  local function refuses(expected, arguments, variables)
    local code, text = run(arguments, variables)
    assert.equal(1, code, text)
    assert.is_truthy(text:find(expected, 1, true), text)
  end

  local BLOCKS = {
    "while true do end",
    "while true do pcall(function() while true do end end) end",
    "os.execute 'sleep 1000'",
    "io.popen('sleep 1000'):read '*a'",
    "io.read()",
    "ffi.C.sleep(1000)",
  }

  it("while it is loaded is named with its line by mooncrew check", function()
    for _, blocks in ipairs(BLOCKS) do
      write("scripts/slow.lua", ("local ffi = require 'ffi'\nffi.cdef 'int sleep(int);'\n\n%s\nlocal a = 1\nreturn a\n")
        :format(blocks))
      refuses("scripts/slow.lua:4" .. LIMIT, "check")
    end
  end)

  it("in a module is named, too, and so in JSON", function()
    write("scripts/a.lua", "local helper = require 'helper'\nreturn helper\n")
    write("scripts/helper.lua", "\nwhile true do end\n")
    refuses("scripts/helper.lua:2" .. LIMIT, "check")
    local code, text = run "check --json"
    assert.equal(1, code, text)
    assert.is_truthy(text:find('"error":"scripts/helper.lua:2' .. LIMIT, 1, true), text)
  end)

  it("inside of a call that cannot be broken off ends the command, which names the script", function()
    write("scripts/find.lua", "return (('a'):rep(40)):find(('a?'):rep(40) .. ('a'):rep(40) .. 'b')\n")
    refuses("mooncrew: scripts/find.lua" .. LIMIT, "check")
  end)

  it("stops mooncrew gen and enqueue as well", function()
    write("scripts/slow.lua", "while true do end\n")
    refuses("scripts/slow.lua:1" .. LIMIT, "gen jsonschema")
    refuses("scripts/slow.lua:1" .. LIMIT, "enqueue t")
  end)

  it("in the configuration is named with its line by every command", function()
    write("mooncrew.lua", "local n = 0\nwhile true do n = n + 1 end\nreturn {}\n")
    for _, command in ipairs { "config", "check", "run", "test" } do
      refuses("mooncrew.lua:2: it takes longer than 5 s to read: ", command)
    end
  end)

  it("in a spec outside of its tests is an error of that spec, and the others run", function()
    write("spec/a_spec.lua", "describe('a', function()\n  while true do end\nend)\n")
    write("spec/b_spec.lua", "it('b runs', function() end)\n")
    local code, text = run "test --output=TAP"
    assert.equal(1, code, text)
    assert.is_truthy(text:find("spec/a_spec.lua:2: it takes longer than 10 s to load", 1, true), text)
    assert.is_truthy(text:find("\nok %d %- b runs\n"), text)
  end)

  it("is not meant where the tests of a spec take longer than it may load", function()
    write("spec/a_spec.lua", "describe('a', function() it('waits', function() os.execute 'sleep 10.5' end) end)\n")
    local code, text = run "test --output=TAP"
    assert.equal(0, code, text)
  end)

  it("in a handler is a failed test with the handler's line, and the other tests run", function()
    write("scripts/slow.lua", [[
      local crew = require "mooncrew"
      return crew.task("slow", { perform = function()
        while true do end
      end })
    ]])
    write("spec/slow_spec.lua", [[
      local testing = require "mooncrew.testing"
      it("is done", function()
        testing.perform(testing.load "scripts/slow.lua", nil, { give_up_after = 1 })
        assert.done()
      end)
      it("runs the next one", function() end)
    ]])
    local code, text = run "test --output=TAP"
    assert.equal(1, code, text)
    assert.is_truthy(text:find("not ok 1 - is done", 1, true), text)
    assert.is_truthy(text:find("it was at scripts/slow.lua:3.", 1, true), text)
    assert.is_truthy(text:find("\nok %d %- runs the next one\n"), text)
  end)

  it("in a handler, in a call that cannot be broken off, ends mooncrew test, which names test and handler", function()
    write("spec/find_spec.lua", [[
      local crew, testing = require "mooncrew", require "mooncrew.testing"
      local definition = crew.task("t", { perform = function()
        return (("a"):rep(40)):find(("a?"):rep(40) .. ("a"):rep(40) .. "b")
      end })
      describe("finding", function()
        it("takes for ever", function()
          testing.perform(definition, nil, { give_up_after = 1 })
        end)
      end)
    ]])
    refuses('gave up after 1 s of real time, in the test "finding takes for ever" at spec/find_spec.lua:6: the handler '
      .. 'of task "t" (spec/find_spec.lua:2) does not come to its end', "test")
  end)
end)
