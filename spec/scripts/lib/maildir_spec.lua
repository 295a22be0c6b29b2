-- lib/maildir.lua: whole messages in new/, nothing left in tmp/.

package.path = "./scripts/?.lua;./spec/scripts/?.lua;" .. package.path

local maildir = require "lib.maildir"
local temp = require "temp_folder"
local uv = require "luv"

describe("lib.maildir", function()
  local folder

  before_each(function()
    folder = temp.make()
  end)

  after_each(function()
    temp.remove(folder)
  end)

  it("makes the Maildir and delivers into new/, with lines that end in LF", function()
    local path = assert(maildir.deliver(folder .. "/deep/Maildir", "A: b\r\n\r\nbody\r\n"))
    assert.are.same({ "cur", "new", "tmp" }, temp.names(folder .. "/deep/Maildir"))
    assert.are.equal("A: b\n\nbody\n", temp.read(folder .. "/deep/Maildir/" .. path))
    assert.are.same({}, temp.names(folder .. "/deep/Maildir/tmp"))
  end)

  it("gives every message a name of its own, also within one microsecond", function()
    local clock = uv.gettimeofday
    finally(function()
      uv.gettimeofday = clock
    end)
    uv.gettimeofday = function()
      return 1769853600, 42
    end
    for _ = 1, 200 do
      assert(maildir.deliver(folder, "A: b\r\n\r\n"))
    end
    assert.are.equal(200, #temp.names(folder .. "/new"))
    for _, name in ipairs(temp.names(folder .. "/new")) do
      assert.is_truthy(name:match("^%d+%.M%d%d%d%d%d%dP%d+Q%d+%.[^/:]+$"), name)
    end
  end)

  it("says why it could not deliver, and leaves nothing behind", function()
    temp.write(folder .. "/new", "in the way")
    local path, reason = maildir.deliver(folder, "A: b\r\n\r\n")
    assert.is_nil(path)
    assert.is_truthy(reason:find(folder .. "/", 1, true), reason)
    assert.are.same({}, temp.names(folder .. "/tmp"))
  end)
end)
