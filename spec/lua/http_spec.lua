-- crew.http above its backend, which is stubbed here; tests/integration/http_spec.lua has the real one.

local http = require "mooncrew.http"

describe("crew.http", function()
  local backend, requests, answers

  before_each(function()
    backend, requests, answers = http.backend, {}, {}
    http.backend = function(request)
      requests[#requests + 1] = request
      return unpack(table.remove(answers, 1) or { { status = 200, headers = {}, body = "" } }, 1, 3)
    end
  end)
  after_each(function()
    http.backend = backend
  end)

  it("names escape and the caller's line when it is given no text", function()
    local ok, message = pcall(require("mooncrew.http").escape, nil)
    assert.is_false(ok)
    assert.matches("crew.http.escape: expected string, got nil", message)
    ok, message = pcall(function()
      local text = require("mooncrew.http").escape({})
      return text
    end)
    assert.is_false(ok)
    assert.matches("http_spec.lua:%d+: crew.http.escape: expected string, got table", message)
  end)

  it("hands plain tables to the backend", function()
    http.post("https://ada:x@h/p?a=1#f", {
      json = { b = 1 }, query = { c = 2 }, timeout = "5s", headers = { ["X-A"] = "y" },
    })
    assert.are.same({ {
      method = "POST", url = "https://h/p?a=1&c=2", body = '{"b":1}', timeout = 5, connect_timeout = 10,
      max_size = 16 * 1024 * 1024, verify = true,
      headers = { ["x-a"] = "y", ["content-type"] = "application/json", authorization = "Basic YWRhOng=" },
    } }, requests)
  end)

  it("has defaults, and takes 0 for no time-out", function()
    http.get("http://h")
    http.get("http://h", { timeout = 0, to_file = "/f", proxy = false, verify = false })
    assert.are.same({ 60, 10, true }, { requests[1].timeout, requests[1].connect_timeout, requests[1].verify })
    assert.are.same({ nil, nil, "", false }, { requests[2].timeout, requests[2].max_size, requests[2].proxy,
      requests[2].verify })
  end)

  it("gives a response, whatever a stub leaves out", function()
    local second = { status = 200, headers = { ["X-A"] = { "1", "2" } }, body = "[1]", duration = 2 }
    answers = { { { status = 404 } }, { second } }
    local response = http.get("http://h")
    assert.are.same({ 404, false, "", "http://h/" }, { response.status, response.ok, response.body, response.url })
    response = http.get("http://h")
    assert.are.same({ "1, 2", 2 }, { response.headers["x-a"], response.duration })
    assert.are.same({ "1", "2" }, response:values("X-A"))
    assert.are.same({ 1 }, response:json())
  end)

  it("tells what failed without the query", function()
    answers = { { nil, "broke", "CONNECTION" } }
    assert.are.same({ nil, "GET http://h/p: broke", "CONNECTION" }, { http.get("http://u:s@h/p?key=s") })
  end)

  it("names what is no address, without what is secret in it", function()
    for address, wanted in pairs {
      ["example.org/hook"] = "'example.org/hook' is no address to send a request to: it does not begin with http://",
      ["http://u:secret@h:x/?token=secret"] = "'http://h:…/' is no address to send a request to: its host or port",
      ["http://a%3Ab:secret@h/?token=secret"] = "'http://h/' is no address to send a request to: its user has a colon",
    } do
      local response, message, code = http.get(address)
      assert.are.same({ nil, "INVALID_URL" }, { response, code })
      assert.is_truthy(message:find(wanted, 1, true), message)
      assert.is_nil(message:find("secret", 1, true), message)
    end
  end)

  it("spends one time-out on all redirects", function()
    local moved = { { status = 302, headers = { location = "/next" }, duration = 3 } }
    answers = { moved, moved }
    assert(http.get("http://h", { timeout = 10 }))
    assert.are.same({ 10, 7, 4 }, { requests[1].timeout, requests[2].timeout, requests[3].timeout })
    answers = { moved, moved }
    assert.are.equal("TIMEOUT", select(3, http.get("http://h", { timeout = 5 })))
  end)

  describe("raises on misuse, where it is called", function()
    local function misused(wanted, ...)
      local ok, message = pcall(...)
      assert.is_false(ok)
      assert.is_truthy(message:find(wanted, 1, true), message)
    end

    it("of options", function()
      for wanted, options in pairs {
        ["unknown option 'timeuot', did you mean 'timeout'?"] = { timeuot = 1 }, ["timeout: "] = { timeout = "soon" },
        ["json and body are both given"] = { json = 1, body = "x" }, ["method: "] = { method = "GET /\r\n" },
        ["line break"] = { headers = { X = "a\r\nY: b" } }, ["no name of a header"] = { headers = { ["X\n"] = "" } },
        ["redirects: "] = { redirects = -1 }, ["auth: "] = { auth = "secret" }, ["verify: "] = { verify = 1 },
        ["to_file: "] = { to_file = "a\0b" }, ["bearer must be"] = { auth = { bearer = "a\r\nb" } },
        ["json: json"] = { json = { f = print } }, ["proxy: "] = { proxy = true },
      } do
        options.url = "http://h"
        misused(wanted, http.request, options)
      end
      misused("url is missing", http.request, {})
      misused("http.request: expected table", http.request, "http://h")
      misused("http.get: url: expected string", http.get, {})
      misused("http.get: url is said already", http.get, "http://h", { url = "http://g" })
      assert.are.same({}, requests)
    end)

    it("and blames the caller", function()
      local _, message = pcall(function()
        http.get("http://h", { nonsense = 1 })
      end)
      assert.is_truthy(message:find("http_spec.lua:", 1, true), message)
      _, message = pcall(function()
        http.request { url = "http://h", nonsense = 1 }
      end)
      assert.is_truthy(message:find("http_spec.lua:", 1, true), message)
    end)
  end)
end)
