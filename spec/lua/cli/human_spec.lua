-- Durations, times, sizes and payloads for people.

local human = require "mooncrew.cli.human"

describe("mooncrew.cli.human", function()
  it("shows a duration by its two largest units", function()
    local cases = {
      { 0, "0s" }, { 0.0004, "1ms" }, { 0.25, "250ms" }, { 1, "1s" }, { 59.9, "59s" }, { 60, "1m" }, { 200, "3m20s" },
      { 3600, "1h" }, { 7500, "2h5m" }, { 86400 * 4 + 3600 * 3 + 59, "4d3h" }, { 86400 + 59, "1d" },
    }
    for _, case in ipairs(cases) do
      assert.equal(case[2], human.duration(case[1]))
    end
  end)

  it("shows a time by its distance, in both directions", function()
    assert.equal("3m20s ago", human.since(1000, 1200))
    assert.equal("in 5m", human.since(1300, 1000))
    assert.equal("now", human.since(1000, 1000.5))
    assert.equal("-", human.since(nil))
    assert.equal("-", human.since(0))
    assert.equal("2030-01-31T12:00:00Z (1h ago)", human.time(1896091200, 1896094800))
    assert.equal("-", human.time(0))
  end)

  it("calls due what is to come once its time has come", function()
    assert.equal("in 5m", human.due(1300, 1000))
    assert.equal("due", human.due(1300, 1300))
    assert.equal("due", human.due(1300, 1301.9))
    assert.equal("-", human.due(0, 1000))
    assert.equal("-", human.due(nil, 1000))
  end)

  it("marks bytes where nothing else says what they are", function()
    assert.equal("hex:00ff" .. ("00"):rep(40), human.line("\0\255" .. ("\0"):rep(40)))
    assert.equal("plain", human.line("plain"))
    assert.equal("[\n  1\n]", human.line("[1]"))
  end)

  it("shows large numbers in groups of three, and sizes by their unit", function()
    assert.equal("0", human.count(0))
    assert.equal("999", human.count(999))
    assert.equal("1,000", human.count(1000))
    assert.equal("1,234,567", human.count(1234567))
    assert.equal("1 task", human.many(1, "task"))
    assert.equal("2,000 tasks", human.many(2000, "task"))
    assert.equal("0 B", human.size(0))
    assert.equal("1023 B", human.size(1023))
    assert.equal("1.5 KB", human.size(1536))
    assert.equal("1.0 MB", human.size(1048576))
  end)

  describe("payload", function()
    it("indents JSON and leaves its numbers, its keys' order and its strings as they are", function()
      local text, kind = human.payload('{"b":1.50,"a":[1,{"c":[]},"x, \\"y\\\\"],"e":{ }, "z":-1e9}')
      assert.equal("json", kind)
      assert.equal(table.concat({
        "{",
        '  "b": 1.50,',
        '  "a": [',
        "    1,",
        "    {",
        '      "c": []',
        "    },",
        '    "x, \\"y\\\\"',
        "  ],",
        '  "e": {},',
        '  "z": -1e9',
        "}",
      }, "\n"), text)
      assert.same({ "true", "json" }, { human.payload(" true ") })
    end)

    it("shows text that is no JSON as it is, and bytes in hexadecimal", function()
      assert.same({ "hello größe\n", "text" }, { human.payload("hello größe\n") })
      assert.same({ "0008ff", "hex" }, { human.payload("\0\8\255") })
      assert.same({ "1b5b6d", "hex" }, { human.payload("\27[m") }, "no escape sequence reaches a terminal")
      local long = human.payload(("\1"):rep(33))
      assert.equal(("01"):rep(32) .. "\n01", long)
    end)

    it("becomes a field for programs whose name says what it is", function()
      local function fields(bytes)
        local result = {}
        human.add_bytes(result, "payload", bytes)
        return result
      end
      assert.same({ payload = { a = 1 } }, fields('{"a":1}'))
      assert.same({ payload_text = "{x" }, fields("{x"))
      assert.same({ payload_hex = "00ff" }, fields("\0\255"))
      assert.same({}, fields(""))
      assert.same({}, fields(nil))
    end)
  end)
end)
