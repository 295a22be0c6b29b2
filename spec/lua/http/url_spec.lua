local url = require "mooncrew.http.url"

describe("an address", function()
  local function formatted(text)
    return url.format(assert(url.parse(text)))
  end

  it("is taken apart and put together", function()
    local parsed = url.parse("HTTPS://ada:p%40ss@Example.ORG:8443/a/b?c=d#e")
    assert.are.same({ scheme = "https", host = "example.org", port = 8443, path = "/a/b", query = "?c=d", user = "ada",
      password = "p@ss" }, parsed)
    assert.are.equal("https://example.org:8443/a/b?c=d", url.format(parsed))
    assert.are.equal("https://example.org:8443/a/b", url.show(parsed))
    assert.are.equal("http://h/", formatted("http://h:80"))
    assert.are.equal("http://[::1]:81/?a", formatted("http://[::1]:81?a"))
    assert.are.equal("http://h/%C3%BC?%C3%BC", formatted("http://h/ü?ü"))
  end)

  it("has as host what stands behind the last at sign", function()
    local parsed = url.parse("http://good.org@evil.org/")
    assert.are.same({ "evil.org", "good.org" }, { parsed.host, parsed.user })
    assert.are.equal("h", url.parse("http://a@b:c@h/").host)
  end)

  it("is refused with a reason", function()
    for _, text in ipairs { "", "h", "//h", "ftp://h", "http://", "http://:80", "http://h:0", "http://h:65536",
      "http://h:x", "http://h/a b", "http://h\r\n", "http://h\\@g", "http://[::1", "http://u@" } do
      local parsed, reason = url.parse(text)
      assert.is_nil(parsed, text)
      assert.is_string(reason)
    end
  end)

  it("that is none is shown without what may be secret in it", function()
    for text, shown in pairs {
      ["example.org/hook"] = "example.org/hook", ["ftp://h/p"] = "ftp://h/p", [""] = "",
      ["http://h:0/a"] = "http://h:0/a",
      ["http://h/a b?token=secret#secret"] = "http://h/a b", ["http://u:secret@h:x/p"] = "http://h:…/p",
      ["http://u:sec@ret@h:0/p"] = "http://h:0/p", ["u:secret@h"] = "h", ["http://u:sec/ret@h:0"] = "http://h:0",
      ["http://u:sec?ret@h"] = "http://…", ["http://u:secret"] = "http://u:…", ["http://h\r\nX: y"] = "http://h??X:…",
      ["ftp://" .. ("h"):rep(1000)] = "ftp://" .. ("h"):rep(294) .. "…",
    } do
      assert.are.equal(shown, url.show_text(text))
    end
  end)

  it("may have other schemes where they are named", function()
    assert.are.equal(25, url.parse("smtp://h", { smtp = 25 }).port)
    assert.is_nil((url.parse("http://h", { smtp = 25 })))
  end)

  it("resolves references as RFC 3986 has them", function()
    local base = url.parse("http://a/b/c/d?q")
    local wanted = { g = "http://a/b/c/g", ["./g/"] = "http://a/b/c/g/", ["/g"] = "http://a/g", ["//g"] = "http://g/",
      ["?y"] = "http://a/b/c/d?y", ["g?y#s"] = "http://a/b/c/g?y", [""] = "http://a/b/c/d?q", ["."] = "http://a/b/c/",
      [".."] = "http://a/b/", ["../g"] = "http://a/b/g", ["../../../g"] = "http://a/g", ["/./g"] = "http://a/g",
      ["https://x/y"] = "https://x/y", ["a b"] = "http://a/b/c/a%20b" }
    for reference, whole in pairs(wanted) do
      assert.are.equal(whole, url.format(assert(url.resolve(base, reference))), reference)
    end
    assert.is_nil((url.resolve(base, "file:///etc/passwd")))
    assert.is_nil((url.resolve(base, "javascript:x")))
  end)

  it("gets more query", function()
    for before, after in pairs { ["http://h/"] = "http://h/?x=1", ["http://h/?"] = "http://h/?x=1",
      ["http://h/?a=b"] = "http://h/?a=b&x=1" } do
      local parsed = url.parse(before)
      url.add_query(parsed, "x=1")
      assert.are.equal(after, url.format(parsed))
    end
  end)

  it("escapes what is reserved", function()
    assert.are.equal("a%2Fb%20c~-._%C3%BC%00", url.escape("a/b c~-._ü\0"))
  end)
end)
