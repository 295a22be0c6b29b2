local registry = require "mooncrew.registry"
local testing = require "mooncrew.testing"

describe("testing.load", function()
  local folder

  before_each(function()
    registry.reset()
    folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir -p '" .. folder .. "'/lib") == 0)
  end)
  after_each(function()
    registry.reset()
    os.execute("rm -rf '" .. folder .. "'")
  end)

  local function write(name, text)
    local file = assert(io.open(folder .. "/" .. name, "w"))
    file:write(text)
    file:close()
  end

  it("gives what the script returns, with the modules that stand beside it", function()
    write("lib/answer.lua", "return 42")
    write("task.lua", [[
      local answer = require "lib.answer"
      return require("mooncrew").task("t", { perform = function() return { answer } end })]])
    local definition = testing.load(folder .. "/task.lua")
    assert.are.equal(definition, registry.find("t"))
    assert.are.same({ 42 }, testing.perform(definition).result)
  end)

  it("begins anew each time, also with the modules", function()
    write("lib/answer.lua", "return {}")
    write("task.lua", [[
      require("mooncrew").task("t", { perform = print })
      return require "lib.answer"]])
    local first, second = testing.load(folder .. "/task.lua"), testing.load(folder .. "/task.lua")
    assert.are_not.equal(first, second)
    assert.are.equal(1, #registry.all())
  end)

  it("raises when the script does not load", function()
    write("task.lua", "local x = = 1")
    assert.has_error(function()
      testing.load(folder .. "/task.lua")
    end)
  end)

  it("adds nothing to package.loaders, however often busted forgets the module", function()
    local before = #package.loaders
    for _ = 1, 3 do
      for name in pairs(package.loaded) do
        if name:find "^mooncrew%.testing" then
          package.loaded[name] = nil
        end
      end
      write("task.lua", [[return require("lib.answer")]])
      write("lib/answer.lua", "return 42")
      assert.are.equal(42, require("mooncrew.testing").load(folder .. "/task.lua"))
    end
    assert.are.equal(before, #package.loaders)
  end)

  it("of all scripts registers them all, each run once", function()
    write("a.lua", [[
      local other = require "lib.b"
      return require("mooncrew").task("a", { perform = function() return other.type end })]])
    write("lib/b.lua", [[return require("mooncrew").task("b", { perform = print })]])
    for _ = 1, 2 do
      testing.load_all(folder .. "/")
      assert.are.equal(2, #registry.all())
      assert.done(testing.perform "a", "b")
    end
  end)

  it("of all scripts says which one does not load, and where there is none", function()
    write("a.lua", "local x = = 1")
    local ok, message = pcall(testing.load_all, folder)
    assert.is_false(ok)
    assert.is_truthy(message:find(folder .. "/a.lua:1: ", 1, true), message)
    ok, message = pcall(testing.load_all, folder .. "/none")
    assert.is_false(ok)
    assert.is_truthy(message:find("there is no scripts folder", 1, true), message)
  end)
end)
