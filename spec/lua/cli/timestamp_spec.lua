-- Points in time.

local timestamp = require "mooncrew.cli.timestamp"

describe("mooncrew.cli.timestamp", function()
  it("reads UTC and offsets", function()
    assert.equal(0, timestamp.parse "1970-01-01T00:00:00Z")
    assert.equal(1896091200, timestamp.parse "2030-01-31T12:00:00Z")
    assert.equal(1896091200, timestamp.parse "2030-01-31 13:30:00+01:30")
    assert.equal(1896091200, timestamp.parse "2030-01-31T04:00:00-0800")
    assert.equal(951782400, timestamp.parse "2000-02-29T00:00:00Z")
  end)

  it("reads unix seconds", function()
    assert.equal(1896091200, timestamp.parse "1896091200")
    assert.equal(1896091200.5, timestamp.parse "1896091200.5")
  end)

  it("refuses what no calendar has", function()
    for _, text in ipairs { "2030-02-30T12:00:00Z", "1900-02-29T00:00:00Z", "2030-13-01T00:00:00Z",
      "2030-01-01T25:00:00Z", "2030-01-01T00:60:00Z" } do
      assert.is_nil((timestamp.parse(text)))
    end
  end)

  it("refuses what is no time, with what to write instead", function()
    for _, text in ipairs { "", "tomorrow", "2030-01-31", "2030-01-31T12:00:00", "2030-01-31T12:00:00+99:00", "-5",
      "1e9", "0x10" } do
      local seconds, message = timestamp.parse(text)
      assert.is_nil(seconds)
      assert.equal(("'%s' is no time: write 2030-01-31T12:00:00Z or unix seconds"):format(text), message)
    end
  end)

  it("formats no time that is not known", function()
    assert.is_nil(timestamp.known(nil))
    assert.is_nil(timestamp.known(0))
    assert.equal("1970-01-01T00:00:01Z", timestamp.known(1.9))
  end)

  it("formats what it has parsed", function()
    for _, text in ipairs { "1970-01-01T00:00:00Z", "2030-01-31T12:00:00Z", "2000-02-29T23:59:59Z" } do
      assert.equal(text, timestamp.format(timestamp.parse(text)))
    end
  end)
end)
