-- crew.http against a real web server: what goes out, what comes back, and what is refused.
local Server = require "http_server"
local async = require "mooncrew.async"
local certificates = require "certificates"
local http = require "mooncrew.http"
local native = require "mooncrew.native_http"
local uv = require "luv"
local waiting = require "waiting"

local function read_file(path)
  local file = io.open(path, "rb")
  local text = file and file:read "*a"
  if file then file:close() end
  return text
end

local function write_file(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

local function files_in(folder)
  local names = {}
  for name in function(scan) return uv.fs_scandir_next(scan) end, assert(uv.fs_scandir(folder)) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

local function remove_tree(path)
  for name, kind in function(scan) return uv.fs_scandir_next(scan) end, assert(uv.fs_scandir(path)) do
    local entry = path .. "/" .. name
    if kind == "directory" then remove_tree(entry) else uv.fs_unlink(entry) end
  end
  uv.fs_rmdir(path)
end

describe("crew.http", function()
  local folder, server, other

  setup(function()
    folder = assert(uv.fs_mkdtemp "/tmp/mooncrew-http-XXXXXX")
    server, other = Server.start(folder), Server.start(folder)
  end)
  teardown(function()
    server:stop()
    other:stop()
    remove_tree(folder)
  end)

  local function request(options)
    return waiting.run(function() return http.request(options) end)
  end

  local function get(path, options)
    return waiting.run(function() return http.get(server.url .. path, options) end)
  end

  -- What the server saw of a request.
  local function seen(options)
    options.url = options.url or server.url .. "/echo"
    return assert(assert(request(options)):json())
  end

  local function refused(code, options, wanted)
    local response, message, got = request(options)
    assert.is_nil(response)
    assert.equal(code, got, message)
    assert.matches(wanted or "", message)
    return message
  end

  after_each(function()
    assert.same({ 0, 0 }, { native.stats() })
  end)

  describe("sends", function()
    it("every method, with a body where one is given", function()
      for _, method in ipairs { "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE" } do
        local echo = seen { method = method, body = "bytes\0of " .. method }
        assert.equal(method, echo.method)
        assert.equal("bytes\0of " .. method, echo.body)
        assert.is_nil(echo.headers["content-type"])
        assert.is_nil(echo.headers.expect)
      end
      assert.equal("0", seen({ method = "POST" }).headers["content-length"])
      assert.is_nil(seen({ method = "DELETE" }).headers["content-length"])
    end)

    it("HEAD, whose answer has no body", function()
      local response = waiting.run(function() return http.head(server.url .. "/data?n=1000") end)
      assert.equal(200, response.status)
      assert.equal("1000", response.headers["content-length"])
      assert.equal("", response.body)
    end)

    it("headers, one of them several times and one empty", function()
      local echo = seen { headers = { ["X-One"] = "1", ["x-empty"] = "", Accept = { "a/b", "c/d" }, ["X-Num"] = 5 } }
      assert.equal("1", echo.headers["x-one"])
      assert.equal("", echo.headers["x-empty"])
      assert.equal("5", echo.headers["x-num"])
      assert.equal("c/d", echo.headers.accept)
    end)

    it("a query, escaped, joined to the one of the address", function()
      local query = { ["k&"] = "ü =", list = { 1, true, "x" } }
      local echo = seen { url = server.url .. "/echo?a=1#fragment", query = query }
      assert.equal("/echo?a=1&k%26=%C3%BC%20%3D&list=1&list=true&list=x", echo.target)
    end)

    it("JSON, canonical, and forms", function()
      local echo = seen { method = "POST", json = { b = { 1, 2 }, a = 2 ^ 53 - 1 } }
      assert.equal('{"a":9007199254740991,"b":[1,2]}', echo.body)
      assert.equal("application/json", echo.headers["content-type"])
      echo = seen { method = "POST", form = { name = "a b&c", n = 1 } }
      assert.equal("n=1&name=a+b%26c", echo.body)
      assert.equal("application/x-www-form-urlencoded", echo.headers["content-type"])
      echo = seen { method = "POST", json = {}, headers = { ["Content-Type"] = "application/vnd.x+json" } }
      assert.equal("application/vnd.x+json", echo.headers["content-type"])
    end)

    it("multipart, with files from the disk", function()
      local bytes = ("\0\1\255 any bytes\r\n"):rep(20000)
      local path = write_file(folder .. "/upload.bin", bytes)
      local echo = seen { method = "POST", multipart = {
        { name = "field", content = "välue" },
        { name = "upload", file = path, type = "application/x-test", filename = 'a"b.bin' },
      } }
      local boundary = echo.headers["content-type"]:match "^multipart/form%-data; boundary=(.+)$"
      local body = echo.body
      assert.truthy(boundary)
      assert.truthy(body:find('name="field"\r\n\r\n', 1, true))
      local at = body:find('name="upload"; filename="a%22b.bin"\r\nContent-Type: application/x-test\r\n\r\n', 1, true)
      assert.truthy(at, body:sub(1, 600))
      local sent = body:match("x%-test\r\n\r\n(.*)\r\n%-%-" .. boundary:gsub("%-", "%%-") .. "%-%-\r\n$")
      local latin = bytes:gsub("\255", "\195\191") -- the echo says it in UTF-8
      assert.is_true(sent == latin)
    end)

    it("authorization: by name and password, by token, by the address", function()
      local echo = seen { auth = { user = "ada", password = "s3cret" } }
      assert.equal("Basic YWRhOnMzY3JldA==", echo.headers.authorization)
      assert.equal("Bearer t0ken", seen({ auth = { bearer = "t0ken" } }).headers.authorization)
      local with_user = server.url:gsub("//", "//ada:s3cr%%65t@")
      assert.equal("Basic YWRhOnMzY3JldA==", seen({ url = with_user .. "/echo" }).headers.authorization)
    end)
  end)

  describe("gives", function()
    it("the answer, whatever its status", function()
      for _, code in ipairs { 200, 404, 500, 503 } do
        local response = get("/status?code=" .. code)
        assert.same({ code, code == 200, "status body" }, { response.status, response.ok, response.body })
      end
    end)

    it("headers in any case, each of those that stand several times", function()
      local response = get "/twice"
      assert.equal("one, two", response.headers["X-Many"])
      assert.same({ "a=1", "b=2" }, response:values "Set-Cookie")
      assert.same({}, response:values "none")
    end)

    it("JSON, strictly, with the path of what is wrong", function()
      assert.same({ a = { 1 } }, get("/text", { query = { text = '{"a":[1]}' } }):json())
      local value, message, code = get("/text", { query = { text = '{"a":[1,}' } }):json()
      assert.same({ nil, "INVALID_RESPONSE" }, { value, code })
      assert.matches("response", message)
      local schema = require "mooncrew.schema"
      local wanted = schema.object { a = schema.integer {} }
      value, message, code = get("/text", { query = { text = '{"a":"x"}' } }):json(wanted)
      assert.same({ nil, "INVALID_RESPONSE" }, { value, code })
      assert.matches("response%.a", message)
    end)

    it("what came packed unpacked, and what came in chunks whole", function()
      assert.equal(("0"):rep(5000), get("/packed?n=5000").body)
      assert.equal("hello world", get("/chunks").body)
    end)
  end)

  describe("writes to a file", function()
    local target

    before_each(function()
      target = folder .. "/target"
      uv.fs_mkdir(target, tonumber("700", 8))
    end)
    after_each(function() remove_tree(target) end)

    it("a body of any size, which appears when it is whole", function()
      local size = 40 * 1024 * 1024
      local response = get("/data?n=" .. size, { to_file = target .. "/big" })
      assert.same({ 200, "", target .. "/big" }, { response.status, response.body, response.file })
      assert.equal(size, uv.fs_stat(target .. "/big").size)
      assert.same({ "big" }, files_in(target))
    end)

    it("an empty body, over a file that was there", function()
      write_file(target .. "/old", "before")
      assert(get("/data?n=0", { to_file = target .. "/old" }))
      assert.equal("", read_file(target .. "/old"))
    end)

    it("nothing for another status: the body is in the response", function()
      write_file(target .. "/old", "before")
      local response = get("/status?code=404", { to_file = target .. "/old" })
      assert.same({ 404, "status body", nil }, { response.status, response.body, response.file })
      assert.equal("before", read_file(target .. "/old"))
      assert.same({ "old" }, files_in(target))
    end)

    it("nothing when it fails: cut off, too large, no such folder", function()
      refused("CONNECTION", { url = server.url .. "/cut", to_file = target .. "/x" })
      refused("TOO_LARGE", { url = server.url .. "/data?n=5000", to_file = target .. "/x", max_size = 4999 })
      refused("IO_ERROR", { url = server.url .. "/data?n=1", to_file = target .. "/none/x" }, "No such file")
      assert.same({}, files_in(target))
    end)

    it("nothing when it is stopped on the way", function()
      local fiber, result = waiting.start(function()
        return http.get(server.silent_url, { to_file = target .. "/x" })
      end)
      assert.equal(1, #files_in(target))
      async.stop(fiber, "CANCELLED")
      assert.same({ 0, 0 }, { native.stats() })
      assert.same({}, files_in(target))
      waiting.turn_until(10, function() return result.results end)
      assert.matches("context canceled", result.results[2])
    end)
  end)

  describe("follows redirects", function()
    it("up to the limit", function()
      local response = get "/redirect?n=5"
      assert.same({ 200, "there", server.url .. "/redirect?n=0" }, { response.status, response.body, response.url })
      refused("TOO_MANY_REDIRECTS", { url = server.url .. "/redirect?n=6" }, "more than 5 redirects")
      response = get("/redirect?n=2", { redirects = 0 })
      assert.same({ 302, "/redirect?n=1" }, { response.status, response.headers.location })
    end)

    -- What the server saw of the last request after a redirect to `url`.
    local function after(url, status, options)
      options.url = server.url .. "/to"
      options.query = { url = url, status = status }
      return assert(assert(request(options)):json())
    end

    it("with the method and the body that the status means", function()
      local sent = { method = "PUT", body = "bytes", headers = { ["Content-Type"] = "text/plain" } }
      local function outcome(method, status)
        sent.method = method
        local echo = after("/echo", status, sent)
        return { echo.method, echo.body, echo.headers["content-type"] }
      end
      for _, method in ipairs { "PUT", "PATCH", "DELETE", "POST" } do
        assert.same({ "GET", "" }, outcome(method, 303))
        assert.same({ method, "bytes", "text/plain" }, outcome(method, 307))
        assert.same({ method, "bytes", "text/plain" }, outcome(method, 308))
      end
      assert.same({ "GET", "" }, outcome("POST", 302))
      assert.same({ "PUT", "bytes", "text/plain" }, outcome("PUT", 301))
    end)

    it("with secrets only to the same origin", function()
      local function secrets(url)
        local echo = after(url, 302, { auth = { bearer = "t0ken" }, headers = { Cookie = "c=1", ["X-Kept"] = "yes" } })
        assert.equal("yes", echo.headers["x-kept"])
        return { echo.headers.authorization, echo.headers.cookie }
      end
      assert.same({ "Bearer t0ken", "c=1" }, secrets "/echo")
      assert.same({ "Bearer t0ken", "c=1" }, secrets(server.url .. "/echo"))
      assert.same({}, secrets(other.url .. "/echo"))
      assert.same({}, secrets((server.url:gsub("127.0.0.1", "localhost") .. "/echo")))
    end)

    it("to http and https alone", function()
      for _, url in ipairs { "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "smtp://127.0.0.1/" } do
        refused("INVALID_URL", { url = server.url .. "/to", query = { url = url } }, "not followed")
      end
    end)
  end)

  describe("fails", function()
    it("with a code and without a secret", function()
      local address = "http://ada:s3cret@127.0.0.1:1/path?key=s3cret"
      local message = refused("CONNECTION", { url = address, auth = { bearer = "s3cret" } },
        "GET http://127.0.0.1:1/path: ")
      assert.is_nil(message:find("s3cret", 1, true))
      refused("RESOLVE", { url = "http://nowhere.invalid/" }, "nowhere.invalid")
      refused("INVALID_RESPONSE", { url = server.url .. "/garbage" })
      refused("CONNECTION", { url = server.url .. "/cut" })
      for _, url in ipairs { "", "x", "ftp://h/", "http://", "http://h:99999/", "http://h/a b", "file:///x",
        "http://[::1/" } do
        refused("INVALID_URL", { url = url })
      end
      refused("INVALID_URL", { url = "http://a%3Ab:s3cret@127.0.0.1:1/" }, "colon")
      message = refused("CONNECTION", { url = "http://127.0.0.1:1/" .. ("x"):rep(5000) })
      assert.is_true(#message < 500)
      for _, path in ipairs { folder .. "/none", folder } do
        local parts = { f = { file = path } }
        refused("IO_ERROR", { method = "POST", url = server.url, multipart = parts }, "multipart: f: /")
      end
    end)

    it("when time is up, and no earlier", function()
      local before = uv.hrtime()
      refused("TIMEOUT", { url = server.silent_url, timeout = "300ms" })
      assert.is_true((uv.hrtime() - before) / 1e6 >= 299)
      refused("TIMEOUT", { url = server.url .. "/wait?s=30", timeout = 0.2 })
      refused("TIMEOUT", { url = server.url .. "/wait?s=30", timeout = 0.0001 }) -- little is not none
      local response = get("/wait?s=0.1", { timeout = 0 })
      assert.equal("late", response.body)
    end)

    it("when the answer is too large, packed ones by what is in them", function()
      refused("TOO_LARGE", { url = server.url .. "/data?n=1001", max_size = 1000 }, "1000 bytes")
      assert(get("/data?n=1000", { max_size = 1000 }))
      refused("TOO_LARGE", { url = server.url .. "/data?n=16777217" })
      refused("TOO_LARGE", { url = server.url .. "/packed?n=17000000" }, "16777216 bytes")
      assert(get("/packed?n=16777216"))
    end)

    it("when headers are too large: all of them, one, those of answers on the way, or the request's", function()
      assert(get "/heads?count=3&size=70000")
      refused("TOO_LARGE", { url = server.url .. "/heads?count=4&size=70000" }, "headers of the answer .* 262144 bytes")
      refused("TOO_LARGE", { url = server.url .. "/heads?count=1&size=110000" }, "a header of the answer")
      assert(get "/heads?count=1&size=1&hints=1000")
      refused("TOO_LARGE", { url = server.url .. "/heads?count=1&size=1&hints=10000" }, "headers of the answer")
      refused("TOO_LARGE", { url = server.url, query = { text = ("x"):rep(1100000) } }, "headers of the request")
    end)
  end)

  describe("over TLS", function()
    local files, secure

    setup(function()
      files = certificates.make(folder)
      secure = Server.start(folder, files)
    end)
    teardown(function() secure:stop() end)

    it("trusts nobody whose certificate does not hold", function()
      refused("TLS", { url = secure.url .. "/echo" }, "certificate")
    end)

    it("trusts an authority of its own, for the name in the certificate", function()
      assert.equal("GET", seen({ url = secure.url .. "/echo", ca_file = files.ca }).method)
      refused("TLS", { url = "https://localhost:" .. secure.port .. "/", ca_file = files.ca }, "localhost")
    end)

    it("checks nothing when told so", function()
      assert.equal("GET", seen({ url = secure.url .. "/echo", verify = false }).method)
    end)
  end)

  describe("by a proxy", function()
    local function with_environment(name, value, fn)
      local before = os.getenv(name)
      uv.os_setenv(name, value)
      local ok, failure = pcall(fn)
      if before then uv.os_setenv(name, before) else uv.os_unsetenv(name) end
      if not ok then error(failure, 0) end
    end

    it("of the environment, except for no_proxy", function()
      with_environment("http_proxy", (server.url:gsub("//", "//who:pr0xy@")), function()
        local echo = seen { url = "http://elsewhere.invalid/echo" }
        assert.equal("http://elsewhere.invalid/echo", echo.target)
        assert.equal("Basic d2hvOnByMHh5", echo.headers["proxy-authorization"])
        refused("RESOLVE", { url = "http://elsewhere.invalid/echo", proxy = false })
        with_environment("no_proxy", "invalid", function()
          refused("RESOLVE", { url = "http://elsewhere.invalid/echo" })
        end)
      end)
    end)

    it("that is named, and whose password no message shows", function()
      local url = "http://elsewhere.invalid/echo"
      assert.equal(url, seen({ url = url, proxy = server.url }).target)
      for _, proxy in ipairs { "http://who:pr0xy@127.0.0.1:1", "bad://who:pr0xy@127.0.0.1:1",
        "http://who:pr0xy@h:x/", "http://who:pr0xy/x@h:1", "who:pr0xy@h:99999", "who:pr0xy x@h", "http://h:pr0xy" } do
        local _, message = request { url = "http://elsewhere.invalid/", proxy = proxy }
        assert.is_nil(message:find("pr0xy", 1, true), message)
      end
    end)
  end)

  it("keeps connections for the next requests", function()
    local fresh = Server.start(folder)
    finally(function() fresh:stop() end)
    for _ = 1, 20 do
      assert.equal(1, seen({ url = fresh.url .. "/echo" }).connection)
    end
    local stats = assert(assert(request { url = fresh.url .. "/stats" }):json())
    assert.same({ 1, 21 }, { stats.made, stats.requests })
  end)

  it("waits for many at a time", function()
    local started = {}
    for i = 1, 50 do
      local _, result = waiting.start(function() return http.get(server.url .. "/wait?s=0.3") end)
      started[i] = result
    end
    assert.equal(50, (native.stats()))
    local before = uv.hrtime()
    waiting.turn_until(30, function()
      for _, result in ipairs(started) do
        if not result.results then return false end
      end
      return true
    end)
    assert.is_true((uv.hrtime() - before) / 1e9 < 5)
    for _, result in ipairs(started) do
      assert.equal(200, result.results[2].status)
    end
  end)

  it("says so where nothing can wait", function()
    local ok, message = pcall(http.get, server.url)
    assert.is_false(ok)
    assert.matches("waiting works only while a task runs", message)
  end)
end)
