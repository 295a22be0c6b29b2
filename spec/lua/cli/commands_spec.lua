-- The commands as `mooncrew` runs them, with what they print; Redis is a client that keeps what it is given.

local uv = require "luv"
require "mooncrew" -- before the folder changes, which the paths of the modules are relative to
local cli = require "mooncrew.cli"
local json = require "mooncrew.json"
local output = require "mooncrew.cli.output"
local registry = require "mooncrew.registry"

local MAIL = [[
local crew = require "mooncrew"
crew.task("mail:send", {
  queue = "critical", max_retry = 10, timeout = "30s",
  payload = crew.schema.object { user = crew.schema.string { min_length = 1 } },
  perform = function() end,
})
crew.task("bytes:*", { payload = "raw", queue = "bulk", perform = function() end })
]]

describe("mooncrew.cli", function()
  local folder, before, written, complaints, sent, answer, servers, loaders_before, client_before

  local function fake_client()
    return {
      open = function(url)
        sent.url = url
        return {
          enqueue = function(_, name, payload, options)
            sent.type, sent.payload, sent.options = name, payload, options
            return unpack(answer)
          end,
          send = function(_, name, payload, normal)
            sent.type, sent.bytes, sent.normal = name, payload, normal
            return unpack(answer)
          end,
          stats = function()
            return unpack(answer)
          end,
          servers = function()
            return servers
          end,
          close = function()
            sent.closed = true
          end,
        }
      end,
    }
  end

  before_each(function()
    before = uv.cwd()
    folder = assert(uv.fs_mkdtemp("/tmp/mooncrew-spec-XXXXXX"))
    uv.chdir(folder)
    uv.fs_mkdir("scripts", tonumber("700", 8))
    written, complaints, sent = {}, {}, {}
    servers = { { queues = { critical = 6, default = 3, bulk = 1 } } }
    answer = { { id = "id1", queue = "critical", type = "mail:send", state = "pending" } }
    stub(output, "write", function(text) written[#written + 1] = text end)
    stub(output, "complain", function(text) complaints[#complaints + 1] = text end)
    client_before, package.loaded["mooncrew.client"] = package.loaded["mooncrew.client"], fake_client()
    loaders_before = { unpack(package.loaders) }
    registry.reset()
  end)

  after_each(function()
    output.write:revert()
    output.complain:revert()
    package.loaded["mooncrew.client"] = client_before
    for i in ipairs(package.loaders) do
      package.loaders[i] = loaders_before[i]
    end
    package.loaded.mail, package.loaded.bad = nil, nil
    registry.reset()
    uv.chdir(before)
    os.execute("rm -rf '" .. folder .. "'")
  end)

  local function write(name, source)
    local file = assert(io.open(name, "wb"))
    file:write(source)
    file:close()
  end

  -- Exit code, what was printed, what was complained about.
  local function run(...)
    written, complaints = {}, {}
    local outcome = cli.main { ... }
    return outcome.exit_code, table.concat(written), table.concat(complaints, "\n")
  end

  describe("check", function()
    it("lists what the scripts register, and warns of a queue that nobody serves", function()
      write("scripts/mail.lua", MAIL)
      local code, text = run("check")
      assert.equal(0, code)
      assert.equal(table.concat({
        "TYPE       QUEUE     PAYLOAD  OPTIONS                   WHERE",
        "bytes:*    bulk      raw                                scripts/mail.lua:7",
        "mail:send  critical  schema   max_retry=10 timeout=30s  scripts/mail.lua:2",
        'scripts/mail.lua:7: warning: task "bytes:*" goes to queue "bulk", which is not among the configured queues',
        "",
      }, "\n"), text)
    end)

    it("lists the rules for groups", function()
      write("scripts/mail.lua", 'local crew = require "mooncrew"\n'
        .. 'crew.aggregate { group = "mail:*", max_size = 20, type = "digest", fold = function() end }\n'
        .. 'crew.aggregate { group = "one", queue = "absent", max_delay = "1h", fold = function() end }\n')
      local code, text = run("check")
      assert.equal(0, code)
      assert.truthy(text:find(table.concat({
        "GROUP   QUEUE   FOLDED INTO  GRACE  MAX DELAY  MAX SIZE  WHERE",
        "mail:*  any     digest        60 s          -        20  scripts/mail.lua:2",
        "one     absent  -             60 s     3600 s         -  scripts/mail.lua:3",
        'scripts/mail.lua:2: warning: the rule for groups "mail:*" enqueues "digest", which no script registers',
        'scripts/mail.lua:3: warning: the rule for groups "one" is for queue "absent", which is not among the ',
      }, "\n"), 1, true), text)
      local _, decoded = assert(json.decode((select(2, run("check", "--json")))))
      assert.same({ group = "mail:*", max_size = 20, type = "digest", grace_period = 60,
        source = "scripts/mail.lua:2" }, decoded.groups[1])
    end)

    it("lists cron entries", function()
      write("scripts/nightly.lua",
        '\nrequire("mooncrew").cron("0 3 * * *", "report", nil, { timezone = "UTC", queue = "low", id = "nightly" })\n')
      local code, text = run("check")
      assert.equal(0, code)
      assert.truthy(text:find("CRON_TZ=UTC 0 3 * * *  report  low    skip    scripts/nightly.lua:2", 1, true), text)
      registry.reset()
      package.loaded.nightly = nil
      local _, report = assert(json.decode((select(2, run("check", "--json")))))
      assert.equal("nightly", report.cron[1].id)
      assert.equal("CRON_TZ=UTC 0 3 * * *", report.cron[1].spec)
    end)

    it("takes the queues from the configuration", function()
      write("scripts/mail.lua", MAIL)
      local _, text = run("check", "--queues", "critical=3,bulk")
      assert.falsy(text:find("warning"))
    end)

    it("prints what luacheck says of the scripts", function()
      write("scripts/bad.lua", "local x = 1\nreturn 1\n")
      local code, text = run("check")
      assert.equal(0, code)
      assert.truthy(text:find("scripts/bad.lua:1:7: (W211) unused variable 'x'", 1, true))
    end)

    it("fails with file and line when a script does not load", function()
      write("scripts/bad.lua", "\nlocal x = =\n")
      local code, text, complaint = run("check")
      assert.equal(1, code)
      assert.equal("", text)
      assert.equal("scripts/bad.lua:2: unexpected symbol near '='", complaint)
    end)

    it("names every script that does not load, once", function()
      write("scripts/a.lua", "local x = =\n")
      write("scripts/b.lua", "require 'd'\n")
      write("scripts/c.lua", MAIL)
      write("scripts/d.lua", "x.y = 1\n")
      local code, text, complaint = run("check")
      assert.equal(1, code)
      assert.equal("", text)
      assert.equal("scripts/a.lua:1: unexpected symbol near '='\nscripts/d.lua:1: attempt to index global 'x' "
        .. "(a nil value)", complaint)
      package.loaded.c = nil
    end)

    it("fails when a task is given a queue that nobody could serve", function()
      write("scripts/bad.lua", '\nlocal task = require("mooncrew").task("a", { queue = "{br}", perform = print })\n')
      local code, _, complaint = run("check")
      assert.equal(1, code)
      assert.equal('scripts/bad.lua:2: task "a": queue: "{br}" is no queue name: it is UTF-8 without white space, '
        .. "control characters and any of = , { }", complaint)
    end)

    it("fails when a script ends the process while it is loaded", function()
      local exit = os.exit
      write("scripts/bad.lua", "local x = 1\nos.exit(x)\n")
      local code, _, complaint = run("check")
      assert.equal(1, code)
      assert.equal("scripts/bad.lua:2: a script cannot call os.exit while it is being loaded", complaint)
      assert.equal(exit, os.exit)
    end)

    it("warns of what is called like a script and is none", function()
      write("scripts/mail.lua", MAIL)
      assert(uv.fs_symlink("nowhere", "scripts/gone.lua"))
      assert(uv.fs_mkdir("scripts/folder.lua", tonumber("700", 8)))
      assert.equal(0, os.execute("mkfifo scripts/pipe.lua"))
      local code, text = run("check", "--queues", "critical,bulk")
      assert.equal(0, code)
      for name, kind in pairs { gone = "link to nothing", folder = "directory", pipe = "fifo" } do
        local line = ("scripts/%s.lua: warning: it is called like a script, but is a %s\n"):format(name, kind)
        assert.truthy(text:find(line, 1, true), text)
      end
    end)

    it("fails when a script enqueues while it is loaded, and sends nothing", function()
      write("scripts/bad.lua", '\nrequire("mooncrew").enqueue("a", {})\n')
      local code, _, complaint = run("check")
      assert.equal(1, code)
      assert.equal("scripts/bad.lua:2: a script cannot enqueue while it is being loaded: do it in a handler", complaint)
      assert.same({}, sent)
    end)

    it("prints JSON, for an error too", function()
      write("scripts/mail.lua", MAIL)
      local code, text = run("check", "--json")
      local _, report = assert(json.decode(text))
      assert.equal(0, code)
      assert.is_true(report.ok)
      assert.equal("mail:send", report.tasks[2].type)
      assert.same({ queue = "critical", max_retry = 10, timeout = "30s" }, report.tasks[2].options)
      write("scripts/bad.lua", "x.y = 1")
      registry.reset()
      package.loaded.mail = nil
      code, text = run("check", "--json")
      assert.equal(1, code)
      assert.equal('{"code":"INVALID_SCRIPT","cron":[],'
        .. '"error":"scripts/bad.lua:1: attempt to index global \'x\' (a nil value)",'
        .. '"errors":["scripts/bad.lua:1: attempt to index global \'x\' (a nil value)"],"groups":[],'
        .. '"ok":false,'
        .. '"tasks":[],"warnings":[]}\n', text)
    end)
  end)

  describe("enqueue", function()
    it("sends the payload and says what became of it", function()
      write("scripts/mail.lua", MAIL)
      local code, text = run("enqueue", "mail:send", '{"user":"ada"}', "--redis", "redis://h")
      assert.equal(0, code)
      assert.equal("enqueued task id=id1 queue=critical state=pending\n", text)
      assert.same({ url = "redis://h", type = "mail:send", payload = { user = "ada" }, options = {}, closed = true },
        sent)
    end)

    it("hands every option on", function()
      assert.equal(0, (run("enqueue", "a", "--queue", "low", "--max-retry", "3", "--timeout", "1m", "--deadline",
        "1896091200", "--unique", "1h", "--process-at", "2030-01-31T12:00:00Z", "--task-id", "x", "--retention", "1d",
        "--group", "g", "--header", "k=v=w", "--header", "e=")))
      assert.same({ queue = "low", max_retry = 3, timeout = "1m", deadline = 1896091200, unique = "1h",
        process_at = 1896091200, task_id = "x", retention = "1d", group = "g", headers = { k = "v=w", e = "" } },
        sent.options)
      assert.is_nil(sent.payload)
    end)

    it("takes -q for the queue, as the commands that look at it do", function()
      assert.equal(0, (run("enqueue", "a", "-q", "low")))
      assert.equal("low", sent.options.queue)
    end)

    it("says when a delayed task is due", function()
      answer = { { id = "x", queue = "q", state = "scheduled", process_at = 1896091200 } }
      local _, text = run("enqueue", "a", "--process-in", "5s")
      assert.equal("enqueued task id=x queue=q state=scheduled process_at=2030-01-31T12:00:00Z\n", text)
      assert.same({ process_in = "5s" }, sent.options)
    end)

    it("refuses a payload that does not fit the schema, with its path, and sends nothing", function()
      write("scripts/mail.lua", MAIL)
      local code, text, complaint = run("enqueue", "mail:send", '{"user":1}')
      assert.equal(1, code)
      assert.equal("", text)
      assert.equal("payload.user: expected string, got number (INVALID_PAYLOAD)", complaint)
      assert.same({}, sent)
    end)

    it("tells all that is wrong with a payload", function()
      write("scripts/mail.lua", MAIL)
      local _, _, complaint = run("enqueue", "mail:send", '{"user":1,"usr":2,"x":3}')
      assert.equal('payload.usr: unknown field; did you mean "user"? (INVALID_PAYLOAD)\n'
        .. "  also payload.x: unknown field\n  also payload.user: expected string, got number", complaint)
      assert.same({}, sent)
    end)

    it("writes JSON for an unknown type in the form that equal payloads share", function()
      run("enqueue", "a", '{ "b": [], "a": 1700000000123456 }')
      assert.equal('{"a":1700000000123456,"b":[]}', sent.payload)
      run("enqueue", "a", '"text"')
      assert.equal('"text"', sent.payload)
    end)

    it("refuses what is no JSON, unless it is to be raw", function()
      local code, _, complaint = run("enqueue", "a", "{x")
      assert.equal(1, code)
      assert.truthy(complaint:find("^payload: not valid JSON at byte 2"))
      assert.equal(0, (run("enqueue", "a", "{x", "--raw")))
      assert.equal("{x", sent.payload)
    end)

    it("sends raw bytes as they are, with the options of the type, once its schema has passed them", function()
      write("scripts/mail.lua", MAIL)
      assert.equal(0, (run("enqueue", "mail:send", '{ "user" : "ada" }', "--raw", "--max-retry", "3")))
      assert.equal('{ "user" : "ada" }', sent.bytes)
      assert.same({ queue = "critical", max_retry = 3, timeout_ms = 30000 }, sent.normal)
      sent.bytes, package.loaded.mail = nil, nil
      registry.reset()
      local code, _, complaint = run("enqueue", "mail:send", '{"user":1}', "--raw")
      assert.equal(1, code)
      assert.equal("payload.user: expected string, got number (INVALID_PAYLOAD)", complaint)
      assert.is_nil(sent.bytes)
    end)

    it("sends raw bytes that are no text where the script wants them raw", function()
      write("scripts/mail.lua", MAIL)
      assert.equal(0, (run("enqueue", "bytes:jpeg", "\255\216", "--raw")))
      assert.equal("\255\216", sent.bytes)
      assert.equal("bulk", sent.normal.queue)
    end)

    it("warns of a type that no script serves", function()
      write("scripts/mail.lua", MAIL)
      local code, _, complaint = run("enqueue", "mail:sned")
      assert.equal(0, code)
      assert.equal('warning: no script of scripts serves "mail:sned"; did you mean "mail:send"?', complaint)
      assert.equal("mail:sned", sent.type)
      registry.reset()
      package.loaded.mail = nil
      assert.equal('warning: no script of scripts serves "x"', (select(3, run("enqueue", "x"))))
      assert.equal("", (select(3, run("enqueue", "x", "--no-scripts"))))
    end)

    it("warns when nobody would take the task, and says so to programs in their object alone", function()
      servers = {}
      local code, text, complaint = run("enqueue", "a")
      assert.equal(0, code)
      assert.matches("^enqueued task id=id1 ", text)
      assert.equal("warning: no server is alive: the task waits until one runs", complaint)
      servers = { { queues = { low = 1 }, patterns = "tenant:*,crit*" } }
      assert.equal("", (select(3, run("enqueue", "a"))))
      servers[1].patterns = nil
      code, text, complaint = run("enqueue", "a", "--json")
      assert.equal(0, code)
      assert.equal("", complaint)
      local _, told = assert(json.decode(text))
      assert.equal("no server that is alive serves queue critical: see `mooncrew server ls`", told.warning)
      servers = nil
      assert.equal(0, (run("enqueue", "a")))
    end)

    it("puts in quotes what is no word", function()
      answer = { { id = "a\nb", queue = "default", state = "pending" } }
      local _, text = run("enqueue", "a")
      assert.equal('enqueued task id="a\\nb" queue=default state=pending\n', text)
    end)

    it("prints a failure as JSON when JSON was asked for", function()
      answer = { nil, "a task with this id exists", "TASK_ID_CONFLICT" }
      local code, text, complaint = run("enqueue", "a", "--task-id", "x", "--json")
      assert.equal(1, code)
      assert.equal('{"code":"TASK_ID_CONFLICT","error":"a task with this id exists"}\n', text)
      assert.equal("a task with this id exists (TASK_ID_CONFLICT)", complaint)
      code, text = run("enqueue", "a", "--max-retry", "x", "--json")
      assert.equal(2, code)
      assert.equal('{"code":"USAGE","error":"--max-retry: must be a whole number, not \'x\'"}\n', text)
      code, text = run("enqueue", "--json")
      assert.equal(2, code)
      assert.equal('{"code":"USAGE","error":"missing argument \'TYPE\'; see `mooncrew enqueue --help`"}\n', text)
    end)

    it("hands raw payloads on as they are when the script wants them raw", function()
      write("scripts/mail.lua", MAIL)
      assert.equal(0, (run("enqueue", "bytes:jpeg", "{x")))
      assert.equal("{x", sent.payload)
    end)

    it("reads the payload from a file", function()
      write("payload.json", "[1, 2]\n")
      assert.equal(0, (run("enqueue", "a", "@payload.json")))
      assert.equal("[1,2]", sent.payload)
      local code, _, complaint = run("enqueue", "a", "@nowhere.json")
      assert.equal(1, code)
      assert.equal("cannot read the payload: nowhere.json: No such file or directory", complaint)
      assert.equal("cannot read the payload: behind @ comes the name of a file", (select(3, run("enqueue", "a", "@"))))
    end)

    it("fails when the scripts do not load, and can do without them", function()
      write("scripts/bad.lua", "x.y = 1")
      local code, _, complaint = run("enqueue", "a")
      assert.equal(1, code)
      assert.equal("scripts/bad.lua:1: attempt to index global 'x' (a nil value) "
        .. "(--no-scripts enqueues without looking at the scripts)", complaint)
      assert.equal(0, (run("enqueue", "a", "--no-scripts")))
    end)

    it("fails with the reason and the code when it is refused", function()
      answer = { nil, "a task with this id exists", "TASK_ID_CONFLICT" }
      local code, _, complaint = run("enqueue", "a", "--task-id", "x")
      assert.equal(1, code)
      assert.equal("a task with this id exists (TASK_ID_CONFLICT)", complaint)
      assert.is_true(sent.closed)
    end)

    it("calls a bad option wrong usage", function()
      local function refuses(message, ...)
        local code, _, complaint = run("enqueue", "a", ...)
        assert.equal(2, code)
        assert.equal(message, complaint)
      end
      refuses("--max-retry: must be a whole number, not 'x'", "--max-retry", "x")
      refuses("--deadline: '2001-01-31T12:00:00Z' is in the past", "--deadline", "2001-01-31T12:00:00Z")
      refuses("--process-at: 'soon' is no time: write 2030-01-31T12:00:00Z or unix seconds", "--process-at", "soon")
      refuses("--header must be NAME=VALUE, not 'x'", "--header", "x")
      answer = { nil, "timeout: 'x' is no duration", "INVALID_ARGUMENT" }
      refuses("timeout: 'x' is no duration (INVALID_ARGUMENT)", "--timeout", "x")
    end)

    it("refuses a prefix", function()
      write("scripts/mail.lua", MAIL)
      local code, _, complaint = run("enqueue", "bytes:*")
      assert.equal(2, code)
      assert.equal('"bytes:*" stands for many types: name one of them', complaint)
    end)
  end)

  describe("stats", function()
    before_each(function() servers = {} end)

    local queue = { name = "low", paused = true, pending = 5, active = 1, scheduled = 2, retry = 3, archived = 4,
      completed = 6, aggregating = 7, processed_today = 8, failed_today = 9, processed = 10, failed = 11,
      latency_ms = 1500, failing_folds = 12 }

    it("prints a line per queue, and the servers", function()
      answer = { { queues = { queue }, servers = { "host:1:x" } } }
      local code, text = run("stats")
      assert.equal(0, code)
      assert.truthy(text:find("^QUEUE  PENDING  ACTIVE  SCHEDULED  RETRY  ARCHIVED  COMPLETED  GROUPED  "))
      assert.truthy(text:find("\nlow +5 +1 +2 +3 +4 +6 +7 +8 +9 +1%.5 s +12 +paused\nservers: host:1:x\n$"))
    end)

    it("says so when there is nothing", function()
      answer = { { queues = {}, servers = {} } }
      local _, text = run("stats")
      assert.equal("no queue yet: the first task that is enqueued makes one\nservers: none\n", text)
      _, text = run("stats", "--json")
      assert.equal('{"queues":[],"servers":[]}\n', text)
    end)

    it("fails when Redis does not answer", function()
      answer = { nil, "cannot reach Redis", "UNAVAILABLE" }
      local code, _, complaint = run("stats")
      assert.equal(1, code)
      assert.equal("cannot reach Redis (UNAVAILABLE)", complaint)
    end)
  end)

  describe("config", function()
    it("prints every value with its source, and no secret", function()
      write("mooncrew.lua", 'return { redis = "redis://me:hunter2@h", queues = { a = 2, b = 1 } }')
      local code, text = run("config", "--workers", "3")
      assert.equal(0, code)
      assert.truthy(text:find("\nworkers +3 +%-%-workers\n"))
      assert.truthy(text:find("\nredis +redis://h:6379/0 +mooncrew.lua\n"))
      assert.truthy(text:find("\nprefetch +32 +default\n"))
      assert.falsy(text:find("hunter2"))
    end)

    it("prints what was understood, not what was written", function()
      local _, text = run("config", "--strict", "--shutdown-timeout", "3", "--queues", " a=02 , b", "--workers", "03")
      assert.truthy(text:find("\nstrict +true +%-%-strict\n"))
      assert.truthy(text:find("\nshutdown_timeout +3s +%-%-shutdown%-timeout\n"))
      assert.truthy(text:find("\nqueues +a=2,b=1 +%-%-queues\n"))
      assert.truthy(text:find("\nworkers +3 +%-%-workers\n"))
    end)

    it("prints JSON with numbers and queues as such", function()
      local _, text = run("config", "--json", "-q", "a=2", "-q", "b", "--strict")
      local _, values = assert(json.decode(text))
      assert.same({ value = { a = 2, b = 1 }, source = "-q" }, values.queues)
      assert.same({ value = 2, source = "default" }, values.workers)
      assert.same({ value = true, source = "--strict" }, values.strict)
      assert.same({ value = "8s", source = "default" }, values.shutdown_timeout)
    end)
  end)

  it("tells the versions", function()
    local code, text = run("version")
    assert.equal(0, code)
    assert.equal(text, (select(2, run("--version"))))
    assert.truthy(text:find("^mooncrew %d+%.%d+%.%d+ %(LuaJIT .*, libuv .*, hiredis .*, protobuf%-c .*, OpenSSL .*, "
      .. "PCRE2 .*%)\n$"))
  end)

  it("answers help and wrong usage with 0 and 2", function()
    assert.equal(0, (run("--help")))
    assert.equal(0, (run("help", "run")))
    local code, text, complaint = run("help", "bogus")
    assert.equal(2, code)
    assert.equal("", text)
    assert.equal("there is no command 'bogus'; `mooncrew help` lists them", complaint)
  end)
end)
