-- mooncrew.place: which place it names when the stack knows less.

local place = require "mooncrew.place"

describe("a place", function()
  local function here()
    local found = place.of_caller(2) -- no tail call: this function has to stay on the stack
    return found
  end

  local function behind_a_tail_call()
    return here()
  end

  it("is the caller's file and line", function()
    local line = debug.getinfo(1, "l").currentline + 1
    local found = here()
    assert.equal("spec/lua/place_spec.lua:" .. line, found)
  end)

  it("is the nearest one on the stack where C or a tail call stands between", function()
    local line = debug.getinfo(1, "l").currentline + 1
    local _, behind_c = pcall(here)
    assert.equal("spec/lua/place_spec.lua:" .. line, behind_c)
    local found = behind_a_tail_call()
    assert.equal("spec/lua/place_spec.lua:" .. line + 2, found)
  end)

  describe("in a script", function()
    local function run(text, on_error)
      local chunk = assert(loadstring(text, "@some.lua"))
      setfenv(chunk, setmetatable({ here = here, run = place.run }, { __index = _G }))
      return place.run("some.lua", chunk, on_error or error, "argument")
    end

    it("is the line that the script has come to", function()
      assert.same({ true, "some.lua:3" }, { run "local x = here()\nassert(x == 'some.lua:1')\nreturn here()" })
      assert.same({ true, "some.lua:2" }, { run("local inner = loadstring('\\n\\nreturn 1', '@inner.lua')\n"
        .. "run('inner.lua', inner, error) return here()") })
    end)

    it("is told to the error's handler", function()
      local function handle(raised, where)
        return { raised, where }
      end
      assert.same({ false, { { 5 }, "some.lua:2" } }, { run("\nerror { 5 }", handle) })
    end)

    it("leaves another's hook alone, and then has no line", function()
      local lines = 0
      debug.sethook(function()
        lines = lines + 1
      end, "l")
      local hook = debug.gethook()
      local _, found = run "\nreturn here()"
      local hook_after = debug.gethook()
      debug.sethook()
      assert.equal(hook, hook_after)
      assert.is_true(lines > 0)
      assert.equal("some.lua", found)
    end)
  end)

  it("is told of as a script runs, and of what it requires", function()
    local told = {}
    place.follow = function(path, line)
      local text = ("%s:%s"):format(path, line)
      if told[#told] ~= text then
        told[#told + 1] = text
      end
    end
    local inner = assert(load("local a = 1\nreturn a", "@inner.lua"))
    local outer = assert(load("local run = ...\nrun()\nlocal b\nreturn b", "@outer.lua"))
    place.run("outer.lua", outer, tostring, function()
      place.run("inner.lua", inner, tostring)
    end)
    place.follow_source "hook.lua:7"
    place.follow = function() end
    assert.are.same({ "outer.lua:nil", "outer.lua:1", "outer.lua:2", "inner.lua:nil", "inner.lua:1", "inner.lua:2",
      "outer.lua:2", "outer.lua:3", "outer.lua:4", "nil:nil", "hook.lua:7" }, told)
  end)
end)
