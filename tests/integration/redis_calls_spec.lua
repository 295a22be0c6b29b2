-- crew.redis in a real worker: handlers' own commands to a Redis, here the test's own.
local Server = require "redis_server"
local uv = require "luv"
local wait = require "wait"
local with_crew = require("support").with_crew

-- A script whose handlers have `r`, and a function to count handles.
local function script(crew, body, options, url)
  crew:script("t.lua", ("local r = crew.redis.open(%q, %s)\nlocal native = require 'mooncrew.native_worker'\n%s")
    :format(url or crew.server:url(), options or "nil", body))
end

-- Runs one handler to its end; returns the notes.
local function perform(crew, body, options, url)
  script(crew, crew.HANDLER:format(body), options, url)
  return crew:run_handler()
end

local function words(notes, name)
  return { unpack(assert(notes:all(name)[1], "nothing was noted as " .. name), 2) }
end

describe("crew.redis", function()
  it("gives replies as Lua values", with_crew(function(crew)
    local notes = perform(crew, [=[
      note("status", r:call("SET", "k", "v\0w"))
      note("bulk", tostring(r:get("k") == "v\0w"))
      note("nil", select("#", r:get("none")), tostring(r:get("none")))
      note("integer", r:incrby("n", 41) + 1)
      note("wide", tostring(r:incrby("wide", 9007199254740993LL)))
      note("number", r:set("f", 0.1), r:get("f"), r:set("i", 1700000000123456), r:get("i"))
      r:rpush("list", "a", "b")
      note("array", table.concat(r:lrange("list", 0, -1), ","), #r:lrange("no", 0, -1))
      local many = r:mget("k", "none", "f")
      note("holes", #many, tostring(many[2] == crew.null))
      note("error", tostring(r:incr("list")), select(2, r:incr("list")))
      note("code", select(3, r:incr("list")))
      note("unknown", select(3, r:call("NOSUCH")))
    ]=])
    assert.same({ "OK" }, words(notes, "status"))
    assert.same({ "true" }, words(notes, "bulk"))
    assert.same({ "1", "nil" }, words(notes, "nil"))
    assert.same({ "42" }, words(notes, "integer"))
    assert.same({ "9007199254740993LL" }, words(notes, "wide"))
    assert.same({ "OK", "0.1", "OK", "1700000000123456" }, words(notes, "number"))
    assert.same({ "a,b", "0" }, words(notes, "array"))
    assert.same({ "3", "true" }, words(notes, "holes"))
    assert.matches("WRONGTYPE Operation", notes:all("error")[1][3])
    assert.same({ "WRONGTYPE" }, words(notes, "code"))
    assert.same({ "ERR" }, words(notes, "unknown"))
  end))

  it("takes nested replies, and loses one that is nested too deep alone", with_crew(function(crew)
    local notes = perform(crew, [=[
      local nest = "local t = {7} for _ = 2, tonumber(ARGV[1]) do t = {t} end return t"
      local function depth(value)
        return type(value) == "table" and 1 + depth(value[1]) or 0
      end
      note("deep", depth(assert(r:eval(nest, 0, 9))), depth(assert(r:eval(nest, 0, 128))))
      local id = r:client "ID"
      note("lost", select(2, r:eval(nest, 0, 129)))
      local replies = r:pipeline { { "EVAL", nest, 0, 1000 }, { "ECHO", "behind" } }
      note("pipeline", replies[1].code, replies[2], tostring(r:client "ID" == id))
    ]=])
    assert.same({ "9", "128" }, words(notes, "deep"))
    assert.matches("nested more than 128 deep: have the command return less", words(notes, "lost")[1])
    assert.same({ "TOODEEP", "behind", "true" }, words(notes, "pipeline"))
  end))

  it("sends a pipeline in one go, and a transaction as a whole", with_crew(function(crew)
    local notes = perform(crew, [=[
      local replies = r:pipeline { { "SET", "a", 1 }, { "GET", "none" }, { "LPUSH", "a", 1 }, { "INCR", "a" } }
      note("pipeline", replies[1], tostring(replies[2] == crew.null), tostring(crew.redis.is_error(replies[3])),
        replies[3].code, tostring(replies[3]), replies[4])
      local done = r:transaction { { "INCR", "a" }, { "LPUSH", "a", 1 }, { "INCR", "a" } }
      note("transaction", done[1], done[2].code, done[3])
      note("refused", tostring(r:transaction { { "INCR", "a" }, { "INCR" } }), r:get("a"))
      note("multi", select(2, pcall(r.multi, r)))
      note("blpop", select(2, pcall(function() r:blpop("x", 0) end)))
      note("xread", select(2, pcall(function() r:xread("BLOCK", 0, "STREAMS", "x", "$") end)))
      note("subscribe", select(2, pcall(r.subscribe, r, "x")))
    ]=])
    assert.same({ "OK", "true", "true", "WRONGTYPE" }, { unpack(words(notes, "pipeline"), 1, 4) })
    assert.equal("2", words(notes, "pipeline")[6])
    assert.same({ "3", "WRONGTYPE", "4" }, words(notes, "transaction"))
    assert.same({ "nil", "4" }, words(notes, "refused"))
    assert.matches("use r:transaction", words(notes, "multi")[1])
    for _, name in ipairs { "blpop", "xread" } do
      assert.matches("t.lua:%d+: crew.redis: %u+ would block .* exclusive = true", words(notes, name)[1])
    end
    assert.matches("SUBSCRIBE is not supported", words(notes, "subscribe")[1])
  end))

  it("blocks and watches on a connection of its own, which lives once", with_crew(function(crew)
    local notes = perform(crew, [=[
      local own = crew.redis.open(r.session.url, { exclusive = true, timeout = "20s" })
      r:rpush("later", "item")
      note("blpop", table.concat(own:blpop("later", 10), " "))
      own:watch("w")
      r:set("w", "changed")
      note("watch", tostring(own:transaction { { "SET", "w", "mine" } }), r:get("w"))
      own:close()
      note("closed", select(3, own:get("w")), select(2, own:get("w")))
      local slow = crew.redis.open(r.session.url, { exclusive = true, timeout = "100ms" })
      note("slow", select(3, slow:blpop("nothing", 0)))
      note("again", select(3, slow:get("w")))
    ]=])
    assert.same({ "later item" }, words(notes, "blpop"))
    assert.same({ "nil", "changed" }, words(notes, "watch"))
    assert.equal("UNAVAILABLE", words(notes, "closed")[1])
    assert.matches("open another one", words(notes, "closed")[2])
    assert.same({ "TIMED_OUT" }, words(notes, "slow"))
    assert.same({ "UNAVAILABLE" }, words(notes, "again"))
    wait.wait_until("nobody blocks in Redis", 10, function()
      return not crew.redis:call("CLIENT", "LIST"):find("cmd=blpop", 1, true)
    end)
  end))

  it("closes a connection of its own when its task ends, and no other", with_crew(function(crew)
    script(crew, [=[
      local function own()
        return (crew.redis.open(r.session.url, { exclusive = true }))
      end
      local loaded, hooked, opened, kept = own(), nil, nil, nil
      crew.on_start(function() hooked = own() end)
      crew.task("first", { perform = function()
        opened, kept = own(), crew.async.keep(own())
        for name, own in pairs { loaded = loaded, hooked = hooked, opened = opened, kept = kept } do
          assert(own:client("SETNAME", name))
        end
        note("first")
        error "and it is closed after an error as well"
      end })
      crew.task("second", { perform = function()
        for name, own in pairs { loaded = loaded, hooked = hooked, opened = opened, kept = kept } do
          note(name, own:client "GETNAME" or select(3, own:ping()))
        end
        note("second")
      end })
    ]=])
    crew:queue():add { type = "first", retry = 0 }
    crew:run()
    crew:wait_until("the first task has ended", 30, function() return crew.notes:count "first" == 1 end)
    wait.wait_until("its connection is closed", 10, function()
      return not crew.redis:call("CLIENT", "LIST"):find("name=opened", 1, true)
    end)
    crew:queue():add { type = "second", retry = 0 }
    crew:wait_until("the second task has ended", 30, function() return crew.notes:count "second" == 1 end)
    for _, name in ipairs { "loaded", "hooked", "kept" } do
      assert.same({ name }, words(crew.notes, name))
    end
    assert.same({ "UNAVAILABLE" }, words(crew.notes, "opened"))
  end))

  it("serves many tasks over one connection, each with its own replies", with_crew(function(crew)
    script(crew, [=[
      crew.task("t", { perform = function(_, task)
        for i = 1, 5 do
          assert(r:set(task.id, i))
          assert(r:get(task.id) == tostring(i))
        end
        note("ran", task.id)
      end })
    ]=])
    local queue = crew:queue()
    for _ = 1, 300 do queue:add { type = "t", retry = 0 } end
    crew:run({ concurrency = 300 })
    crew:wait_until("all have run", 60, function() return crew.notes:count "ran" == 300 end)
    local _, connections = crew.redis:call("CLIENT", "LIST"):gsub("name=mooncrew%-handler", "")
    assert.equal(1, connections)
  end))

  -- A second Redis, which only handlers talk to.
  local function other_server(crew, arguments)
    local folder = crew.folder .. "/other"
    assert(uv.fs_mkdir(folder, tonumber("700", 8)))
    local server = Server.new(folder, arguments)
    crew:finally(function()
      if server.process:alive() then server:stop "sigkill" end
    end)
    return server
  end

  it("ends the wait of a task that is stopped at once, and its late reply hurts nobody", with_crew(function(crew)
    local server = other_server(crew)
    server:start():call("MSET", "k", "late", "other", "mine")
    script(crew, [=[
      crew.task("warm", { perform = function() note("warm", r:get("k")) end })
      crew.task("slow", { perform = function(_, task)
        note("started", task.id)
        local ok, why = pcall(r.get, r, "k")
        note("stopped", tostring(why))
        error(why, 0)
      end })
      crew.task("quick", { perform = function()
        note("asks")
        note("quick", tostring(r:get("other")))
      end })
    ]=], '{ timeout = "25s" }', server:url())
    local queue = crew:queue()
    queue:add { type = "warm" }
    crew:run()
    crew:wait_until("it is warm", 20, function() return crew.notes:count "warm" == 1 end)
    server:freeze()
    queue:add { type = "slow", retry = 0 }
    queue:add { type = "slow", retry = 0, timeout = 1 }
    crew:wait_until("both wait", 20, function() return crew.notes:count "started" == 2 end)
    queue:add { type = "quick", retry = 0 }
    crew:wait_until("the quick one waits", 20, function() return crew.notes:count "asks" == 1 end)
    local asked = wait.now_ms()
    crew.redis:call("PUBLISH", "asynq:cancel", crew.notes:all("started")[1][2])
    crew:wait_until("the slow ones were told", 20, function() return crew.notes:count "stopped" == 2 end)
    assert.is_true(crew.notes:all("stopped")[1].at_ms - asked < 1000 * wait.patience)
    assert.equal(0, crew.notes:count "quick")
    server:thaw()
    crew:wait_until("the quick one has its own reply", 20, function() return crew.notes:count "quick" == 1 end)
    assert.equal("mine", crew.notes:all("quick")[1][2])
  end))

  it("says what became of a call whose server went, and goes on when it is back", with_crew(function(crew)
    local server = other_server(crew)
    server:start()
    script(crew, [=[
      crew.task("warm", { perform = function() note("warm", r:ping()) end })
      crew.task("call", { perform = function(_, task)
        note("started")
        local reply, message, code = r:call("SET", "k", "v")
        note("call", tostring(reply), tostring(message), tostring(code))
      end })
      crew.task("slow", { perform = function()
        local reply, message, code = crew.redis.open(r.session.url, { timeout = "300ms" }):get("k")
        note("slow", message, code)
      end })
    ]=], nil, server:url())
    local queue = crew:queue()
    local function call(count)
      queue:add { type = "call", retry = 0 }
      crew:wait_until("a call has ended", 30, function() return crew.notes:count "call" == count end)
      return crew.notes:all("call")[count]
    end
    queue:add { type = "warm" }
    crew:run()
    crew:wait_until("it is warm", 20, function() return crew.notes:count "warm" == 1 end)
    server:freeze()
    queue:add { type = "slow", retry = 0 }
    crew:wait_until("a slow one has ended", 20, function() return crew.notes:count "slow" == 1 end)
    assert.matches("no answer to GET within 0.3 s", crew.notes:all("slow")[1][2])
    assert.equal("TIMED_OUT", crew.notes:all("slow")[1][3])
    queue:add { type = "call", retry = 0 }
    crew:wait_until("the call waits", 20, function() return crew.notes:count "started" == 1 end)
    server:stop "sigkill"
    crew:wait_until("the call has ended", 20, function() return crew.notes:count "call" == 1 end)
    local lost = crew.notes:all("call")[1]
    assert.same({ "nil", "UNKNOWN" }, { lost[2], lost[4] })
    assert.matches("whether the command was carried out is unknown", lost[3])
    assert.equal("UNAVAILABLE", call(2)[4])
    server:start()
    assert.equal("OK", crew:wait_until("it is back", 30, function()
      local reply = call(crew.notes:count "call" + 1)[2]
      return reply ~= "nil" and reply
    end))
  end))

  it("leaves no handle behind but those of its connection, which goes when it is idle", with_crew(function(crew)
    local notes = perform(crew, [=[
      require("mooncrew.redis.connections").idle_s = 0.2
      local function settle(wanted)
        for _ = 1, 500 do
          if native.handles() <= wanted then break end
          crew.sleep(0.02)
        end
        return native.handles()
      end
      r:ping() -- timers are kept for the next ones
      crew.sleep(0.6)
      local before = native.handles()
      r:ping()
      note("used", native.handles() - before)
      note("idle", settle(before) - before)
      for _ = 1, 5 do
        local own = crew.redis.open(r.session.url, { exclusive = true, timeout = "20ms" })
        own:blpop("nothing", 0)
      end
      crew.redis.open("redis://127.0.0.1:1", { exclusive = true }):ping()
      note("own", settle(before) - before)
      crew.redis.open(r.session.url, { exclusive = true }):ping()
      collectgarbage() collectgarbage()
      note("collected", settle(before) - before)
    ]=])
    assert.same({ "5" }, words(notes, "used"))
    assert.same({ "0" }, words(notes, "idle"))
    assert.same({ "0" }, words(notes, "own"))
    assert.same({ "0" }, words(notes, "collected"))
  end))

  it("shows no password", with_crew(function(crew)
    local notes = perform(crew, ([=[
      for _, url in ipairs { "redis+unix://:wr0ngs3cret@%s", "redis://:s3cret@", "redis://:s3/cret@127.0.0.1:1",
        "redis://:s3cret@127.0.0.1:1" } do
        local reply, message, code = crew.redis.open(url):get("k")
        note("wrong", message, code)
      end
    ]=]):format(crew.server.socket))
    for _, entry in ipairs(notes:all "wrong") do
      assert.not_matches("cret", entry[2])
      assert.is_true(entry[3] == "UNAVAILABLE" or entry[3] == "INVALID_ARGUMENT", entry[3])
    end
    assert.equal(4, notes:count "wrong")
  end))
end)
