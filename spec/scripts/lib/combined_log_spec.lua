-- lib/combined_log.lua: what a line tells, and which lines are none.

package.path = "./scripts/?.lua;" .. package.path

local combined_log = require "lib.combined_log"

local APACHE = '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326 '
  .. '"http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"'

local function with_request(request)
  return '::1 - - [31/Jan/2026:00:00:00 +0000] "' .. request .. '" 400 0 "-" "-"'
end

describe("lib.combined_log", function()
  it("reads the line from Apache's manual", function()
    assert.are.same({ hour = "13", path = "/apache_pb.gif", status = "200", bytes = 2326 }, combined_log.parse(APACHE))
  end)

  it("takes a dash for no bytes", function()
    assert.are.equal(0, combined_log.parse('::1 - - [31/Jan/2026:00:00:00 +0000] "GET / HTTP/2.0" 304 - "-" "-"').bytes)
  end)

  it("leaves the query out of the path", function()
    assert.are.equal("/search", combined_log.parse(with_request("GET /search?q=a?b HTTP/1.1")).path)
  end)

  it("reads requests without a version, and paths with blanks", function()
    assert.are.equal("/old", combined_log.parse(with_request("GET /old")).path)
    assert.are.equal("/a b", combined_log.parse(with_request("GET /a b HTTP/1.1")).path)
  end)

  it("has no path where the request makes no sense", function()
    for _, request in ipairs({ "-", "", [[\x16\x03\x01]], "get / HTTP/1.1", "GET" }) do
      local entry = combined_log.parse(with_request(request))
      assert.are.equal("400", entry.status)
      assert.is_nil(entry.path)
    end
  end)

  it("understands escaped quotes and backslashes", function()
    local line = [[::1 - - [31/Jan/2026:00:00:00 +0000] "GET /\"x\\ HTTP/1.1" 200 5 "\"" "a \"b\" \\"]]
    assert.are.same({ hour = "00", path = [[/\"x\\]], status = "200", bytes = 5 }, combined_log.parse(line))
  end)

  it("writes bytes that are not ASCII as servers do", function()
    assert.are.equal([[/caf\xE9]], combined_log.parse(with_request("GET /caf\233 HTTP/1.1")).path)
  end)

  it("allows fields behind the user agent, a user with a blank, and a carriage return", function()
    assert.is_table(combined_log.parse(APACHE .. ' "203.0.113.9" 0.004'))
    assert.is_table(combined_log.parse((APACHE:gsub("frank", "frank the first"))))
    assert.is_table(combined_log.parse(APACHE .. "\r"))
  end)

  it("refuses every line that is not in the format", function()
    for _, line in ipairs({
      "", "-", "\0\1\2", APACHE:sub(1, -2), APACHE:match('^(.-) "http'), (APACHE:gsub(" 200 ", " OK ")),
      (APACHE:gsub(" 200 ", " 999 ")), (APACHE:gsub(" 2326 ", " 23-26 ")), (APACHE:gsub(" 2326 ", " ")),
      (APACHE:gsub("10/Oct/2000:13:55:36 %-0700", "yesterday")), (APACHE:gsub('HTTP/1.0"', "HTTP/1.0")),
      (APACHE:gsub("^%S+ ", "")), (APACHE:gsub('" "', '"')),
    }) do
      assert.is_nil(combined_log.parse(line), line)
    end
  end)
end)
