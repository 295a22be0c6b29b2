-- mooncrew.json.sort_keys: the order of bytes, in every environment.

local sort_keys = require "mooncrew.json.sort_keys"

describe("sort_keys", function()
  local sorted = { "", "\0", "\0a", "A", "B", "a", "aa", "ab", "b", "\195\169", "\255" }

  local function shuffled()
    local keys = {}
    for _, key in ipairs(sorted) do
      table.insert(keys, math.random(#keys + 1), key)
    end
    return keys
  end

  it("sorts by bytes", function()
    for _ = 1, 50 do
      assert.are.same(sorted, sort_keys(shuffled(), #sorted))
    end
    assert.are.same({}, sort_keys({}, 0))
  end)

  it("does so in plain Lua, whatever the locale says of letters", function()
    local jit, setlocale = rawget(_G, "jit"), os.setlocale
    finally(function()
      rawset(_G, "jit", jit)
      rawset(os, "setlocale", setlocale)
    end)
    local asked = 0
    rawset(_G, "jit", nil)
    rawset(os, "setlocale", function()
      asked = asked + 1
      return "de_DE.UTF-8"
    end)
    assert.are.same(sorted, sort_keys(shuffled(), #sorted))
    assert.are.equal(1, asked)
  end)
end)
