-- lib/json_file.lua: objects in files, whole or not there.

package.path = "./scripts/?.lua;./spec/scripts/?.lua;" .. package.path

local json_file = require "lib.json_file"
local temp = require "temp_folder"

describe("lib.json_file", function()
  local folder

  before_each(function()
    folder = temp.make()
  end)

  after_each(function()
    temp.remove(folder)
  end)

  it("reads what it wrote, in folders that it makes, and leaves nothing beside it", function()
    local path = folder .. "/a/b/c.json"
    assert(json_file.write(path, { n = 1 }))
    assert(json_file.write(path, { n = 2 }))
    assert.are.same({ n = 2 }, json_file.read(path))
    assert.are.same({ "c.json" }, temp.names(folder .. "/a/b"))
  end)

  it("writes once where it is told to", function()
    local path = folder .. "/c.json"
    assert(json_file.write_once(path, { n = 1 }))
    assert(json_file.write_once(path, { n = 2 }))
    assert.are.same({ n = 1 }, json_file.read(path))
    assert.are.same({ "c.json" }, temp.names(folder))
  end)

  it("tells a file that is not there from one that is broken", function()
    local object, message = json_file.read(folder .. "/absent.json")
    assert.is_nil(object)
    assert.is_nil(message)
    for _, text in ipairs({ "", "{", "[1", "12", "null" }) do
      temp.write(folder .. "/broken.json", text)
      object, message = json_file.read(folder .. "/broken.json")
      assert.is_nil(object)
      assert.is_truthy(message:find("broken.json", 1, true), message)
    end
  end)

  it("says why it cannot write", function()
    temp.write(folder .. "/file", "")
    local ok, message = json_file.write(folder .. "/file/c.json", {})
    assert.is_nil(ok)
    assert.is_truthy(message:find("ENOTDIR", 1, true), message)
  end)
end)
