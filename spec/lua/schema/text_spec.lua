-- mooncrew.schema: texts: their length, pattern and format.

package.path = "./spec/lua/schema/?.lua;" .. package.path

local json = require "mooncrew.json"
local schema = require "mooncrew.schema"
local verdict = require "verdict"

local value_of, refusal_of = verdict.value_of, verdict.refusal_of

describe("schema.string", function()
  it("counts characters", function()
    local short = schema.string { min_length = 2, max_length = 3 }
    for _, good in ipairs { "ab", "abc", "éé", "😀😀😀" } do
      assert.are.equal(good, value_of(short, good))
    end
    assert.are.equal("payload: must have at least 2 characters, has 1", refusal_of(short, "a"))
    assert.are.equal("payload: must have at least 2 characters, has 1", refusal_of(short, "😀"))
    assert.are.equal("payload: must have at most 3 characters, has 4", refusal_of(short, "😀😀😀😀"))
    assert.are.equal("payload: must have at least 1 character, has 0", refusal_of(schema.string { min_length = 1 }, ""))
    assert.are.equal("", value_of(schema.string(), ""))
  end)

  it("searches for a regular expression", function()
    local hex = schema.string { pattern = "^[0-9a-f]+$" }
    assert.are.equal("0af", value_of(hex, "0af"))
    assert.are.equal("payload: does not match the pattern ^[0-9a-f]+$", refusal_of(hex, "0AF"))
    assert.are.equal("payload: does not match the pattern ^[0-9a-f]+$", refusal_of(hex, "0af\n"))
    assert.are.equal("x%s7", value_of(schema.string { pattern = [[%s\d"?]] }, "x%s7"))
  end)

  it("refuses a text on which the pattern would not end", function()
    local message = refusal_of(schema.string { pattern = "^(a+)+$" }, ("a"):rep(5000) .. "!")
    assert.is_truthy(message:find("^payload: the search was given up"))
  end)

  it("refuses other kinds", function()
    for kind, value in pairs { number = 1, boolean = true, object = {}, array = { 1 }, null = json.null } do
      assert.are.equal("payload: expected string, got " .. kind, refusal_of(schema.string(), value))
    end
    assert.are.equal("payload: expected string, got function", refusal_of(schema.string(), print))
  end)
end)

describe("schema.string with a format", function()
  local formats = {
    email = { { "a@b.de", "joe.bloggs@example.com", '"a b"@[127.0.0.1]', "a@[IPv6:::1]" },
      { "a", "a@", "@b.de", "a..b@c.de", "a b@c.de", "a@-b.de", "a@b.de\n" } },
    uri = { { "http://a.de/?q#f", "urn:isbn:1", "mailto:a@b.de", "http://[::1]:80/" },
      { "/a", "a", "http://a b", "1a://b", "http://a/%zz", "http://a:x/" } },
    uuid = { { "2eb8aa08-AA98-11ea-b4aa-73b441d16380" }, { "2eb8aa08aa9811eab4aa73b441d16380", "" } },
    date = { { "2024-02-29", "2000-02-29", "0001-12-31" }, { "2023-02-29", "1900-02-29", "2024-13-01", "24-01-01" } },
    time = { { "12:00:00Z", "23:59:60Z", "00:59:60+01:00" }, { "24:00:00Z", "12:00:00", "12:00:60Z" } },
    ["date-time"] = { { "2024-02-29T12:30:00.5Z", "2024-02-28t12:30:00-23:59" },
      { "2024-02-30T12:30:00Z", "2024-02-28 12:30:00Z", "2024-02-28T12:30:00+24:00" } },
    ipv4 = { { "127.0.0.1", "255.255.255.255" }, { "256.0.0.1", "1.2.3", "01.2.3.4", "1.2.3.4.5" } },
    ipv6 = { { "::", "::1", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4" },
      { "1::2::3", "1:2:3:4:5:6:7", "12345::", "fe80::1%eth0" } },
  }
  for format, texts in pairs(formats) do
    it("knows " .. format, function()
      local shape = schema.string { format = format }
      for _, good in ipairs(texts[1]) do
        assert.are.equal(good, value_of(shape, good))
      end
      for _, bad in ipairs(texts[2]) do
        assert.are.equal("payload: is not a valid " .. format, refusal_of(shape, bad))
      end
    end)
  end
end)
