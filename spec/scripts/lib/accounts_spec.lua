-- lib/accounts.lua: users in, users out; secrets that stand for one user until they expire.

package.path = "./scripts/?.lua;./spec/scripts/?.lua;" .. package.path

local accounts = require "lib.accounts"
local temp = require "temp_folder"

describe("lib.accounts", function()
  local folder, store

  before_each(function()
    folder = temp.make()
    store = accounts.open(folder)
  end)

  after_each(function()
    temp.remove(folder)
  end)

  it("finds the users it was given, as they were last given", function()
    assert(store:put_user("ada", { name = "Ada", email = "old@example.org" }))
    assert(store:put_user("ada", { name = "Ada", email = "ada@example.org" }))
    assert.are.same({ name = "Ada", email = "ada@example.org" }, store:find_user("ada"))
    assert.are.same({ "ada.json" }, temp.names(folder .. "/users"))
  end)

  it("knows nobody else, and says no more about it", function()
    local user, message = store:find_user("ada")
    assert.is_nil(user)
    assert.is_nil(message)
  end)

  it("keeps every name inside its folder", function()
    for _, username in ipairs({ "../ada", "..", "a/b", "ada.json", "zoë", "%2E", "" }) do
      assert(store:put_user(username, { name = username, email = "x@example.org" }))
      assert.are.equal(username, store:find_user(username).name)
    end
    assert.are.same({ "users" }, temp.names(folder))
    assert.are.equal(7, #temp.names(folder .. "/users"))
  end)

  it("says which file is broken", function()
    assert(store:put_user("ada", { name = "Ada", email = "ada@example.org" }))
    for _, text in ipairs({ "", "{", "[1", "12", '{"name":"Ada"}' }) do
      temp.write(folder .. "/users/ada.json", text)
      local user, message = store:find_user("ada")
      assert.is_nil(user)
      assert.is_truthy(message:find("users/ada.json", 1, true), message)
    end
  end)

  it("issues secrets of 32 characters that stand for their user until they expire", function()
    local secret = assert(store:issue_secret("ada", 1000))
    assert.is_truthy(secret:match("^[%w_-]+$"))
    assert.are.equal(32, #secret)
    assert.are.equal("ada", store:verify(secret, 999))
    assert.are.same({ nil, "expired" }, { store:verify(secret, 1000) })
  end)

  it("uses every letter of its alphabet about equally often", function()
    local seen, kinds = {}, 0
    for _ = 1, 200 do
      for letter in assert(store:issue_secret("ada", 1)):gmatch(".") do
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

  it("accepts nothing that it did not issue", function()
    local long_name = ("a"):rep(23)
    assert(store:put_user(long_name, { name = "Ada", email = "ada@example.org" }))
    store:issue_secret(long_name, 1000)
    -- The third names a file that is there, and has as many characters as a secret.
    for _, secret in ipairs({ "", ("A"):rep(32), "../users/" .. long_name, ("A"):rep(31) .. "/", ("A"):rep(5000) }) do
      assert.are.same({ nil, "not a secret of ours" }, { store:verify(secret, 1) })
    end
  end)
end)
