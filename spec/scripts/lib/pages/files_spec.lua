-- lib/pages/files.lua: pages in, pages out, each once.

package.path = "./scripts/?.lua;./spec/scripts/?.lua;" .. package.path

local files = require "lib.pages.files"
local temp = require "temp_folder"

local ONE, TWO = { { at = 1, text = "one" } }, { { at = 2, text = "two" } }

describe("lib.pages.files", function()
  local folder, store

  before_each(function()
    folder = temp.make()
    store = files.new(folder)
  end)

  after_each(function()
    temp.remove(folder)
  end)

  it("knows nobody at first", function()
    assert.are.same({}, store:users())
    assert.are.same({}, store:of("ada"))
    assert.is_true(store:remove("ada", { { id = "p1" } }))
  end)

  it("keeps a page under its id, however often it is added, until it is removed", function()
    assert(store:add("p1", "ada", ONE))
    assert(store:add("p1", "ada", ONE))
    assert(store:add("../p2", "ada", TWO))
    local pages = store:of("ada")
    assert.are.equal(2, #pages)
    assert(store:add("p3", "ada", ONE)) -- while the others are being sent
    assert(store:remove("ada", pages))
    assert.are.same({ "ada" }, store:users())
    assert.are.equal("p3", store:of("ada")[1].id)
    assert(store:remove("ada", store:of("ada")))
    assert.are.same({}, store:users())
  end)

  it("keeps users apart, whatever their names are", function()
    for i, username in ipairs { "a/b", "..", "a", "zoë" } do
      assert(store:add("p" .. i, username, ONE))
    end
    assert.are.same({ "..", "a", "a/b", "zoë" }, store:users())
    assert.are.equal("p1", store:of("a/b")[1].id)
  end)

  it("passes over what is being written", function()
    assert(store:add("p1", "ada", ONE))
    temp.write(folder .. "/digests/ada/p2.json.17.99", "{")
    assert.are.equal(1, #store:of("ada"))
  end)

  it("says which page is broken", function()
    assert(store:add("p1", "ada", ONE))
    temp.write(folder .. "/digests/ada/p1.json", "{")
    local pages, message = store:of("ada")
    assert.is_nil(pages)
    assert.is_truthy(message:find("digests/ada/p1.json", 1, true), message)
  end)
end)
