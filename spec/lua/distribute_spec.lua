-- Enqueueing from Lua: what reaches the backend, and what never does.
local distribute = require "mooncrew.distribute"
local registry = require "mooncrew.registry"
local value_size = require "mooncrew.value_size"

describe("crew.enqueue", function()
  local backend, sent

  before_each(function()
    sent, backend = {}, distribute.backend
    distribute.backend = function(name, bytes, normal)
      sent[#sent + 1] = { name, bytes, normal }
      return { id = "1", queue = "default", type = name, state = "pending" }
    end
  end)

  after_each(function()
    distribute.backend = backend
    registry.reset()
  end)

  -- A definition as crew.task makes it, with an encoder that only takes strings.
  local function define(name, options)
    local definition = { type = name, options = options or {}, source = "here:1" }
    function definition.encode(_, payload)
      if type(payload) ~= "string" then
        return nil, "payload: expected string, got " .. type(payload), "INVALID_PAYLOAD"
      end
      return "<" .. payload .. ">"
    end
    assert(registry.add(definition))
    return definition
  end

  it("refuses a payload that is larger than Redis takes", function()
    local max = value_size.MAX
    value_size.MAX = 10
    local fits = distribute.enqueue("t", ("x"):rep(10))
    local info, message, code = distribute.enqueue("t", ("x"):rep(11))
    value_size.MAX = max
    assert.truthy(fits)
    assert.same({ nil, "INVALID_PAYLOAD", 1 }, { info, code, #sent })
    assert.matches("^payload: it is 11 bytes long, and Redis holds at most 10: ", message)
  end)

  it("gives back what the backend says", function()
    assert.same({ id = "1", queue = "default", type = "t", state = "pending" }, distribute.enqueue("t"))
    distribute.backend = function() return nil, "no Redis", "UNAVAILABLE" end
    assert.same({ nil, "no Redis", "UNAVAILABLE" }, { distribute.enqueue("t") })
  end)

  it("sends a string as it is, nothing as nothing, and all else as JSON where no definition is known", function()
    distribute.enqueue("t", "\0\255")
    distribute.enqueue("t", nil)
    distribute.enqueue("t", { b = 1, a = { 2, 3 } })
    distribute.enqueue("t", false)
    assert.same({
      { "t", "\0\255", {} }, { "t", "", {} }, { "t", '{"a":[2,3],"b":1}', {} }, { "t", "false", {} },
    }, sent)
  end)

  it("says why a payload cannot be JSON", function()
    local info, message, code = distribute.enqueue("t", { f = print })
    assert.is_nil(info)
    assert.is_string(message)
    assert.is_string(code)
    assert.same({}, sent)
  end)

  it("encodes by the definition, found by name, by prefix or given", function()
    local exact, prefix = define("mail:send"), define("image:*")
    distribute.enqueue("mail:send", "a")
    distribute.enqueue(exact, "b")
    distribute.enqueue("image:resize", "c")
    assert.same({ { "mail:send", "<a>", {} }, { "mail:send", "<b>", {} }, { "image:resize", "<c>", {} } }, sent)
    assert.has_error(function() return (distribute.enqueue(prefix, "d")) end)
  end)

  it("sends no payload that does not fit", function()
    define("mail:send")
    assert.same({ nil, "payload: expected string, got number", "INVALID_PAYLOAD" },
      { distribute.enqueue("mail:send", 5) })
    assert.same({}, sent)
  end)

  it("sends nothing with wrong options", function()
    local info, message, code = distribute.enqueue("t", nil, { max_retry = -1 })
    assert.is_nil(info)
    assert.truthy(message:find("^max_retry: "))
    assert.equal("INVALID_ARGUMENT", code)
    assert.same({}, sent)
  end)

  it("puts the options of the call over those of the definition", function()
    define("mail:send", { queue = "low", max_retry = 3 })
    distribute.enqueue("mail:send", "a", { queue = "high", timeout = 5 })
    assert.same({ queue = "high", max_retry = 3, timeout_ms = 5000 }, sent[1][3])
  end)

  it("blames the caller for wrong types", function()
    for _, call in ipairs {
      function() distribute.enqueue(nil, "x") end,
      function() distribute.enqueue({}, "x") end,
      function() distribute.enqueue("t", "x", "low") end,
      function() distribute.enqueue(define("many:*"), "x") end,
    } do
      local ok, message = pcall(call)
      assert.is_false(ok)
      assert.truthy(message:find("distribute_spec.lua:%d+: "), message)
    end
  end)
end)

describe("crew.enqueue outside a worker", function()
  local answers, opened

  before_each(function()
    opened = 0
    package.loaded["mooncrew.client"] = {
      open = function()
        opened = opened + 1
        return unpack(answers, 1, 3)
      end,
    }
    package.loaded["mooncrew.distribute"] = nil
  end)

  after_each(function()
    package.loaded["mooncrew.client"], package.loaded["mooncrew.distribute"] = nil, distribute
  end)

  it("opens one client, when it is first needed", function()
    answers = { { send = function(_, name) return { id = "7", type = name } end } }
    local fresh = require "mooncrew.distribute"
    assert.equal(0, opened)
    assert.same({ id = "7", type = "t" }, fresh.enqueue("t"))
    assert.same({ id = "7", type = "u" }, fresh.enqueue("u"))
    assert.equal(1, opened)
  end)

  it("says why it cannot open one, and tries again the next time", function()
    answers = { nil, "bad address", "INVALID_ARGUMENT" }
    local fresh = require "mooncrew.distribute"
    assert.same({ nil, "bad address", "INVALID_ARGUMENT" }, { fresh.enqueue("t") })
    assert.same({ nil, "bad address", "INVALID_ARGUMENT" }, { fresh.enqueue("t") })
    assert.equal(2, opened)
  end)
end)
