-- lib/lines.lua: every line of a file, none lost or joined.

package.path = "./scripts/?.lua;./spec/scripts/?.lua;" .. package.path

local lines = require "lib.lines"
local temp = require "temp_folder"

describe("lib.lines", function()
  local folder

  before_each(function()
    folder = temp.make()
  end)

  after_each(function()
    temp.remove(folder)
  end)

  local function read(text)
    temp.write(folder .. "/file", text)
    local file, out = assert(io.open(folder .. "/file", "rb")), {}
    for line in lines.of(file) do
      out[#out + 1] = line
    end
    file:close()
    return out
  end

  it("gives the lines without their ends, the last one also when it has none", function()
    assert.are.same({}, read(""))
    assert.are.same({ "" }, read("\n"))
    assert.are.same({ "a", "", "b" }, read("a\n\nb\n"))
    assert.are.same({ "a", "b" }, read("a\nb"))
  end)

  it("keeps NUL bytes", function()
    assert.are.same({ "\0", "a\0b", "\0\0c" }, read("\0\na\0b\n\0\0c\n"))
  end)

  it("finds lines across the blocks that it reads", function()
    local expected = {}
    for i = 1, 20000 do
      expected[i] = ("%d "):format(i):rep(i % 7)
    end
    assert.are.same(expected, read(table.concat(expected, "\n") .. "\n"))
  end)

  it("leaves out the middle of a line without end, and goes on behind it", function()
    local out = read("first\n" .. ("x"):rep(5000000) .. "tail\nlast\n")
    assert.are.equal(3, #out)
    assert.are.equal("first", out[1])
    assert.is_true(#out[2] < 1200000)
    assert.are.equal("tail", out[2]:sub(-4))
    assert.are.equal("last", out[3])
  end)

  it("raises where there is nothing to read", function()
    local file = assert(io.open(folder, "rb"))
    assert.has_error(lines.of(file))
    file:close()
  end)
end)
