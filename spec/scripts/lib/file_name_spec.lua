-- lib/file_name.lua: names that stay in their folder, and tell what they were made from.

package.path = "./scripts/?.lua;" .. package.path

local file_name = require "lib.file_name"

describe("lib.file_name", function()
  it("leaves no letter that means something in a path, and differs where texts differ", function()
    local seen = {}
    for _, text in ipairs({ "ada", "../ada", "..", "a/b", "a%2Fb", "a b", "zoë", "\0", "%", "-x" }) do
      local name = file_name.of(text)
      assert.is_nil(name:find("[^%w_%%-]"))
      assert.is_nil(seen[name])
      seen[name] = true
      assert.are.equal(text, file_name.text(name))
    end
  end)
end)
