-- mooncrew.duration: the grammar of durations, shared with the runtime.

local duration = require "mooncrew.duration"

describe("duration.seconds", function()
  local good = {
    ["90"] = 90, ["90s"] = 90, ["1h30m"] = 5400, ["250ms"] = 0.25, ["1.5h"] = 5400, ["2d"] = 172800, [".5s"] = 0.5,
    ["30m1h"] = 5400, ["0"] = 0, ["1d1h1m1s1ms"] = 90061.001, ["1."] = 1,
  }
  for text, seconds in pairs(good) do
    it("reads " .. text, function()
      assert.are.equal(seconds, duration.seconds(text))
    end)
  end

  it("takes a number as seconds, to the millisecond", function()
    assert.are.equal(5, duration.seconds(5))
    assert.are.equal(0.001, duration.seconds(0.0011))
    assert.are.equal(0, duration.seconds(0))
  end)

  it("does not round what is short to nothing, which is no limit", function()
    for _, value in ipairs { "0.1ms", "0.0001s", 0.0004, 1e-9 } do
      assert.are.equal(0.001, duration.seconds(value))
    end
    assert.are.equal(1, duration.seconds "1s0.4ms")
  end)

  for _, text in ipairs {
    "", " ", "s", "-", "-s", "+5s", "1x", "1h30", "5 s", "1s2s", "1.2.3s", ".", "0x10", "1e3", "inf", "nan", "1h\0",
    "1H", "400000000d", ("9"):rep(400),
  } do
    it(("refuses %q"):format(text:sub(1, 20)), function()
      local seconds, message = duration.seconds(text)
      assert.is_nil(seconds)
      assert.is_truthy(message:find("is no duration: write seconds or units", 1, true))
    end)
  end

  it("says of a negative one that it is negative", function()
    for _, value in ipairs { "-1", "-5s", "-1h30m", "-.5", -5, -0.001 } do
      local seconds, message = duration.seconds(value)
      assert.is_nil(seconds)
      assert.are.equal(("a duration must not be negative, as '%s' is"):format(value), message)
    end
  end)

  it("refuses numbers that are no length of time", function()
    for _, value in ipairs { -1, 0 / 0, math.huge, -math.huge, 1e300 } do
      assert.is_nil((duration.seconds(value)))
    end
  end)

  it("names the type of anything else", function()
    local seconds, message = duration.seconds({})
    assert.is_nil(seconds)
    assert.are.equal('a duration is a number of seconds or a text such as "1h30m", not a table', message)
    assert.is_nil((duration.seconds(nil)))
  end)
end)
