-- lib/secrets.lua: 32 characters that nobody guesses.

package.path = "./scripts/?.lua;" .. package.path

local secrets = require "lib.secrets"

describe("lib.secrets", function()
  it("makes 32 characters that fit into a link", function()
    local secret = secrets.new()
    assert.are.equal(32, #secret)
    assert.is_truthy(secret:match("^[%w_-]+$"))
    assert.is_true(secrets.is_one(secret))
  end)

  it("uses every letter of its alphabet about equally often", function()
    local seen, kinds = {}, 0
    for _ = 1, 200 do
      for letter in secrets.new():gmatch(".") do
        seen[letter] = (seen[letter] or 0) + 1
      end
    end
    for letter, count in pairs(seen) do
      kinds = kinds + 1
      -- 100 are expected of each; 50 off is five standard deviations.
      assert.is_true(count > 50 and count < 150, letter .. " came " .. count .. " times")
    end
    assert.are.equal(64, kinds)
  end)

  it("knows what has another form", function()
    for _, text in ipairs({ "", ("A"):rep(31), ("A"):rep(33), ("A"):rep(31) .. "/", ("A"):rep(31) .. "\n" }) do
      assert.is_false(secrets.is_one(text))
    end
  end)
end)
