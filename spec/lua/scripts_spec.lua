-- Finding and loading task scripts.

local uv = require "luv"
local registry = require "mooncrew.registry"
local scripts = require "mooncrew.scripts"

describe("mooncrew.scripts", function()
  local folder, loaded_before, loaders_before

  before_each(function()
    folder = assert(uv.fs_mkdtemp("/tmp/mooncrew-spec-XXXXXX"))
    loaded_before, loaders_before = {}, { unpack(package.loaders) }
    for name in pairs(package.loaded) do
      loaded_before[name] = true
    end
    registry.reset()
    _G.seen = {}
  end)

  after_each(function()
    os.execute("rm -rf '" .. folder .. "'")
    for name in pairs(package.loaded) do
      package.loaded[name] = loaded_before[name] and package.loaded[name] or nil
    end
    for i in ipairs(package.loaders) do
      package.loaders[i] = loaders_before[i]
    end
    registry.reset()
    _G.seen = nil
  end)

  local function write(name, source)
    os.execute(("mkdir -p '%s'"):format((folder .. "/" .. name):match("^(.*)/")))
    local file = assert(io.open(folder .. "/" .. name, "wb"))
    file:write(source)
    file:close()
  end

  local function refuses(expected)
    local ok, message = scripts.load(folder)
    assert.is_nil(ok)
    assert.equal(expected, (message:gsub(folder:gsub("%p", "%%%0"), "DIR")))
  end

  it("finds every .lua file in the folder and below, sorted, without what begins with a dot", function()
    for _, name in ipairs { "b.lua", "a/z.lua", "a/y/x.lua", "a.lua", "notes.txt", ".hidden.lua", ".git/c.lua" } do
      write(name, "")
    end
    assert.same({ folder .. "/a.lua", folder .. "/a/y/x.lua", folder .. "/a/z.lua", folder .. "/b.lua" },
      scripts.find(folder .. "/"))
  end)

  it("follows links, also those that form a ring", function()
    write("real/a.lua", "")
    assert(uv.fs_symlink(folder .. "/real/a.lua", folder .. "/b.lua"))
    assert(uv.fs_symlink(folder, folder .. "/real/ring"))
    assert.same({ folder .. "/b.lua", folder .. "/real/a.lua" }, scripts.find(folder))
  end)

  it("says so when there is no such folder", function()
    local found, message = scripts.find(folder .. "/nowhere")
    assert.is_nil(found)
    assert.equal(("there is no scripts folder '%s/nowhere': make it, or name another with --scripts"):format(folder),
      message)
  end)

  it("runs each file once, whether it is met as a script or as a module", function()
    write("a.lua", "seen[#seen + 1] = 'a'; assert(require('lib.b').name == 'b'); assert(require 'c' == 3)")
    write("c/init.lua", "seen[#seen + 1] = 'c'; return 3")
    write("lib/b.lua", "seen[#seen + 1] = 'b'; return { name = 'b' }")
    write("z.lua", "assert(require('a') == true)")
    assert(scripts.load(folder))
    assert.same({ "a", "b", "c" }, _G.seen)
  end)

  it("lets a script carry the name of a library without replacing it", function()
    write("string.lua", "seen[1] = 'mine'")
    assert(scripts.load(folder))
    assert.same({ "mine" }, _G.seen)
    assert.equal(string, require "string")
  end)

  it("names file and line of a syntax error", function()
    write("a.lua", "local x = 1\nlocal y = =\n")
    refuses "DIR/a.lua:2: unexpected symbol near '='"
  end)

  it("names file and line of an error while loading", function()
    write("a.lua", "local x\n\nx.y = 1\n")
    refuses "DIR/a.lua:3: attempt to index local 'x' (a nil value)"
  end)

  it("names file and line of an error that names none", function()
    write("a.lua", "\nerror('the moon is down', 0)\n")
    refuses "DIR/a.lua:2: the moon is down"
  end)

  it("names file and line of an error behind a tail call", function()
    write("a.lua", 'local crew = require "mooncrew"\nreturn crew.task("a", { perfrom = print })\n')
    refuses "DIR/a.lua:2: task \"a\": unknown field 'perfrom', did you mean 'perform'?"
  end)

  it("shows what was raised, be it no text", function()
    write("a.lua", "\nerror { 1 }")
    refuses "DIR/a.lua:2: a table was raised as an error: [1]"
  end)

  it("knows where something is declared, also behind a tail call", function()
    write("a.lua", 'local crew = require "mooncrew"\nrequire "lib.b"\n\nreturn crew.task("a", {\n'
      .. '  perform = function()\n    return 1\n  end,\n})\n')
    write("lib/b.lua", 'local crew = require "mooncrew"\nreturn crew.aggregate { group = "g", fold = print }\n')
    write("z.lua", '\n\n\n\nreturn require("mooncrew").cron("@daily", "a")\n')
    assert(scripts.load(folder))
    assert.equal(folder .. "/a.lua:4", registry.find("a").source)
    assert.equal(folder .. "/lib/b.lua:2", registry.find_rule("", "g").source)
    assert.equal(folder .. "/z.lua:5", registry.cron[1].source)
  end)

  it("names both places of a type that is registered twice behind tail calls", function()
    write("a.lua", '\nreturn require("mooncrew").task("a", { perform = print })\n')
    write("b.lua", 'return require("mooncrew").task("a", { perform = print })\n')
    refuses 'DIR/b.lua:1: task "a" is registered twice: at DIR/a.lua:2 and at DIR/b.lua:1'
  end)

  it("names the file of the error, not the one that required it", function()
    write("a.lua", "require 'lib.b'")
    write("lib/b.lua", "\nerror 'not today'")
    refuses "DIR/lib/b.lua:2: not today"
  end)

  it("says in one line that a module is not there", function()
    write("a.lua", "\nrequire 'nothere'")
    refuses "DIR/a.lua:2: module 'nothere' not found, neither in the scripts folder nor elsewhere"
  end)

  it("refuses scripts that require each other in a ring", function()
    write("a.lua", "require 'b'")
    write("b.lua", "require 'a'")
    refuses "DIR/b.lua:1: DIR/a.lua: requires itself, by way of what it requires"
  end)

  it("leaves no debug hook behind", function()
    write("a.lua", "")
    write("b.lua", "error 'x'")
    local before = debug.gethook()
    scripts.load(folder)
    assert.equal(before, debug.gethook())
  end)

  it("registers what the scripts declare", function()
    write("a.lua", 'require("mooncrew").task("mail:send", { perform = function() end })')
    assert(scripts.load(folder))
    assert.equal("mail:send", registry.find("mail:send").type)
  end)
end)
