-- webhook:deliver: signed, the same at every try, and tried again only where that may help.

package.path = "./scripts/?.lua;./spec/scripts/?.lua;" .. package.path

local crew = require "mooncrew"
local hmac = require "lib.hmac"
local testing = require "mooncrew.testing"
local uv = require "luv"

local URL = "https://example.org/hook?key=hidden"
local DATA = { id = 7, tags = crew.array {} }
local NOW = 784111777 -- Sun, 06 Nov 1994 08:49:37 GMT

describe("webhook:deliver", function()
  local definition

  before_each(function()
    uv.os_setenv("APP_WEBHOOK_SECRET", "the secret")
    definition = testing.load("scripts/webhook_deliver.lua")
  end)

  after_each(function()
    uv.os_unsetenv("APP_WEBHOOK_SECRET")
  end)

  local function deliver(answer, options)
    testing.stub_http { ["POST " .. URL] = answer }
    options = options or {}
    options.now = NOW
    return testing.perform(definition, { url = URL, event = "order.paid", data = DATA }, options)
  end

  it("posts the event as JSON", function()
    assert.done(deliver { status = 204 }, { status = 204, attempts = 1 })
    assert.requested("POST", URL, { json = { event = "order.paid", data = { id = 7 } },
      headers = { ["Content-Type"] = "application/json" } })
  end)

  it("signs time and body", function()
    local request = deliver({}).requests[1]
    assert.are.equal(tostring(NOW), request.headers["webhook-timestamp"])
    local wanted = "v1=" .. hmac.sha256("the secret", NOW .. "." .. request.body)
    assert.are.equal(wanted, request.headers["webhook-signature"])
  end)

  it("sends its id as the key by which the receiver knows it again", function()
    for retried = 0, 2 do
      local run = deliver({ status = 503 }, { id = "delivery-1", retried = retried })
      assert.are.equal("delivery-1", run.requests[1].headers["idempotency-key"])
    end
  end)

  it("waits for as long as the receiver asks, within limits", function()
    for asked, delay in pairs {
      ["120"] = 120, ["Sun, 06 Nov 1994 08:59:37 GMT"] = 600, ["0"] = 1, ["Sun, 06 Nov 1994 00:00:00 GMT"] = 1,
      ["99999999"] = 6 * 3600,
    } do
      for _, status in ipairs { 408, 429, 500, 503 } do
        local run = deliver { status = status, headers = { ["retry-after"] = asked } }
        assert.retried(run, delay)
      end
    end
  end)

  it("waits ever longer where the receiver says nothing of use", function()
    assert.retried(deliver { status = 503 }, "10s")
    assert.retried(deliver({ status = 502, headers = { ["retry-after"] = "soon" } }, { retried = 2 }), "2m")
    assert.retried(deliver({ status = 429 }, { retried = 9 }), "2h")
  end)

  it("is tried again when there is no answer", function()
    for _, code in ipairs { "TIMEOUT", "RESOLVE", "CONNECTION", "TLS" } do
      local run = deliver(function()
        return nil, "no answer", code
      end)
      assert.retried(run, "10s")
    end
  end)

  it("gives up where no other try will help", function()
    for _, status in ipairs { 301, 307, 400, 401, 404, 422 } do
      assert.are.equal("skip_retry", deliver({ status = status, headers = { ["retry-after"] = "1" } }).outcome)
      assert.archived("answered " .. status)
    end
    deliver { status = 410 }
    assert.archived("it wants no more events")
    deliver(function()
      return nil, "more than 65536 bytes", "TOO_LARGE"
    end)
    assert.archived("more than 65536 bytes")
  end)

  it("does not follow redirects", function()
    assert.are.equal(1, #deliver({ status = 307, headers = { location = "https://elsewhere.org/" } }).requests)
  end)

  it("sends nothing without a secret, and is tried again", function()
    uv.os_unsetenv("APP_WEBHOOK_SECRET")
    assert.retried(deliver {})
    assert.failed("APP_WEBHOOK_SECRET is not set")
    assert.has_no.requested("POST", "*")
  end)

  it("keeps secret, signature and query out of results, errors and logs", function()
    for _, status in ipairs { 200, 404, 503 } do
      local run = deliver { status = status }
      local said = crew.json.encode { run.result or "", run.error or "", run.logs }
      assert.is_nil(said:find("the secret", 1, true))
      assert.is_nil(said:find("v1=", 1, true))
      assert.is_nil(said:find("hidden", 1, true))
    end
  end)

  it("is not called with a payload that does not fit", function()
    for payload, reason in pairs {
      [{ event = "a", data = 1 }] = "payload.url",
      [{ url = "ftp://example.org", event = "a", data = 1 }] = "payload.url",
      [{ url = URL, data = 1 }] = "payload.event", [{ url = URL, event = "a" }] = "payload.data",
    } do
      assert.are.equal("invalid", testing.perform(definition, payload).outcome)
      assert.archived(reason)
    end
  end)
end)
