-- crew.redis over a backend of the spec's own.

local json = require "mooncrew.json"
local redis = require "mooncrew.redis"

describe("crew.redis", function()
  local saved, sent, replies

  before_each(function()
    saved, sent = redis.backend, {}
    redis.backend = {
      pipeline = function(session, commands)
        sent[#sent + 1] = { session = session, commands = commands }
        return unpack(replies, 1, 3)
      end,
      close = function(session)
        sent[#sent + 1] = { closed = session }
      end,
    }
  end)
  after_each(function()
    redis.backend = saved
  end)

  local function answer(...)
    replies = { ... }
  end

  it("sends a command as strings, and returns its reply", function()
    local r = redis.open("redis://h", { timeout = "1m" })
    answer { "OK" }
    assert.are.equal("OK", r:call("SET", "k", 1700000000123456))
    assert.are.same({ { "SET", "k", "1700000000123456" } }, sent[1].commands)
    assert.are.same({ url = "redis://h", timeout = 60, exclusive = false }, sent[1].session)
    r:hset("h", "field", 0.5, "wide", 9007199254740993LL)
    assert.are.same({ "HSET", "h", "field", "0.5", "wide", "9007199254740993" }, sent[2].commands[1])
  end)

  it("returns nil for null, and nil, message and code for errors and for what failed", function()
    local r = redis.open("redis://h")
    answer { json.null }
    assert.are.equal(nil, r:get("k"))
    answer { redis.error("WRONGTYPE no list") }
    assert.are.same({ nil, "WRONGTYPE no list", "WRONGTYPE" }, { r:get("k") })
    answer(nil, "gone", "UNAVAILABLE")
    assert.are.same({ nil, "gone", "UNAVAILABLE" }, { r:get("k") })
    assert.are.same({ nil, "gone", "UNAVAILABLE" }, { r:pipeline { { "GET", "k" } } })
  end)

  it("tells errors among the replies of a pipeline from tables", function()
    answer { "OK", json.null, redis.error("ERR no"), {} }
    local got = redis.open("redis://h"):pipeline { { "SET", "a", 1 }, { "GET", "a" }, { "X" }, { "KEYS", "*" } }
    assert.are.same({ false, false, true, false }, { redis.is_error(got[1]), redis.is_error(got[2]),
      redis.is_error(got[3]), redis.is_error(got[4]) })
    assert.are.equal("ERR no", tostring(got[3]))
  end)

  it("puts a transaction between MULTI and EXEC, and says why it was refused", function()
    local r = redis.open("redis://h")
    answer { "OK", "QUEUED", { 1 } }
    assert.are.same({ 1 }, r:transaction { { "INCR", "a" } })
    assert.are.same({ { "MULTI" }, { "INCR", "a" }, { "EXEC" } }, sent[1].commands)
    answer { "OK", redis.error("ERR wrong number of arguments"), redis.error("EXECABORT discarded") }
    assert.are.same({ nil, "ERR wrong number of arguments", "ERR" }, { r:transaction { { "INCR" } } })
    answer { "OK", "QUEUED", json.null }
    assert.are.equal("ABORTED", (select(3, r:transaction { { "INCR", "a" } })))
  end)

  it("refuses on a shared connection what belongs on one's own", function()
    local r = redis.open("redis://h")
    assert.has_error(function() r:blpop("k", 0) end, "crew.redis: BLPOP would block the commands of all other tasks "
      .. "on this shared connection: use a connection of its own, crew.redis.open(url, { exclusive = true })")
    assert.has_error(function() r:pipeline { { "GET", "a" }, { "multi" } } end, "crew.redis: command 2: MULTI would "
      .. "change the connection for all other tasks on this shared connection: use r:transaction{…}, or a connection "
      .. "of its own, crew.redis.open(url, { exclusive = true })")
    assert.has_error(function() r:subscribe("a") end)
    local own = redis.open("redis://h", { exclusive = true })
    answer { json.null }
    assert.are.equal(nil, own:blpop("k", 0))
    own:close()
    assert.are.equal(own.session, sent[2].closed)
    r:close()
    assert.are.equal(2, #sent)
  end)

  it("blames the caller for what cannot be sent", function()
    local r = redis.open("redis://h")
    local ok, message = pcall(function() r:set("k", nil) end)
    assert.is_false(ok)
    assert.matches("redis_spec.lua:%d+: crew.redis: SET, argument 2: expected string or number, got nil", message)
    message = select(2, pcall(function() r:call() end))
    assert.matches("redis_spec.lua:%d+: .*name of a command", message)
    message = select(2, pcall(function() r:pipeline {} end))
    assert.matches("redis_spec.lua:%d+: .*takes a list of commands", message)
    message = select(2, pcall(function() redis.open("redis://h", { timeuot = 1 }) end))
    assert.matches("redis_spec.lua:%d+: .*did you mean 'timeout'", message)
    message = select(2, pcall(function() redis.open(nil) end))
    assert.matches("redis_spec.lua:%d+: .*url: expected string, got nil", message)
    for _, url in ipairs { "", "foo", "foo://:s3cret@h" } do
      message = select(2, pcall(function() redis.open(url) end))
      assert.matches("redis_spec.lua:%d+: crew.redis.open: url: write redis://", message)
      assert.not_matches("s3cret", message)
    end
  end)
end)
