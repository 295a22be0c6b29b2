-- lib/retry_after.lua: how long a server asks to wait.

package.path = "./scripts/?.lua;" .. package.path

local retry_after = require "lib.retry_after"

local NOW = 784111777 -- Sun, 06 Nov 1994 08:49:37 GMT

describe("lib.retry_after", function()
  it("reads seconds", function()
    assert.are.equal(120, retry_after.seconds("120", NOW))
    assert.are.equal(0, retry_after.seconds("0", NOW))
  end)

  it("reads the three forms of dates in HTTP", function()
    for _, date in ipairs { "Sun, 06 Nov 1994 08:50:37 GMT", "Sunday, 06-Nov-94 08:50:37 GMT",
      "Sun Nov  6 08:50:37 1994" } do
      assert.are.equal(60, retry_after.seconds(date, NOW), date)
    end
  end)

  it("counts days as the calendar does", function()
    for date, seconds in pairs {
      ["Thu, 01 Jan 1970 00:00:00 GMT"] = 0, ["Tue, 29 Feb 2000 12:00:00 GMT"] = 951825600,
      ["Wed, 01 Mar 2000 00:00:00 GMT"] = 951868800, ["Thu, 31 Dec 2026 23:59:59 GMT"] = 1798761599,
      ["Mon, 01 Mar 2100 00:00:00 GMT"] = 4107542400,
    } do
      assert.are.equal(seconds, retry_after.seconds(date, 0), date)
    end
  end)

  it("waits for nothing that is over", function()
    assert.are.equal(0, retry_after.seconds("Sun, 06 Nov 1994 08:49:36 GMT", NOW))
    assert.are.equal(0, retry_after.seconds("Friday, 06-Nov-93 08:49:36 GMT", NOW))
  end)

  it("takes two digits for the nearest year", function()
    assert.are.equal(4102444800 - 4070908800, retry_after.seconds("Friday, 01-Jan-00 00:00:00 GMT", 4070908800))
  end)

  it("knows nothing of other texts", function()
    for _, text in ipairs { "", "soon", "-1", "1.5", "Sun, 06 Nov 1994", "Sun, 06 Foo 1994 08:49:37 GMT" } do
      assert.is_nil(retry_after.seconds(text, NOW))
    end
    assert.is_nil(retry_after.seconds(nil, NOW))
  end)
end)
