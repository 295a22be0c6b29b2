local redirect = require "mooncrew.http.redirect"

describe("a redirect", function()
  local function follow(status, location, method)
    local request = { method = method or "GET", url = "https://a.org/x", body = "b",
      headers = { authorization = "s", cookie = "s", ["content-type"] = "t", other = "o" } }
    local following, message, code = redirect.follow(request, status, location)
    assert.are.equal("https://a.org/x", request.url)
    assert.are.equal("s", request.headers.cookie)
    return following, message, code
  end

  it("is one by status and place", function()
    assert.are.equal("/y", redirect.location { status = 302, headers = { location = "/y" } })
    assert.are.equal("/y", redirect.location { status = 308, headers = { location = { "/y", "/z" } } })
    for _, answer in ipairs { { status = 200, headers = { location = "/y" } }, { status = 302, headers = {} },
      { status = 304, headers = { location = "/y" } }, { status = 302 } } do
      assert.is_nil(redirect.location(answer))
    end
  end)

  it("takes secrets to the same origin alone", function()
    for _, location in ipairs { "http://a.org/x", "https://b.a.org/", "https://a.org:444/", "//b.org/" } do
      assert.are.same({ ["content-type"] = "t", other = "o" }, follow(307, location).headers, location)
    end
    assert.are.equal("s", follow(307, "https://A.org:443/y").headers.authorization)
  end)

  it("makes a GET of what it should", function()
    local following = follow(303, "/y", "DELETE")
    assert.are.same({ "GET", nil, nil }, { following.method, following.body, following.headers["content-type"] })
    assert.are.equal("HEAD", follow(303, "/y", "HEAD").method)
    assert.are.equal("GET", follow(301, "/y", "POST").method)
    following = follow(307, "/y", "POST")
    assert.are.same({ "POST", "b", "https://a.org/y" }, { following.method, following.body, following.url })
  end)

  it("goes nowhere else", function()
    local following, message, code = follow(302, "file:///etc/passwd")
    assert.are.same({ nil, "INVALID_URL" }, { following, code })
    assert.are.equal("it redirects to 'file:///etc/passwd', which is not followed: it does not begin with http:// or "
      .. "https://", message)
    message = select(2, follow(302, "ftp://ada:secret@h/x?token=secret"))
    assert.is_truthy(message:find("'ftp://h/x'", 1, true), message)
    assert.is_nil(message:find("secret", 1, true))
  end)
end)
