-- lib/accounts/files.lua: users in, users out; secrets that stand for one user until they expire.

package.path = "./scripts/?.lua;./spec/scripts/?.lua;" .. package.path

local accounts = require "lib.accounts.files"
local temp = require "temp_folder"

describe("lib.accounts.files", function()
  local folder, store

  before_each(function()
    folder = temp.make()
    store = accounts.new(folder)
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

  it("makes one secret per task, which stands for its user until it expires", function()
    local made = assert(store:verification("task-1", "ada", 1000))
    assert.are.same({ secret = made.secret, sent = false }, made)
    assert.are.equal("ada", store:verify(made.secret, 999))
    assert.are.same({ nil, "expired" }, { store:verify(made.secret, 1000) })
    assert.are_not.equal(made.secret, assert(store:verification("task-2", "ada", 1000)).secret)
  end)

  it("finds what a task made before, and lets its secret live longer until it was sent", function()
    local made = assert(store:verification("../task", "ada", 1000))
    assert.are.same(made, assert(store:verification("../task", "ada", 2000)))
    assert.are.equal("ada", store:verify(made.secret, 1999))
    assert(store:note_sent("../task"))
    assert.are.same({ secret = made.secret, sent = true }, assert(store:verification("../task", "ada", 3000)))
    assert.are.same({ nil, "expired" }, { store:verify(made.secret, 2000) })
    assert.are.same({ "secrets", "verifications" }, temp.names(folder))
  end)

  it("goes on where a run ended before its secret was usable", function()
    local made = assert(store:verification("task-1", "ada", 1000))
    assert(os.remove(("%s/secrets/%s.json"):format(folder, made.secret)))
    assert.are.same(made, assert(store:verification("task-1", "ada", 1000)))
    assert.are.equal("ada", store:verify(made.secret, 1))
  end)

  it("notes nothing of what no task made", function()
    local ok, message = store:note_sent("task-1")
    assert.is_nil(ok)
    assert.is_truthy(message:find("task-1.json is not there", 1, true), message)
  end)

  it("accepts nothing that it did not issue", function()
    local long_name = ("a"):rep(27)
    assert(store:put_user(long_name, { name = "Ada", email = "ada@example.org" }))
    store:verification("task-1", long_name, 1000)
    -- The third names a file that is there.
    for _, secret in ipairs({ "", ("A"):rep(32), "../users/" .. long_name, ("A"):rep(31) .. "/", ("A"):rep(5000) }) do
      assert.are.same({ nil, "not a secret of ours" }, { store:verify(secret, 1) })
    end
  end)
end)
