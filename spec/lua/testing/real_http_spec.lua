-- Real requests of a handler under test, to a server in this very process.

local crew = require "mooncrew"
local registry = require "mooncrew.registry"
local testing = require "mooncrew.testing"
local uv = require "luv"

local available = package.searchpath("mooncrew.http", package.path)

describe("testing.allow_http", function()
  if not available then
    pending "needs mooncrew.http"
    return
  end

  local server, url

  -- A server that answers every request with its first line.
  setup(function()
    server = uv.new_tcp()
    server:bind("127.0.0.1", 0)
    server:listen(16, function()
      local client = uv.new_tcp()
      server:accept(client)
      client:read_start(function(_, text)
        if text then
          local body = text:match "^[^\r\n]+"
          client:write(("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"):format(#body, body))
        else
          client:close()
        end
      end)
    end)
    url = ("http://127.0.0.1:%d"):format(server:getsockname().port)
  end)

  teardown(function()
    server:close()
    uv.run "nowait"
  end)

  before_each(registry.reset)
  after_each(registry.reset)

  local function fetcher()
    return crew.task("fetch", { perform = function(payload)
      crew.sleep "1m"
      local response, message, code = crew.http.get(url .. payload)
      if not response then
        error(code .. ": " .. message, 0)
      end
      return response.body
    end })
  end

  it("sends them, and the clock stands still meanwhile", function()
    testing.allow_http()
    local run = testing.perform(fetcher(), "/a?b=1", { now = 1700000000, timeout = "2m" })
    assert.done(run, "GET /a?b=1 HTTP/1.1")
    assert.are.equal(1700000060, run.now)
    assert.requested("GET", url .. "/a*")
    assert.are.equal(200, run.requests[1].response.status)
  end)

  it("sends them on a clock of the test's own", function()
    testing.allow_http()
    local run = testing.start(fetcher(), "/")
    assert.are.same({}, run.requests)
    run.clock:advance "1m"
    assert.done(run, "GET / HTTP/1.1")
  end)

  it("tells a failure as crew.http does", function()
    testing.allow_http()
    local run = testing.perform(crew.task("fetch", { perform = function()
      return (select(3, crew.http.get "http://127.0.0.1:1/"))
    end }))
    assert.done(run, "CONNECTION")
    assert.is_truthy(run.requests[1].failure)
  end)

  it("is needed: a request without it fails the run", function()
    local run = testing.perform(fetcher(), "/")
    assert.failed(run, "the test has no answer for GET " .. url .. "/")
    assert.has_no.done(run)
  end)
end)
