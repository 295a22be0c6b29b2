-- Limits of a queue as people write them.
local limits = require "mooncrew.limits"

describe("a rate", function()
  it("is read as tasks per time", function()
    for text, expected in pairs {
      ["10/s"] = { 10, 1000 }, ["100/m"] = { 100, 60000 }, ["5/10s"] = { 5, 10000 }, [" 1 / 1h30m "] = { 1, 5400000 },
      ["3/250ms"] = { 3, 250 }, ["7/d"] = { 7, 86400000 }, ["2/5"] = { 2, 5000 }, ["1/1.0005s"] = { 1, 1001 },
      ["1/1001ms"] = { 1, 1001 }, ["1000000/s"] = { 1000000, 1000 },
    } do
      assert.same(expected, { limits.parse_rate(text) }, text)
    end
  end)

  it("that makes no sense is refused with what is wanted", function()
    for _, text in ipairs { "", "10", "0/s", "10/0s", "10/x", "-1/s", "1.5/s", "s/10", "10/s/s", 10 } do
      local tasks, message = limits.parse_rate(text)
      assert.is_nil(tasks, tostring(text))
      assert.matches("is no rate: write tasks per time", message)
    end
  end)

  it("that is too high is refused, however high", function()
    for _, text in ipairs { "1000001/s", "99999999999999999999/s", ("9"):rep(400) .. "/s" } do
      local tasks, message = limits.parse_rate(text)
      assert.is_nil(tasks, text)
      assert.matches("must be from 1 to 1000000 tasks", message)
    end
  end)

  it("is written in the largest unit that fits", function()
    for expected, numbers in pairs {
      ["10/s"] = { 10, 1000 }, ["5/10s"] = { 5, 10000 }, ["1/90m"] = { 1, 5400000 }, ["3/250ms"] = { 3, 250 },
      ["2/d"] = { 2, 86400000 },
    } do
      assert.equal(expected, limits.format_rate(numbers[1], numbers[2]))
      assert.same(numbers, { limits.parse_rate(expected) })
    end
  end)
end)

describe("changes of limits", function()
  it("leave what is not named and clear what is false", function()
    assert.same({}, limits.numbers_of {})
    assert.same({ concurrency = 3 }, limits.numbers_of { concurrency = 3 })
    assert.same({ concurrency = 0, rate = 0 }, limits.numbers_of { concurrency = false, rate = false })
    assert.same({ rate = 10, interval_ms = 1000 }, limits.numbers_of { rate = "10/s" })
  end)

  it("that make no sense are refused", function()
    for _, changes in ipairs { { concurrency = 0 }, { concurrency = 1.5 }, { concurrency = "many" }, { rate = 5 },
      { concurrency = true }, { rate = true }, { concurrency = 1000001 }, { concurrency = 1e300 },
      { concurrency = 1 / 0 }, { concurrency = 0 / 0 } } do
      local numbers, message = limits.numbers_of(changes)
      assert.is_nil(numbers)
      assert.is_string(message)
    end
  end)
end)
