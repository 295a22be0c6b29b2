-- crew.postgres in a real worker, against a real PostgreSQL.
local Postgres = require "postgres_server"
local wait = require "wait"
local with_crew = require("support").with_crew

if not Postgres.installed() then
  describe("crew.postgres", function()
    pending "needs PostgreSQL: apt-get install postgresql"
  end)
  return
end

local CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mooncrew'"

describe("crew.postgres", function()
  local server

  setup(function()
    server = Postgres.new():start()
  end)
  teardown(function()
    server:destroy()
  end)

  -- A script whose handlers have `db`; the body goes between.
  local function script(crew, body, options, url)
    crew:script("t.lua", ("local db = crew.postgres.open(%q, %s)\n%s"):format(url or server:url(), options or "nil",
      body))
  end

  -- What an earlier test opened counts no more.
  local function wait_unused()
    wait.wait_until("no connection is left", 20, function() return server:psql(CONNECTIONS) == "0" end)
  end

  -- Runs one handler to its end and returns its notes by their first word.
  local function perform(crew, body, options, url)
    script(crew, crew.HANDLER:format(body), options, url)
    return crew:run_handler()
  end

  local function value(notes, name)
    return assert(notes:all(name)[1], "nothing was noted as " .. name)[2]
  end

  it("gives values of each type back as they were sent", with_crew(function(crew)
    local notes = perform(crew, [=[
      local result = assert(db:query([[SELECT $1::int4 AS i4, $2::int8 AS i8, $3::int8 AS wide, $4::float8 AS f8,
        $5::bool AS yes, $6::bool AS no, $7::text AS text, $8::bytea AS bytes, $9::jsonb AS json, $10::numeric AS num,
        $11::int4 AS none, $12::int4[] AS list, '2024-02-03 04:05:06+00'::timestamptz AT TIME ZONE 'UTC' AS at,
        'NaN'::float8 AS nan, $13::float8 AS inf, '-9223372036854775808'::int8 AS least]],
        -42, 1700000000123456, 9007199254740993LL, 0.1, true, false, "über\n'\"", crew.postgres.bytes("\0\1\255"),
        { a = { 1, 2, crew.null }, b = crew.array {} }, "12345678901234567890.5", nil, crew.postgres.array { 1, 2, 3 },
        -math.huge))
      local row = result.rows[1]
      note("i4", row.i4, type(row.i4))
      note("i8", ("%.0f"):format(row.i8), type(row.i8))
      note("wide", tostring(row.wide), tostring(ffi.istype("int64_t", row.wide)))
      note("least", tostring(row.least))
      note("same", tostring(row.f8 == 0.1), tostring(row.yes == true and row.no == false),
        tostring(row.text == "über\n'\""), tostring(row.bytes == "\0\1\255"), tostring(row.nan ~= row.nan),
        tostring(row.inf == -math.huge), tostring(row.none))
      note("json", crew.json.encode(row.json))
      note("num", row.num)
      note("list", row.list)
      note("at", row.at)
      note("columns", #result.columns, result.columns[1], result.columns[11], result.count, result.command)
    ]=])
    assert.equal("-42", value(notes, "i4"))
    assert.same({ "i8", "1700000000123456", "number" }, { unpack(notes:all("i8")[1]) })
    assert.same({ "wide", "9007199254740993LL", "true" }, { unpack(notes:all("wide")[1]) })
    assert.equal("-9223372036854775808LL", value(notes, "least"))
    assert.same({ "same", "true", "true", "true", "true", "true", "true", "nil" }, { unpack(notes:all("same")[1]) })
    assert.equal('{"a":[1,2,null],"b":[]}', value(notes, "json"))
    assert.equal("12345678901234567890.5", value(notes, "num"))
    assert.equal("{1,2,3}", value(notes, "list"))
    assert.equal("2024-02-03 04:05:06", value(notes, "at"))
    assert.same({ "columns", "16", "i4", "none", "1", "SELECT 1" }, { unpack(notes:all("columns")[1]) })
  end))

  it("gives no task a session that another one has changed", with_crew(function(crew)
    local notes = perform(crew, [=[
      local function setting()
        return assert(db:query "SELECT current_setting('search_path') AS path, pg_backend_pid() AS pid").rows[1]
      end
      local before = setting()
      note("kept", tostring(setting().pid == before.pid))
      assert(db:query "SET search_path TO pg_catalog")
      note("path", tostring(setting().path == before.path))
      local locked = assert(db:query "SELECT pg_backend_pid() AS pid, pg_advisory_lock(4242)").rows[1].pid
      note("lock", tostring(setting().pid ~= locked))
      assert(db:query "LISTEN news")
      note("listen", #assert(db:query "SELECT pg_listening_channels()").rows)
      assert(db:transaction(function(tx) return tx:query "SET search_path TO pg_catalog" end))
      note("transaction", tostring(setting().path == before.path))
    ]=], "{ pool = 1 }")
    assert.equal("true", value(notes, "kept"))
    assert.equal("true", value(notes, "path"))
    assert.equal("true", value(notes, "lock"))
    assert.equal("0", value(notes, "listen"))
    assert.equal("true", value(notes, "transaction"))
  end))

  it("returns the SQLSTATE and the details of what the server refuses", with_crew(function(crew)
    local notes = perform(crew, [=[
      assert(db:query("CREATE TABLE unique_names (name text CONSTRAINT one_of_each UNIQUE)"))
      local made = assert(db:query("INSERT INTO unique_names VALUES ($1), ($2)", "a", "b"))
      note("affected", made.affected, made.count, #made.rows)
      local result, message, code, details = db:query("INSERT INTO unique_names VALUES ($1)", "a")
      note("again", tostring(result), message, code, details.constraint, details.table)
      note("syntax", select(3, db:query("SELEC 1")))
      note("two", select(3, db:query("SELECT 1; SELECT 2")))
      note("copy out", select(2, db:query("COPY unique_names TO STDOUT")))
      note("copy in", select(3, db:query("COPY unique_names FROM STDIN")))
      note("begin", select(2, db:query("BEGIN")))
      note("empty", assert(db:query("")).count)
      note("after", assert(db:query("SELECT count(*) AS n FROM unique_names")).rows[1].n)
      db:query("DO $$ BEGIN RAISE WARNING 'a word of warning'; END $$")
    ]=])
    assert.same({ "affected", "2", "0", "0" }, { unpack(notes:all("affected")[1]) })
    local again = notes:all("again")[1]
    assert.equal("nil", again[2])
    assert.matches("duplicate key value", again[3])
    assert.same({ "23505", "one_of_each", "unique_names" }, { again[4], again[5], again[6] })
    assert.equal("42601", value(notes, "syntax"))
    assert.equal("42601", value(notes, "two"))
    assert.matches("COPY is not supported", value(notes, "copy out"))
    assert.equal("INVALID_ARGUMENT", value(notes, "copy in"))
    assert.matches("use db:transaction", value(notes, "begin"))
    assert.equal("2", value(notes, "after"))
    crew:wait_until("the warning is in the log", 10, function()
      return crew.nodes[1]:text():find "a word of warning"
    end)
  end))

  it("gives the last of several columns with one name", with_crew(function(crew)
    local notes = perform(crew, [=[
      local function x(sql) return crew.json.encode(assert(db:query(sql)).rows[1].x or "none") end
      note("json", x [[SELECT '{"a":1}'::json AS x, '{"b":2}'::json AS x]])
      note("number", x [[SELECT '{"a":1}'::json AS x, 5 AS x]])
      note("text", x [[SELECT '{"a":1}'::json AS x, '5'::text AS x]])
      note("null", x "SELECT 1 AS x, NULL AS x")
      note("least", tostring(assert(db:query("SELECT $1::int8 AS n", -2 ^ 63)).rows[1].n))
    ]=])
    assert.same({ '{"b":2}', "5", '"5"', '"none"' }, { value(notes, "json"), value(notes, "number"),
      value(notes, "text"), value(notes, "null") })
    assert.equal("-9223372036854775808LL", value(notes, "least"))
  end))

  it("does not take a transaction for kept that a statement has ended", with_crew(function(crew)
    local notes = perform(crew, [=[
      assert(db:query("CREATE TABLE ended (n int4)"))
      for _, word in ipairs { "COMMIT", "ROLLBACK" } do
        local after
        local ok, message, code = db:transaction(function(tx)
          assert(tx:query("INSERT INTO ended VALUES (1)"))
          tx:query(word)
          after = tx:query("INSERT INTO ended VALUES (2)")
          return true
        end)
        note(word, tostring(ok), code, tostring(after), message)
      end
      note("twos", assert(db:query("SELECT count(*) AS n FROM ended WHERE n = 2")).rows[1].n)
    ]=])
    for _, word in ipairs { "COMMIT", "ROLLBACK" } do
      local entry = notes:all(word)[1]
      assert.same({ "nil", "INVALID_ARGUMENT", "nil" }, { entry[2], entry[3], entry[4] })
      assert.matches("leave COMMIT and ROLLBACK to db:transaction", entry[5], 1, true)
    end
    assert.equal("0", value(notes, "twos"))
  end))

  it("lets only one function of a gather into a part of a transaction", with_crew(function(crew)
    local notes = perform(crew, [=[
      db:transaction(function(tx)
        crew.gather(function()
          tx:transaction(function()
            crew.sleep(0.2)
            note("inside", tostring((tx:query("SELECT 1"))))
          end)
        end, function()
          note("making", select(2, pcall(tx.query, tx, "SELECT 1")))
          crew.sleep(0.1)
          note("within", select(2, pcall(tx.query, tx, "SELECT 1")))
          note("second", select(2, pcall(tx.transaction, tx, function() end)))
        end)
        note("after", tostring((tx:query("SELECT 1"))))
      end)
    ]=])
    assert.matches("does one at a time", value(notes, "making"))
    assert.matches("another function of the gather", value(notes, "within"))
    assert.matches("another function of the gather", value(notes, "second"))
    assert.matches("table", value(notes, "inside"))
    assert.matches("table", value(notes, "after"))
  end))

  it("keeps a transaction, or nothing of it", with_crew(function(crew)
    wait_unused()
    local notes = perform(crew, [=[
      assert(db:query("CREATE TABLE kept (n int4)"))
      local function insert(tx, n) return assert(tx:query("INSERT INTO kept VALUES ($1)", n)) end
      note("returned", db:transaction(function(tx) insert(tx, 1) return "a", "b" end))
      note("nothing", tostring(db:transaction(function(tx) insert(tx, 2) end)))
      local ok, why = pcall(db.transaction, db, function(tx) insert(tx, 3) error({ mine = true }) end)
      note("raised", tostring(ok), tostring(why.mine))
      note("failed", select(2, db:transaction(function(tx) insert(tx, 4) return nil, "no reason" end)))
      note("went on", select(3, db:transaction(function(tx) insert(tx, 5) tx:query("SELECT 1/0") return "fine" end)))
      note("savepoint", tostring(db:transaction(function(tx)
        insert(tx, 6)
        pcall(tx.transaction, tx, function(inner) insert(inner, 7) error("undo") end)
        tx:transaction(function(inner) insert(inner, 8) inner:query("SELECT 1/0") end)
        assert(tx:transaction(function(inner) insert(inner, 9) end))
      end)))
      local _, nested = pcall(db.transaction, db, function() db:transaction(function() end) end)
      note("nested", nested)
      local kept_tx
      db:transaction(function(tx) kept_tx = tx end, { isolation = "serializable", read_only = true })
      note("over", select(2, pcall(kept_tx.query, kept_tx, "SELECT 1")))
      note("gathered", crew.gather(
        function() return db:transaction(function(tx) return insert(tx, 11).affected end) end,
        function() return db:transaction(function(tx) return insert(tx, 12).affected end) end))
      note("readonly", select(3, db:transaction(function(tx) return tx:query("INSERT INTO kept VALUES (10)") end,
        { read_only = true })))
      note("kept", assert(db:query("SELECT string_agg(n::text, ' ' ORDER BY n) AS all FROM kept")).rows[1].all)
      local mine = "SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = 'mooncrew'"
      note("connections", assert(db:query(mine)).rows[1].n)
    ]=], "{ pool = 3 }")
    assert.same({ "returned", "a", "b" }, { unpack(notes:all("returned")[1]) })
    assert.equal("true", value(notes, "nothing"))
    assert.same({ "raised", "false", "true" }, { unpack(notes:all("raised")[1]) })
    assert.equal("no reason", value(notes, "failed"))
    assert.equal("22012", value(notes, "went on"))
    assert.equal("true", value(notes, "savepoint"))
    assert.matches("use tx:transaction", value(notes, "nested"))
    assert.matches("this transaction has ended", value(notes, "over"))
    assert.equal("25006", value(notes, "readonly"))
    assert.same({ "gathered", "1", "1" }, { unpack(notes:all("gathered")[1]) })
    assert.equal("1 2 6 9 11 12", value(notes, "kept"))
    assert.equal("2", value(notes, "connections"))
  end))

  it("cancels a query when its task is cancelled, at once", with_crew(function(crew)
    script(crew, [=[
      crew.task("sleep", { perform = function(_, task)
        note("started", task.id)
        local ok, why = pcall(db.query, db, "SELECT pg_sleep(60)")
        note("stopped", tostring(ok), tostring(why))
        error(why, 0)
      end })
      crew.task("hold", { perform = function(_, task)
        local ok, why = pcall(db.transaction, db, function(tx)
          assert(tx:query("CREATE TABLE held ()"))
          note("started", task.id)
          pcall(tx.query, tx, "SELECT pg_sleep(50)")
          tx:query "SELECT 1" -- raises: this task is told that it was stopped, not that its connection is lost
        end)
        note("stopped", tostring(ok), tostring(why))
        error(why, 0)
      end })
    ]=], "{ pool = 3 }")
    local queue = crew:queue()
    crew:run()
    queue:add { type = "sleep", retry = 0 }
    queue:add { type = "hold", timeout = 2, retry = 0 }
    crew:wait_until("both run", 20, function() return crew.notes:count "started" == 2 end)
    wait.wait_until("the query runs", 20, function()
      return server:psql [[SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%'
        AND pid <> pg_backend_pid()]] == "1"
    end)
    for _, entry in ipairs(crew.notes:all "started") do crew.redis:call("PUBLISH", "asynq:cancel", entry[2]) end
    local asked = wait.now_ms()
    crew:wait_until("both were told", 20, function() return crew.notes:count "stopped" == 2 end)
    local told = crew.notes:all("stopped")
    assert.is_true(told[1].at_ms - asked < 1000 * wait.patience)
    for _, entry in ipairs(told) do
      assert.equal("false", entry[2])
      assert.matches("context", entry[3])
    end
    wait.wait_until("the server has ended the query and rolled back", 10, function()
      return server:psql([[SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid()
        AND (query LIKE '%pg_sleep(60)%' OR state LIKE 'idle in transaction%')]]) == "0"
    end)
    assert.equal("", server:psql "SELECT relname FROM pg_class WHERE relname = 'held'")
  end))

  -- More than are cancelled at a time: the worker must stay until the last one is.
  it("leaves no query behind when the node is stopped", with_crew(function(crew)
    script(crew, [=[
      crew.task("t", { perform = function()
        note("started")
        db:query("SELECT pg_sleep(63)")
      end })
    ]=], "{ pool = 12 }")
    local queue = crew:queue()
    for _ = 1, 12 do queue:add { type = "t" } end
    local node = crew:run({ shutdown_timeout = "300ms" })
    local running = [[SELECT count(*) FROM pg_stat_activity
      WHERE query LIKE '%pg_sleep(63)%' AND application_name = 'mooncrew']]
    wait.wait_until("the queries run", 20, function() return server:psql(running) == "12" end)
    node:send "sigterm"
    assert.equal(0, (node:wait(20)))
    wait.wait_until("the server has ended the queries", 10, function() return server:psql(running) == "0" end)
  end))

  it("ends a query that takes longer than its time", with_crew(function(crew)
    local notes = perform(crew, [=[
      note("slow", select(2, db:query("SELECT pg_sleep(60)")))
      note("code", select(3, db:query("SELECT pg_sleep(60)")))
      note("tx", select(3, db:transaction(function(tx) return tx:query("SELECT pg_sleep(60)") end)))
      note("next", assert(db:query("SELECT 7 AS n")).rows[1].n)
    ]=], '{ pool = 1, timeout = "3s" }')
    assert.matches("longer than 3 s", value(notes, "slow"))
    assert.equal("TIMED_OUT", value(notes, "code"))
    assert.equal("TIMED_OUT", value(notes, "tx"))
    assert.equal("7", value(notes, "next"))
  end))

  it("moves what is larger than any buffer of a socket", with_crew(function(crew)
    local notes = perform(crew, [=[
      local large = ("0123456789abcdef"):rep(512 * 1024)
      local row = assert(db:query("SELECT $1::text AS text, $2::bytea AS bytes", large, crew.postgres.bytes(large)))
        .rows[1]
      note("large", tostring(row.text == large), tostring(row.bytes == large))
      note("many", #assert(db:query("SELECT n FROM generate_series(1, 100000) AS n")).rows)
    ]=])
    assert.same({ "large", "true", "true" }, { unpack(notes:all("large")[1]) })
    assert.equal("100000", value(notes, "many"))
  end))

  it("leaves threads for others while a server that stands still is asked to cancel", with_crew(function(crew)
    script(crew, [=[
      crew.task("warm", { perform = function()
        crew.async.await(function(resume) resume() end)
        note("warm", #assert(db:query("SELECT pg_sleep(0.2)")).rows)
      end })
      crew.task("slow", { perform = function()
        note("slow", select(3, db:query("SELECT pg_sleep(61)")))
      end })
      crew.task("lookup", { perform = function()
        local other = crew.postgres.open("postgres://localhost:1/d", { timeout = "20s", connect_timeout = "20s" })
        note("lookup", select(3, other:query("SELECT 1")))
      end })
    ]=], '{ pool = 6, timeout = "2s" }')
    local queue = crew:queue()
    for _ = 1, 6 do queue:add { type = "warm" } end
    crew:run()
    crew:wait_until("six connections are open", 20, function() return crew.notes:count "warm" == 6 end)
    server.process:send "sigstop"
    crew:finally(function() server.process:send "sigcont" end)
    for _ = 1, 6 do queue:add { type = "slow", retry = 0 } end
    crew:wait_until("all six were given up", 20, function() return crew.notes:count "slow" == 6 end)
    queue:add { type = "lookup", retry = 0 }
    crew:wait_until("a name was looked up", 30, function() return crew.notes:count "lookup" == 1 end)
    assert.equal("UNAVAILABLE", crew.notes:all("lookup")[1][2])
    server.process:send "sigcont"
    wait.wait_until("the server has ended the queries", 20, function()
      return server:psql [[SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(61)%'
        AND pid <> pg_backend_pid()]] == "0"
    end)
    for _, entry in ipairs(crew.notes:all "slow") do assert.equal("TIMED_OUT", entry[2]) end
  end))

  it("serves 200 tasks with 10 connections", with_crew(function(crew)
    wait_unused()
    script(crew, [=[
      crew.task("t", { perform = function(_, task)
        local row = assert(db:query("SELECT $1::text AS id, pg_sleep(0.01)", task.id)).rows[1]
        assert(row.id == task.id)
        note("ran", task.id)
      end })
    ]=])
    local queue = crew:queue()
    for _ = 1, 200 do queue:add { type = "t", retry = 0 } end
    crew:run({ concurrency = 200 })
    crew:wait_until("all have run", 60, function() return crew.notes:count "ran" == 200 end)
    local count = tonumber(server:psql(CONNECTIONS))
    assert.is_true(count <= 10 and count >= 1, tostring(count))
    local ran = crew.notes:all "ran"
    print(("measured: 200 queries of 10 ms over 10 connections in %.0f ms"):format(ran[200].at_ms - ran[1].at_ms))
  end))

  it("gets a connection back from a handler that yields for ever", with_crew(function(crew)
    script(crew, [=[
      crew.task("lost", { perform = function()
        db:transaction(function(tx)
          assert(tx:query("CREATE TABLE yielded ()"))
          note("yields")
          coroutine.yield()
        end)
      end })
      crew.task("next", { perform = function()
        note("next", tostring(select(2, db:query("CREATE TABLE yielded ()"))))
      end })
    ]=], '{ pool = 1, timeout = "5s" }')
    local queue = crew:queue()
    local id = queue:add { type = "lost", retry = 0 }
    crew:run()
    crew:wait_counts(queue, 20, { archived = 1, active = 0 })
    assert.matches("coroutine.yield", queue:task(id).message.error_msg)
    queue:add { type = "next", retry = 0 }
    crew:wait_until("the next one has ended", 20, function() return crew.notes:count "next" == 1 end)
    assert.equal("nil", crew.notes:all("next")[1][2])
  end))

  it("leaves the worker with as many handles as before, once its connections have been idle", with_crew(function(crew)
    local notes = perform(crew, [=[
      local native = require "mooncrew.native_worker"
      local function settle(wanted)
        for _ = 1, 500 do
          if native.handles() == wanted then break end
          crew.sleep(0.02)
        end
        return native.handles()
      end
      crew.sleep(0.001) crew.async.await(function(resume) resume() end)
      local other = crew.postgres.open(db.url, { pool = 5, idle_timeout = "50ms" })
      local hasty = crew.postgres.open(db.url, { pool = 5, idle_timeout = "50ms", timeout = "1s" })
      assert(other:query("SELECT 1")) -- timers are kept for the next ones
      crew.sleep(0.5)
      local before = native.handles()
      assert(other:query("SELECT 1"))
      note("one", native.handles() - before)
      settle(before)
      note("idle", native.handles() - before)
      for _ = 1, 5 do hasty:query("SELECT pg_sleep(60)") end
      settle(before)
      note("cancelled", native.handles() - before)
    ]=])
    assert.equal("1", value(notes, "one"))
    assert.equal("0", value(notes, "idle"))
    assert.equal("0", value(notes, "cancelled"))
  end))
end)

describe("crew.postgres and a server of its own", function()
  it("speaks TLS, and cancels over it", with_crew(function(crew)
    local tls_server = Postgres.new({ tcp = true, tls = true, password = "s3cret" }):start()
    crew:finally(function() tls_server:destroy() end)
    crew:script("t.lua", ([=[
      crew.task("t", { perform = function()
        local url = %q
        local db = crew.postgres.open(url .. "?sslmode=verify-full&sslrootcert=%s/server.crt", { timeout = "5s" })
        local large = ("0123456789abcdef"):rep(64 * 1024)
        local row = assert(db:query([[SELECT ssl, $1::text = $2 AS same, $1::text AS large FROM pg_stat_ssl
          WHERE pid = pg_backend_pid()]], large, large)).rows[1]
        note("tls", tostring(row.ssl), tostring(row.same), tostring(row.large == large))
        note("slow", select(3, db:query("SELECT pg_sleep(62)")))
        note("stranger", select(2, crew.postgres.open(url .. "?sslmode=verify-full"):query("SELECT 1")))
      end })
    ]=]):format(tls_server:tcp_url("localhost"), crew.folder))
    local certificate = assert(io.open(tls_server.data .. "/server.crt"))
    crew:file("server.crt", certificate:read "*a")
    certificate:close()
    crew:queue():add { type = "t", retry = 0 }
    crew:run()
    crew:wait_until("the handler has ended", 30, function() return crew.notes:count "stranger" == 1 end)
    assert.same({ "tls", "true", "true", "true" }, { unpack(crew.notes:all("tls")[1]) })
    assert.equal("TIMED_OUT", crew.notes:all("slow")[1][2])
    assert.matches("root certificate", crew.notes:all("stranger")[1][2])
    wait.wait_until("the server has ended the query", 20, function()
      return tls_server:psql [[SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(62)%'
        AND pid <> pg_backend_pid()]] == "0"
    end)
  end))

  it("says what became of a query, and goes on when it is back", with_crew(function(crew)
    local server = Postgres.new({ tcp = true, password = "s3cret" }):start()
    crew:finally(function() server:destroy() end)
    crew:script("t.lua", ([=[
      local db = crew.postgres.open(%q, { pool = 2 })
      crew.task("long", { perform = function()
        note("started")
        local result, message, code = db:query("SELECT pg_sleep(60)")
        note("long", tostring(result), message, code)
      end })
      crew.task("short", { perform = function()
        local result, message, code = db:query("SELECT 1 AS n")
        note("short", result and result.rows[1].n or "failed", tostring(message), tostring(code))
      end })
      crew.task("wrong", { perform = function()
        for _, url in ipairs {
          (%q):gsub("s3cret", "wr0ng"), "postgres://u:pa/s3cret@127.0.0.1/x", "postgres://u:p@s3cret@127.0.0.1/x",
          "password=s3 cret host", "postgres://u:s3cret@127.0.0.1:1/x", "postgres://u:s3cret@no-such-host.invalid/x",
        } do
          local _, message, code = crew.postgres.open(url):query("SELECT 1")
          note("wrong", message, code)
        end
      end })
    ]=]):format(server:tcp_url("localhost"), server:tcp_url()))
    local queue = crew:queue()
    crew:run()
    local function short(count)
      queue:add { type = "short", retry = 0 }
      crew:wait_until("a short query ended", 30, function() return crew.notes:count "short" == count end)
      return crew.notes:all("short")[count]
    end
    assert.equal("1", short(1)[2])
    queue:add { type = "long", retry = 0 }
    crew:wait_until("the long query runs", 20, function()
      return crew.notes:count "started" == 1
        and server:psql "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)'" == "1"
    end)
    queue:add { type = "wrong", retry = 0 }
    crew:wait_until("all wrong addresses were tried", 60, function() return crew.notes:count "wrong" == 6 end)
    server:stop "sigquit"
    crew:wait_until("the long query ended", 20, function() return crew.notes:count "long" == 1 end)
    local long = crew.notes:all("long")[1]
    assert.equal("nil", long[2])
    assert.is_true(long[4] == "UNKNOWN" or long[4] == "57P02" or long[4] == "57P01", long[4])
    assert.equal("UNAVAILABLE", short(2)[4])
    server:start()
    assert.equal("1", short(3)[2])
    local wrong = crew.notes:all "wrong"
    local codes = {}
    for i, entry in ipairs(wrong) do
      codes[i] = entry[3]
      assert.not_matches("cret", entry[2])
    end
    assert.same({ "UNAVAILABLE", "INVALID_ARGUMENT", "INVALID_ARGUMENT", "INVALID_ARGUMENT", "UNAVAILABLE",
      "UNAVAILABLE" }, codes)
    assert.not_matches("cret", crew.nodes[1]:text())
  end))
end)
