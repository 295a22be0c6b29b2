-- What handlers under test reach the world by. The modules here stand for mooncrew.http and its like: as these, they
-- are asked for by a handler, and hand everything to their backend.

local crew = require "mooncrew"
local registry = require "mooncrew.registry"
local testing = require "mooncrew.testing"

local function real()
  error("the real backend was called", 0)
end

describe("stubs of", function()
  local handler

  -- A module as the handler gets it, found by the last loader.
  local function provide(name)
    local module = { backend = real }
    module.call = function(request)
      return module.backend(request)
    end
    package.loaded[name] = nil
    local function loader(wanted)
      if wanted == name then
        return function()
          return module
        end
      end
    end
    table.insert(package.loaders, 2, loader)
    finally(function()
      package.loaded[name] = nil
      for i, other in ipairs(package.loaders) do
        if other == loader then
          table.remove(package.loaders, i)
        end
      end
    end)
    return module
  end

  local function perform(options)
    registry.reset()
    return testing.perform(crew.task("t", { perform = handler }), nil, options)
  end

  local function get(url)
    return { method = "GET", url = url, headers = {} }
  end

  describe("http", function()
    local function asks(...)
      local requests = { ... }
      handler = function()
        local http, answers = require "mooncrew.http", {}
        for i, request in ipairs(requests) do
          local answer, message, code = http.call(request)
          answers[i] = answer or { message = message, code = code }
        end
        return answers
      end
    end

    it("answer by method and address, the most exact first", function()
      local module = provide "mooncrew.http"
      testing.stub_http {
        ["GET https://a.test/*"] = { status = 404 },
        ["GET https://a.test/users/*"] = { json = { name = "ada" }, headers = { etag = "x" } },
        ["GET https://a.test/users/1"] = { body = "one" },
        ["* https://b.test/?q=(1)"] = function(request)
          return { status = 201, body = request.method }
        end,
      }
      asks(get "https://a.test/users/1", get "https://a.test/users/2", get "https://a.test/",
        { method = "PUT", url = "https://b.test/?q=(1)", body = "[1]", headers = { accept = "x" } })
      local run = perform()
      assert.done(run)
      local one, two, three, four = unpack(run.result)
      assert.are.same({ 200, "one" }, { one.status, one.body })
      assert.are.same({ 200, '{"name":"ada"}', "application/json", "x" },
        { two.status, two.body, two.headers["content-type"], two.headers.etag })
      assert.are.equal(404, three.status)
      assert.are.same({ 201, "PUT" }, { four.status, four.body })
      assert.are.equal(4, #run.requests)
      assert.are.equal(404, run.requests[3].response.status)
      assert.are.equal(real, module.backend)

      assert.requested("GET", "https://a.test/users/2")
      assert.requested("PUT", "https://b.test/*", { json = { 1 }, headers = { Accept = "x" } })
      assert.has_no.requested("POST", "*")
      local ok, message = pcall(assert.requested, "DELETE", "https://a.test/users/1")
      assert.is_false(ok)
      assert.is_truthy(tostring(message):find("1. GET https://a.test/users/1", 1, true), message)
    end)

    it("say what they must answer", function()
      provide "mooncrew.http"
      testing.stub_http { ["*"] = { status = "200" } }
      asks(get "https://a.test/")
      assert.failed(perform(), "the stub's answer to GET https://a.test/: status: expected number, got string")
      testing.stub_http { ["*"] = { stauts = 500 } }
      assert.failed(perform(), "the stub's answer to GET https://a.test/: unknown field 'stauts', "
        .. "did you mean 'status'?")
    end)

    it("fail as they say, and may wait", function()
      provide "mooncrew.http"
      testing.stub_http(function()
        crew.sleep(3)
        return nil, "no route", "CONNECTION"
      end)
      asks(get "https://a.test/")
      local run = perform { now = 1700000000 }
      assert.done(run, { { message = "no route", code = "CONNECTION" } })
      assert.are.equal(1700000003, run.now)
      assert.are.equal("no route", run.requests[1].failure)
    end)

    it("are missed with an error that says how to give one, and shows no password", function()
      provide "mooncrew.http"
      asks(get "https://user:secret@a.test/")
      assert.failed(perform(), "the test has no answer for GET https://a.test/")
      assert.failed(perform(), "testing.stub_http")
      assert.failed(perform { http = { ["POST *"] = {} } }, "testing.allow_http()")
      assert.has_no.failed("secret")
    end)

    it("may be a run's own", function()
      provide "mooncrew.http"
      asks(get "https://a.test/")
      testing.stub_http { ["*"] = { body = "of the test" } }
      assert.done(perform { http = { ["*"] = { body = "of the run" } } }, { { body = "of the run" } })
      assert.done(perform(), { { body = "of the test" } })
    end)

    it("end with their test", function()
      provide "mooncrew.http"
      asks(get "https://a.test/")
      assert.failed(perform(), "has no answer")
    end)

    it("write the body to the file that the handler wants", function()
      provide "mooncrew.http"
      local path = os.tmpname()
      finally(function()
        os.remove(path)
      end)
      testing.stub_http { ["*"] = { body = "bytes" } }
      asks { method = "GET", url = "https://a.test/", to_file = path, headers = {} }
      assert.done(perform(), { { body = "" } })
      local file = assert(io.open(path))
      assert.are.equal("bytes", file:read "*a")
      file:close()
    end)

    it("let requests out when the test allows it", function()
      local module = provide "mooncrew.http"
      module.backend = function(request)
        return { status = 299, body = request.url }
      end
      testing.allow_http()
      asks(get "http://127.0.0.1:1/")
      assert.done(perform(), { { status = 299, body = "http://127.0.0.1:1/" } })
      assert.requested("GET", "http://127.0.0.1:1/")
    end)

    it("are refused when they are none", function()
      for _, wrong in ipairs { 5, "fake", true } do
        assert.has_error(function()
          testing.stub_http(wrong)
        end)
      end
      assert.has_error(function()
        perform { http = 5 }
      end)
    end)
  end)

  describe("mail", function()
    it("are not needed: messages are kept", function()
      provide "mooncrew.mail"
      handler = function()
        return require("mooncrew.mail").call {
          from = { address = "us@a.test" },
          to = { { name = "Ada", address = "ada@a.test" }, { address = "bob@a.test" } },
          recipients = { "ada@a.test", "bob@a.test" }, subject = "Hello", text = "Hi", bytes = "…",
        }
      end
      local run = perform()
      assert.done(run)
      assert.are.equal("Hello", run.mails[1].subject)
      assert.mailed { to = "ada@a.test" }
      assert.mailed { to = "Ada <ada@a.test>", subject = "Hello" }
      assert.mailed { to = { "Ada <ada@a.test>", "bob@a.test" }, from = "us@a.test" }
      assert.mailed { to = { name = "Ada" } }
      assert.has_no.mailed { to = { "ada@a.test", "eve@a.test" } }
      assert.mailed()
      assert.has_no.mailed { to = "eve@a.test" }
      assert.has_no.mailed { subject = "Bye" }
      local ok, message = pcall(assert.mailed, { subject = "Bye" })
      assert.is_false(ok)
      assert.is_truthy(tostring(message):find('1. to ada@a.test, bob@a.test, subject "Hello"', 1, true))
    end)

    it("can say that one fails", function()
      provide "mooncrew.mail"
      handler = function()
        local sent, message, code = require("mooncrew.mail").call { recipients = {} }
        return { sent or false, message, code }
      end
      testing.stub_mail(function()
        return nil, "mailbox full", "REJECTED"
      end)
      local run = perform()
      assert.done(run, { false, "mailbox full", "REJECTED" })
      assert.has_no.mailed(run)
      assert.are.equal("mailbox full", run.mails[1].error)
      assert.are.equal("REJECTED", run.mails[1].code)
      testing.stub_mail(function() return { replay = "250" } end)
      assert.failed(perform(), "the stub's answer to the message: unknown field 'replay', did you mean 'reply'?")
    end)
  end)

  describe("exec", function()
    it("answer for programs, and are missed with an error", function()
      provide "mooncrew.exec"
      handler = function()
        local exec = require "mooncrew.exec"
        local first = exec.call { argv = { "convert", "a.png", "b.png" } }
        return { first, exec.call { argv = { "convert", "-version" } }, exec.call { argv = { "killed" } } }
      end
      testing.stub_exec { convert = { code = 1, stderr = "no" }, ["convert -version"] = function(request)
        return { stdout = request.argv[2] }
      end, killed = { signal = 9 } }
      local run = perform()
      assert.done(run, { { code = 1, stdout = "", stderr = "no" }, { code = 0, stdout = "-version" },
        { signal = 9 } })
      assert.is_nil(run.result[3].code)
      assert.are.same({ "convert", "a.png", "b.png" }, run.commands[1].argv)
      testing.reset()
      assert.failed(perform(), "the test has no answer for the program 'convert': give one with testing.stub_exec")
    end)

    it("say what they must answer", function()
      provide "mooncrew.exec"
      handler = function()
        require("mooncrew.exec").call { argv = { "ls" } }
      end
      testing.stub_exec { ls = "a.png" }
      assert.failed(perform(), "the stub's answer to the program 'ls' must be a table, such as")
      testing.stub_exec { ls = { cod = 1 } }
      assert.failed(perform(), "the stub's answer to the program 'ls': unknown field 'cod', did you mean 'code'?")
    end)
  end)

  describe("redis", function()
    local function calls(...)
      local module = provide "mooncrew.redis"
      module.backend = { pipeline = real, close = real }
      module.error = function(text)
        return { redis_error = text }
      end
      local commands = { ... }
      handler = function()
        return require("mooncrew.redis").backend.pipeline({ url = "redis://a" }, commands)
      end
      return module
    end

    it("answer commands, also in a transaction", function()
      local module = calls({ "GET", "a" }, { "GET", "none" }, { "MULTI" }, { "INCR", "n" }, { "HGET", "a" }, { "EXEC" })
      local backend = module.backend
      testing.stub_redis { ["GET a"] = "1", ["GET *"] = crew.null, INCR = function(command)
        return #command
      end, ["HGET *"] = function()
        return nil, "WRONGTYPE no"
      end }
      local run = perform()
      local wrong = { redis_error = "WRONGTYPE no" }
      assert.done(run, { "1", crew.null, "OK", "QUEUED", "QUEUED", { 2, wrong } })
      assert.are.same({ "INCR", "n" }, { run.redis[3][1], run.redis[3][2] })
      assert.are.same({ 4, "1" }, { #run.redis, run.redis[1].reply })
      assert.are.equal(backend, module.backend)
    end)

    it("fail as crew.redis does, with a code", function()
      calls { "GET", "a" }
      handler = function()
        local redis = require "mooncrew.redis"
        local replies, message, code = redis.backend.pipeline({}, { { "SET", "a", "b" }, { "GET", "a" } })
        return { replies and replies[1].code or message, replies and replies[2].redis_error or code }
      end
      local code
      testing.stub_redis { SET = function() return nil, "gone", code end, GET = function() return nil, "ERR no" end }
      code = "UNAVAILABLE"
      assert.done(perform(), { "gone", "UNAVAILABLE" })
      code = "BUSY"
      assert.done(perform(), { "BUSY", "ERR no" })
    end)

    it("are missed with an error", function()
      calls { "GET", "a" }
      assert.failed(perform(), "the test has no answer for the command 'GET' of crew.redis: give one with "
        .. "testing.stub_redis")
    end)
  end)

  describe("postgres", function()
    local function queries(run_all)
      local module = provide "mooncrew.postgres"
      module.backend = { query = real, acquire = real, release = real }
      handler = function()
        return run_all(require("mooncrew.postgres").backend)
      end
    end

    it("answer queries, and let transactions through", function()
      queries(function(backend)
        local database = { url = "postgres://a" }
        local session = backend.acquire(database)
        backend.query(session, "BEGIN READ ONLY", { n = 0 })
        local users = backend.query(session, "SELECT  *\n FROM users WHERE id = $1", { n = 1, 7 })
        local changed = backend.query(session, "UPDATE users SET a = 1", { n = 0 })
        local committed = backend.query(session, "COMMIT", { n = 0 })
        backend.release(session)
        local _, message, code = backend.query(database, "DELETE FROM users", { n = 0 })
        return { users, changed, committed.command, message, code }
      end)
      testing.stub_postgres { ["SELECT * FROM users *"] = function(_, params)
        return { { id = params[1], name = "ada" } }
      end, ["UPDATE *"] = { affected = 3 }, ["DELETE *"] = function()
        return nil, "not now", "55000"
      end }
      local run = perform()
      assert.done(run)
      local users, changed = run.result[1], run.result[2]
      assert.are.same({ { { id = 7, name = "ada" } }, 1 }, { users.rows, users.count })
      assert.are.same({ 3, 0 }, { changed.affected, changed.count })
      assert.are.same({ "COMMIT", "not now", "55000" }, { unpack(run.result, 3) })
      assert.are.same({ 5, "UPDATE users SET a = 1", { 7 } },
        { #run.queries, run.queries[3].sql, { unpack(run.queries[2].params) } })
    end)

    it("say what they must answer", function()
      queries(function(backend)
        return backend.query({ url = "postgres://a" }, "SELECT 1", { n = 0 })
      end)
      testing.stub_postgres { ["SELECT 1"] = 1 }
      assert.failed(perform(), "the stub's answer to the query SELECT 1 must be a list of rows")
      testing.stub_postgres { ["SELECT 1"] = { afected = 1 } }
      assert.failed(perform(), "the stub's answer to the query SELECT 1: unknown field 'afected', "
        .. "did you mean 'affected'?")
      testing.stub_postgres { ["SELECT 1"] = { { id = 1 }, afected = 1 } }
      assert.failed(perform(), "unknown field 'afected'")
    end)

    it("are missed with an error", function()
      queries(function(backend)
        backend.query({}, "SELECT 1", { n = 0 })
      end)
      assert.failed(perform(), "the test has no answer for the query SELECT 1: give one with testing.stub_postgres")
    end)
  end)

  it("a module that is not there keeps require's own error", function()
    handler = function()
      require "mooncrew.nothing"
    end
    assert.failed(perform(), "module 'mooncrew.nothing' not found")
    package.loaded["mooncrew.exec"] = nil
    local found = package.searchpath("mooncrew.exec", package.path)
    handler = function()
      return type(require "mooncrew.exec")
    end
    assert.are.equal(found and "done" or "failed", perform().outcome)
  end)
end)
