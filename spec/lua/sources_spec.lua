-- Where the text of scripts comes from.
local sources = require "mooncrew.sources"

local function temporary(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

describe("mooncrew.sources", function()
  after_each(function() sources.use(nil) end)

  it("reads the disk unless there is a copy", function()
    local path = temporary "return 1"
    assert.is_nil(sources.paths())
    assert.is_true(sources.exists(path))
    assert.equal(1, assert(sources.compile(path))())
    sources.use { [path] = "return 2", ["b/a.lua"] = "return 3" }
    assert.equal(2, assert(sources.compile(path))())
    assert.is_true(sources.exists "b/a.lua")
    table.sort { path, "b/a.lua" }
    assert.same({ path, "b/a.lua" }, sources.paths())
    os.remove(path)
    assert.equal(2, assert(sources.compile(path))())
  end)

  it("finds nothing beside the copy", function()
    local path = temporary "return 1"
    sources.use {}
    assert.is_false(sources.exists(path))
    os.remove(path)
  end)

  it("names file and line in errors, and passes over a first line for the shell", function()
    sources.use { ["s/a.lua"] = "#!/usr/bin/env luajit\nlocal = 1", ["s/b.lua"] = "#!x\nerror 'here'" }
    local chunk, why = sources.compile "s/a.lua"
    assert.is_nil(chunk)
    assert.matches("^s/a%.lua:2: ", why)
    local ok, raised = pcall(assert(sources.compile "s/b.lua"))
    assert.is_false(ok)
    assert.equal("s/b.lua:2: here", raised)
    chunk, why = sources.compile "s/none.lua"
    assert.is_nil(chunk)
    assert.matches("s/none%.lua", why)
  end)
end)
