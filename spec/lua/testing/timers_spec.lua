-- The timers of a test's clock.

local timers = require "mooncrew.testing.timers"

describe("timers", function()
  local function drain(list)
    local order = {}
    while list:first() do
      order[#order + 1] = list:first().id
      list:stop(list:first().id)
    end
    return order
  end

  it("end in order of time, and of their start", function()
    local list = timers.new()
    for _, at in ipairs { 3, 1, 2, 1, 3, 0 } do
      list:start(at, function() end)
    end
    assert.are.same({ 6, 2, 4, 3, 1, 5 }, drain(list))
  end)

  it("that are stopped do not end, whenever it happens and however often", function()
    local list = timers.new()
    local ids = {}
    for i = 1, 200 do
      ids[i] = list:start(i * 7919 % 200, function() end)
    end
    for i = 1, 200, 2 do
      list:stop(ids[i])
      list:stop(ids[i])
    end
    list:stop(nil)
    list:stop(1000)
    local order = drain(list)
    assert.are.equal(100, #order)
    for i = 2, #order do
      assert.is_true(order[i - 1] * 7919 % 200 < order[i] * 7919 % 200)
    end
  end)

  it("are counted but for the limits of tasks", function()
    local list = timers.new()
    local wait = list:start(1, function() end)
    list:start(2, function() end, true)
    assert.are.equal(1, list.waits)
    list:stop(wait)
    assert.are.equal(0, list.waits)
    assert.is_not_nil(list:first())
  end)
end)
