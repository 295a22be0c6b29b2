-- mooncrew.descriptors: whose a file descriptor is, with pretended scopes.

local descriptors = require "mooncrew.descriptors"
local scope = require "mooncrew.scope"

describe("a descriptor", function()
  local closed

  before_each(function()
    closed = {}
  end)

  local function open(of, fd)
    scope.call(of, descriptors.hold, tostring, fd, function()
      closed[#closed + 1] = fd
    end)
  end

  it("is closed at the end of its task", function()
    local of = scope.of {}
    open(of, 70)
    of:close()
    assert.are.same({ 70 }, closed)
  end)

  it("is not closed when it was closed already, also by another task", function()
    local of = scope.of {}
    open(of, 71)
    descriptors.forget(71)
    of:close()
    assert.are.same({}, closed)
  end)

  it("is not closed by the task that had its number before", function()
    local first, second = scope.of {}, scope.of {}
    open(first, 72)
    open(second, 72)
    first:close()
    assert.are.same({}, closed)
    second:close()
    assert.are.same({ 72 }, closed)
  end)

  it("is closed when the last request of it has ended, if that is later", function()
    local of = scope.of {}
    open(of, 74)
    local first, second = descriptors.begin(74), descriptors.begin(74)
    first()
    of:close()
    assert.are.same({}, closed)
    second()
    assert.are.same({ 74 }, closed)
  end)

  it("is nobody's to wait for when it was closed, or never opened for a task", function()
    open(scope.of {}, 75)
    descriptors.forget(75)
    assert.is_nil(descriptors.begin(75))
    assert.is_nil(descriptors.begin(76))
    assert.is_nil(descriptors.begin(nil))
  end)

  it("stays when it is kept", function()
    local of = scope.of {}
    open(of, 73)
    scope.call(of, scope.keep, tostring, 73)
    of:close()
    assert.are.same({}, closed)
  end)
end)
