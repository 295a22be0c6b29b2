-- mooncrew.native: what Lua needs from C.

local native = require "mooncrew.native"

describe("native.regex", function()
  it("searches anywhere in the text", function()
    local regex = native.regex("b+")
    assert.is_true(regex:matches("abbc"))
    assert.is_false(regex:matches("ac"))
    assert.is_false(regex:matches(""))
  end)

  it("knows characters, not bytes", function()
    assert.is_true(native.regex("^.$"):matches("é"))
    assert.is_true(native.regex("^[à-ü]+$"):matches("éü"))
  end)

  it("ends at the very end of the text", function()
    assert.is_false(native.regex("^[a-z]+$"):matches("abc\n"))
  end)

  it("takes NUL bytes as they are", function()
    assert.is_true(native.regex("^a\0b$"):matches("a\0b"))
    assert.is_false(native.regex("^a$"):matches("a\0"))
  end)

  it("names a bad pattern, what is wrong and where", function()
    local regex, message = native.regex("a(b")
    assert.is_nil(regex)
    assert.are.equal('pattern "a(b": missing closing parenthesis at offset 3', message)
  end)

  it("gives up a search that would not end", function()
    for _, pattern in ipairs { "^(a+)+$", "(a|a)*$", "^(([a-z])+.)+[A-Z]([a-z])+$" } do
      local matches, message = native.regex(pattern):matches(("a"):rep(5000) .. "!")
      assert.is_nil(matches)
      assert.is_truthy(message:find("given up after too many steps", 1, true))
    end
  end)

  it("finds a match in a text that needs more than the machine's stack", function()
    assert.is_true(native.regex("^(?:(a)|b)*$"):matches(("ab"):rep(2000)))
  end)

  it("says that a text is not UTF-8", function()
    local matches, message = native.regex("a"):matches("a\255")
    assert.is_nil(matches)
    assert.are.equal("the text is not valid UTF-8", message)
  end)

  it("raises on misuse", function()
    assert.has_error(function() native.regex({}) end)
    assert.has_error(function() native.regex("a").matches({}, "a") end)
    assert.has_error(function() native.regex("a"):matches(nil) end)
  end)

  it("survives the garbage collector", function()
    for i = 1, 200 do
      assert.is_true(native.regex("^" .. i .. "$"):matches(tostring(i)))
    end
    collectgarbage()
    collectgarbage()
  end)
end)

describe("native.utf8_valid", function()
  it("accepts characters of every length", function()
    assert.is_true(native.utf8_valid("a\0é€😀"))
    assert.is_true(native.utf8_valid(""))
  end)

  for text, position in pairs {
    ["\255"] = 1, ["ab\192\128"] = 3, ["é\237\160\128"] = 3, ["a\244\144\128\128"] = 2, ["€\226\130"] = 4, ["\128"] = 1,
  } do
    it(("finds the bad byte of %q"):format(text), function()
      local valid, at = native.utf8_valid(text)
      assert.is_false(valid)
      assert.are.equal(position, at)
    end)
  end
end)

describe("native.utf8_length", function()
  it("counts characters", function()
    assert.are.equal(4, native.utf8_length("aé€😀"))
    assert.are.equal(0, native.utf8_length(""))
  end)

  it("has no answer for other bytes", function()
    assert.is_nil(native.utf8_length("a\255"))
  end)
end)

describe("native", function()
  it("reads the wall clock in milliseconds", function()
    local before = os.time()
    local now = native.wall_ms()
    assert.is_true(now >= before * 1000 and now < (os.time() + 1) * 1000)
  end)

  it("knows when a schedule is due next", function()
    assert.are.equal(1700006400, native.cron_next("@daily", 1700000000))
    assert.are.equal(1700011800, native.cron_next("CRON_TZ=Europe/Paris 30 2 * * *", 1700000000.5))
    assert.is_false(native.cron_next("0 0 30 2 *", 1700000000))
    local tick, message = native.cron_next("0 24 * * *", 1700000000)
    assert.is_nil(tick)
    assert.is_truthy(message:find("hour '24'", 1, true))
    assert.has_error(function() native.cron_next("@daily", 1e300) end)
    assert.has_error(function() native.cron_next(nil, 1) end)
  end)

  it("makes random ids", function()
    local seen = {}
    for _ = 1, 1000 do
      local id = native.uuid()
      assert.is_truthy(id:find("^%x%x%x%x%x%x%x%x%-%x%x%x%x%-4%x%x%x%-[89ab]%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$"))
      assert.is_nil(seen[id])
      seen[id] = true
    end
  end)

  it("raises when json_scan is misused", function()
    assert.has_error(function() native.json_scan() end)
    assert.has_error(function() native.json_scan("[]", {}) end)
    assert.has_error(function() native.json_scan("[]", {}, {}, 1) end)
  end)

  it("scans texts that nothing has checked without harm", function()
    local metatable, refuse = {}, function() return nil, "wide" end
    for _, text in ipairs {
      "]", "}", ",", "[", '"', '"\\', "{,", '{"a"', "[[[", "-", "[1,2", '{"a":[', ("["):rep(500), "\0",
      '{"\\ud83d\\u', '{"\\u12":1}', "1e", "[]]", "{]", '{"a":1,"a":', "99999999999999999999",
    } do
      for _, value in ipairs { {}, { { {} } }, 1, "x", { a = {} } } do
        native.json_scan(text, value, metatable, refuse)
      end
    end
  end)
end)

describe("native.next and native.pairs", function()
  it("walk a table as the global ones do", function()
    local seen = {}
    for key, value in native.pairs { "a", "b", x = 1, [2.5] = false } do
      seen[key] = value
    end
    assert.same({ "a", "b", x = 1, [2.5] = false }, seen)
    assert.is_nil(native.next {})
    assert.same({ 2, "b" }, { native.next({ "a", "b" }, 1) })
    assert.is_nil((native.next({ "a" }, 1)))
  end)

  it("let fields be removed on the way", function()
    local all = { a = 1, b = 2, c = 3 }
    for key in native.pairs(all) do
      all[key] = nil
    end
    assert.is_nil(native.next(all))
  end)

  it("refuse what is no table, and a key that is not there", function()
    assert.error_matches(function() native.pairs(nil) end, "table expected, got nil")
    assert.error_matches(function() native.next(3) end, "table expected, got number")
    assert.error_matches(function() native.next({}, "no key") end, "invalid key to 'next'")
  end)
end)
