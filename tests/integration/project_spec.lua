-- A project of its own, in an empty folder, with nothing but the installed program: `mooncrew new`, `mooncrew test`.
local installation = require "installation"
local uv = require "luv"

local sh = installation.sh

describe("with only the installed program", function()
  local stage, folder

  setup(function()
    stage = assert(uv.fs_mkdtemp "/tmp/mooncrew-project-XXXXXX")
    installation.make(stage, { "DESTDIR=" .. stage, "PREFIX=/usr" })
  end)

  teardown(function()
    sh("/tmp", "rm -r " .. stage)
  end)

  before_each(function()
    folder = assert(uv.fs_mkdtemp "/tmp/mooncrew-project-XXXXXX")
  end)

  after_each(function()
    sh("/tmp", "rm -r " .. folder)
  end)

  -- In an environment with nothing in it that could lead to this repository.
  local function try(arguments, variables)
    local command = "env -i PATH=/usr/bin:/bin LC_ALL=C.UTF-8 ASAN_OPTIONS=%s %s %s/usr/bin/mooncrew %s"
    return installation.try(folder, command:format(os.getenv "ASAN_OPTIONS" or "", variables or "", stage, arguments))
  end

  local function run(arguments)
    local code, text = try(arguments)
    assert.equal(0, code, text)
    return text
  end

  local function write(name, text)
    sh(folder, "mkdir -p $(dirname " .. name .. ")")
    local file = assert(io.open(folder .. "/" .. name, "w"))
    file:write(text)
    file:close()
  end

  local function read(name)
    local file = assert(io.open(folder .. "/" .. name))
    local text = file:read "*a"
    file:close()
    return text
  end

  local function fails(code, pattern, arguments, variables)
    local got, text = try(arguments, variables)
    assert.equal(code, got, text)
    assert.truthy(text:find(pattern), text)
    return text
  end

  it("a new script and its spec work as they are", function()
    assert.equal("wrote scripts/email_welcome.lua\nwrote spec/email_welcome_spec.lua\nnow: mooncrew test\n",
      run "new email:welcome")
    assert.truthy(run "test":find "2 successes / 0 failures / 0 errors")
    local listed = run "check"
    assert.truthy(listed:find "email:welcome +default +schema .-scripts/email_welcome.lua:%d+\n$", listed)
  end)

  it("types of all kinds get a script and a spec that work", function()
    for i, type in ipairs { "image:*", "a:b/c-d.e", "émail:größe", "string", "mooncrew", "it's", 'say "hi"',
      "two words", "back\\slash", "100%" } do
      run(("new '%s'"):format(type:gsub("'", "'\\''")))
      assert.truthy(run "test":find(("%d successes / 0 failures / 0 errors"):format(2 * i)), type)
    end
    run "check"
  end)

  it("new touches nothing that is there, and takes no type twice", function()
    run "new a:b"
    local script = read "scripts/a_b.lua"
    fails(1, "scripts/a_b.lua exists already", "new a:b")
    fails(1, "scripts/a_b.lua exists already", "new a_b")
    assert.equal(script, read "scripts/a_b.lua")
    sh(folder, "mv scripts/a_b.lua scripts/other.lua && rm spec/*")
    fails(1, 'task "a:b" is registered already, at scripts/other.lua:6', "new a:b")
    sh(folder, "rm scripts/* && touch spec/a_b_spec.lua")
    fails(1, "spec/a_b_spec.lua exists already", "new a:b")
    assert.is_nil(uv.fs_stat(folder .. "/scripts/a_b.lua"))
  end)

  it("new refuses what is no type for a script, in one line", function()
    for type, reason in pairs { ["../x"] = "begins like a path", ["/etc/x"] = "begins like a path",
      ["a/../x"] = "looks like a path", [":::"] = "no letter or digit", ["a*b"] = '"*" before its end',
      [""] = "is empty", ["x.lua"] = "the name of a file", ["a\nb"] = "a control character",
      [("x"):rep(300)] = "too long", ["\255"] = "not valid UTF%-8" } do
      local text = fails(2, reason, ("new '%s'"):format(type))
      assert.truthy(text:find "^mooncrew: [^\n]+\n$", text)
    end
    fails(2, "missing argument 'TYPE'", "new")
    assert.equal("", sh(folder, "ls -d spec scripts 2>/dev/null || true"))
  end)

  it("new leaves nothing half done when it cannot write", function()
    write("spec", "a file where a folder is to be")
    fails(1, "cannot write spec/a_spec.lua: ", "new a")
    assert.equal("", sh(folder, "ls scripts"))
  end)

  it("scripts and their spec follow the configured folder", function()
    write("mooncrew.lua", 'return { scripts = "app/tasks" }')
    run "new a"
    assert.truthy(read "app/tasks/a.lua")
    write("app/tasks/lib/answer.lua", "return 42")
    write("spec/lib_spec.lua", [[it("is there", function() assert.equal(42, require "lib.answer") end)]])
    assert.truthy(run "test":find "3 successes / 0 failures / 0 errors")
  end)

  it("test ends with 1 when specs fail, however many", function()
    write("spec/a_spec.lua", 'for i = 1, 256 do it("fails " .. i, function() error "no" end) end')
    fails(1, "0 successes / 0 failures / 256 errors", "test")
    write("spec/a_spec.lua", "syntax error")
    fails(1, "1 error", "test")
    fails(1, "Cannot find file or directory: spec/none", "test spec/none")
    fails(1, "unknown/bad flag: %-%-bogus", "test --bogus")
  end)

  it("test ends with 1 when no test ran, and says so", function()
    write("spec/a_spec.lua", 'it("one", function() end)')
    fails(1, "no test ran: ", "test --filter=nothing%-matches")
    assert.truthy(run "test --list":find "one")
    write("spec/a_spec.lua", "")
    fails(1, "no test ran: ", "test")
    write("spec/a_spec.lua", 'pending "later"')
    assert.is_nil(run "test":find "no test ran")
  end)

  it("test goes on where a handler would end the process", function()
    write("spec/a_spec.lua", 'it("ends", function() os.exit(0) end) it("fails", function() error "no" end)')
    fails(1, "0 successes / 0 failures / 2 errors", "test")
    fails(1, "os.exit ends the process, and the specs with it", "test")
  end)

  it("test hands paths and options to busted", function()
    write("spec/a_spec.lua", 'it("one", function() end) it("two", function() error "no" end)')
    write("more/b_spec.lua", 'it("three", function() end)')
    assert.equal("ok 1 - one\n1..1\n", run "test --filter=one -o TAP")
    assert.equal("ok 1 - three\n1..1\n", run "test more --output=TAP")
    assert.equal("ok 1 - three\n1..1\n", run "test more/b_spec.lua --output=TAP")
    assert.truthy(run "test --help":find "^Usage: mooncrew test ")
  end)

  it("test keeps one spec file's registrations from the next", function()
    for _, name in ipairs { "a", "b" } do
      write("spec/" .. name .. "_spec.lua", [[
        local crew, testing = require "mooncrew", require "mooncrew.testing"
        local definition = crew.task("t", { perform = function() return "]] .. name .. [[" end })
        it("runs its own", function() assert.done(testing.perform(definition), "]] .. name .. [[") end)]])
    end
    assert.truthy(run "test":find "2 successes / 0 failures / 0 errors")
  end)

  it("test says what to do where there is nothing to test, or nothing to test with", function()
    fails(1, "no folder 'spec' here: `mooncrew new TYPE` writes a first script", "test")
    sh(folder, "mkdir lua && ln -s /usr/share/lua/5.1/argparse.lua lua/")
    fails(1, "busted, .*apt%-get install lua%-busted", "test", "LUA_PATH=lua/?.lua")
    sh(folder, "rm -r lua")
  end)

  it("test survives specs that leave handles of luv open", function()
    write("spec/a_spec.lua", [[
      local uv = require "luv"
      local timer, server = uv.new_timer(), uv.new_tcp()
      timer:start(1e6, 0, print)
      server:bind("127.0.0.1", 0)
      server:listen(1, print)
      it("passes", function() server:close() end)]])
    assert.truthy(run "test":find "1 success / 0 failures / 0 errors")
  end)

  it("a handler's real requests reach a server on this machine", function()
    write("spec/http_spec.lua", [[
      local crew, testing, uv = require "mooncrew", require "mooncrew.testing", require "luv"
      local server = uv.new_tcp()
      server:bind("127.0.0.1", 0)
      server:listen(1, function()
        local client = uv.new_tcp()
        server:accept(client)
        client:read_start(function(_, text)
          if text then client:write "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi" else client:close() end
        end)
      end)
      it("asks", function()
        testing.allow_http()
        local url = "http://127.0.0.1:" .. server:getsockname().port
        testing.perform(crew.task("t", { perform = function() return assert(crew.http.get(url)).body end }))
        assert.done("hi")
        server:close()
      end)]])
    assert.truthy(run "test":find "1 success / 0 failures / 0 errors")
  end)

  it("a spec of 100 tests takes less than a second", function()
    run "new email:welcome"
    write("spec/hundred_spec.lua", [[
      local testing = require "mooncrew.testing"
      describe("a hundred", function()
        local definition
        before_each(function() definition = testing.load "scripts/email_welcome.lua" end)
        for i = 1, 100 do
          it("greets " .. i, function()
            local run = testing.perform(definition, { name = "n" .. i })
            assert.done(run, { greeting = "Hello, n" .. i })
            assert.logged("greeted", { name = "n" .. i })
          end)
        end
      end)]])
    local began = uv.hrtime()
    local text = run "test spec/hundred_spec.lua"
    local seconds = (uv.hrtime() - began) / 1e9
    print(("measured: mooncrew test with 100 tests: %.2f s"):format(seconds))
    assert.truthy(text:find "100 successes", text)
    assert.is_true(seconds < 3 * require("wait").patience, ("%.2f s"):format(seconds))
  end)
end)
