-- The inspector's command line, with the real binary over a real Redis.
local Node = require "node"
local Process = require "process"
local Terminal = require "terminal"
local cjson = require "cjson"
local message = require "message"
local uv = require "luv"
local with_crew = require("support").with_crew

local LATER = 4102444800 -- 2100-01-01

-- Puts a task into one of the sorted sets as asynq does.
local function place(queue, state, task, score)
  task = queue:prepare(task)
  local hash = { "HSET", queue:key("t:" .. task.id), "msg", message.encode_task(task), "state", state }
  if state == "aggregating" then
    hash[#hash + 1], hash[#hash + 2] = "group", task.group_key
  end
  local set = state == "aggregating" and "g:" .. task.group_key or state
  local commands = { { "SADD", "asynq:queues", queue.name }, hash, { "ZADD", queue:key(set), score, task.id } }
  if state == "aggregating" then
    commands[#commands + 1] = { "SADD", queue:key "groups", task.group_key }
  end
  for _, reply in ipairs(queue.redis:pipeline(commands)) do
    assert(type(reply) ~= "table", type(reply) == "table" and reply.error)
  end
  return task.id
end

local function archive_many(queue, count)
  local commands = { { "SADD", "asynq:queues", queue.name } }
  for i = 1, count do
    local task = queue:prepare { type = "t" }
    commands[#commands + 1] = { "HSET", queue:key("t:" .. task.id), "msg", message.encode_task(task),
      "state", "archived" }
    commands[#commands + 1] = { "ZADD", queue:key "archived", i, task.id }
  end
  queue.redis:pipeline(commands)
end

-- Runs a command that must succeed; returns what it printed, decoded where --json was asked for.
local function done(crew, ...)
  local args = { ... }
  local code, text = crew:command(args)
  assert.equal(0, code, text)
  return args[#args] == "--json" and cjson.decode(text) or text
end

local function fails(crew, exit_code, pattern, ...)
  local code, text = crew:command { ... }
  assert.equal(exit_code, code, text)
  assert.matches(pattern, text)
  assert.equal(1, select(2, text:gsub("\n", "")), "an error is one line: " .. text)
end

-- The command in a terminal of its own.
local function in_terminal(crew, ...)
  local terminal = Terminal.start(Node.program, {
    args = { ... }, cwd = crew.folder, env = { MOONCREW_REDIS = crew.server:url() },
  })
  crew:finally(function() terminal:close() end)
  return terminal
end

-- The command with its two outputs in files.
local function start_into(crew, args, out, err)
  local descriptors = { nil, assert(uv.fs_open(out, "w", 0)), assert(uv.fs_open(err, "w", 0)) }
  local process = Process.start(Node.program, {
    args = args, cwd = crew.folder, env = { MOONCREW_REDIS = crew.server:url() }, stdio = descriptors,
  })
  crew:finally(function() if process:alive() then process:kill() end end)
  uv.fs_close(descriptors[2])
  uv.fs_close(descriptors[3])
  return process
end

local function contents(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

local function shows(crew, terminal, text)
  crew:wait_until("the terminal shows " .. text, 20, function()
    return terminal:text():find(text, 1, true), terminal:text()
  end)
end

describe("mooncrew queue", function()
  it("ls and inspect tell what lies in Redis", with_crew(function(crew)
    assert.equal("no queue yet: the first task that is enqueued makes one\n", done(crew, "queue", "ls"))
    local queue, low = crew:queue(), crew:queue "low"
    queue:add_many(3, function() return { type = "t" } end)
    place(low, "archived", { type = "t" }, 1)
    crew.redis:call("SET", low:key "paused", 1)
    local listed = done(crew, "queue", "ls", "--json").queues
    assert.equal(2, #listed)
    assert.same({ "default", 3, false, "low", 1, true }, { listed[1].name, listed[1].pending, listed[1].paused,
      listed[2].name, listed[2].archived, listed[2].paused })
    assert.matches("\nlow +0 +0 +0 +0 +1 .* paused\n", done(crew, "queue", "ls"))
    local one = done(crew, "queue", "inspect", "default", "--days", "2", "--json")
    assert.equal(3, one.size)
    assert.equal(2, #one.history)
    assert.matches("^queue +default\npaused +no\ntasks +3\n", done(crew, "queue", "inspect", "default"))
    fails(crew, 1, "nope.*%(NOT_FOUND%)", "queue", "inspect", "nope")
  end))

  it("pause and unpause are what a worker goes by", with_crew(function(crew)
    crew:script("t.lua", [[ crew.task("t", { perform = function(_, task) note("ran", task.id) end }) ]])
    local queue = crew:queue()
    local id = queue:add { type = "t" }
    done(crew, "queue", "pause", "default")
    fails(crew, 1, "%(WRONG_STATE%)", "queue", "pause", "default")
    local node = crew:run()
    node:wait_log(20, { event = "connected to redis" })
    local sent = queue:add { type = "t" }
    assert.equal(2, queue:counts().pending)
    done(crew, "queue", "unpause", "default")
    crew:wait_until("both have run", 20, function()
      local ran = crew.notes:tally "ran"
      return ran[id] and ran[sent]
    end)
    fails(crew, 1, "%(WRONG_STATE%)", "queue", "unpause", "default")
  end))

  it("rm refuses a queue with tasks, asks, and removes it by force", with_crew(function(crew)
    local low = crew:queue "low"
    place(low, "archived", { type = "t" }, 1)
    fails(crew, 1, "%(NOT_EMPTY%)", "queue", "rm", "low", "--yes")
    fails(crew, 2, "add %-%-yes", "queue", "rm", "low", "--force")
    assert.equal(1, low:counts().archived)
    assert.equal("removed queue low, and 1 task with it\n", done(crew, "queue", "rm", "low", "--force", "--yes"))
    assert.same({}, crew.redis:call("KEYS", "asynq:{low}*"))
    assert.same({}, done(crew, "queue", "ls", "--json").queues)
  end))
end)

describe("mooncrew task", function()
  it("ls goes through a state page by page, each task once", with_crew(function(crew)
    local queue, wanted, seen = crew:queue(), {}, {}
    for i = 1, 70 do
      wanted[i] = place(queue, "scheduled", { type = "t", id = ("id%02d"):format(i) }, LATER + math.floor(i / 10))
    end
    local cursor
    repeat
      local page = done(crew, "task", "ls", "--state", "scheduled", "--size", "30",
        unpack(cursor and { "--after", cursor, "--json" } or { "--json" }))
      assert.equal(70, page.total)
      for _, task in ipairs(page.tasks) do
        seen[#seen + 1] = task.id
      end
      cursor = page.next
    until not cursor
    assert.same(wanted, seen)
    local text = done(crew, "task", "ls", "--state", "scheduled", "--page", "3", "--size", "30")
    assert.matches("^ID +TYPE +PAYLOAD +DUE\nid61 ", text)
    assert.matches("\n10 of 70 scheduled tasks in queue default\n$", text)
  end))

  it("inspect tells everything, wherever the task is", with_crew(function(crew)
    local low = crew:queue "low"
    crew:queue():add { type = "other" }
    place(low, "retry", { id = "r", type = "mail:send", payload = '{"to":["ada"]}', retried = 3, error_msg = "no route",
      last_failed_at = 1896091200, headers = { trace = "abc" } }, LATER)
    place(low, "completed", { id = "c", type = "t", payload = "\0\255", retention = 60, completed_at = 1896091200 },
      LATER)
    crew.redis:call("HSET", low:key "t:c", "result", '{"n":1700000000123456}')
    local text = done(crew, "task", "inspect", "r")
    assert.matches("^id +r\nqueue +low\nstate +retry\ntype +mail:send\ndue +2100%-01%-01T00:00:00Z %(in ", text)
    assert.matches("\nretried +3 of 25\ntimeout +30m\n", text)
    assert.matches("\nlast error +no route\nheader trace +abc\n", text)
    assert.matches('\npayload %(json, 14 B%):\n{\n  "to": %[\n    "ada"\n  %]\n}\n$', text)
    local task = done(crew, "task", "inspect", "c", "--queue", "low", "--json")
    assert.same({ "completed", "00ff", "2030-01-31T12:00:00Z", 1700000000123456 },
      { task.state, task.payload_hex, task.completed_at, task.result.n })
    fails(crew, 1, 'no queue has a task "x"', "task", "inspect", "x")
    crew:queue():add { type = "t", id = "r" }
    fails(crew, 1, "queues default, low: say which one is meant with %-%-queue", "task", "inspect", "r")
  end))

  it("run, archive and rm move the tasks that are named", with_crew(function(crew)
    local queue = crew:queue()
    place(queue, "archived", { id = "a", type = "t" }, 1)
    place(queue, "scheduled", { id = "s", type = "t" }, LATER)
    place(queue, "aggregating", { id = "g", type = "t", group_key = "grp" }, 1)
    assert.equal("queued task a in queue default\nqueued task g in queue default\n",
      done(crew, "task", "run", "a", "g"))
    done(crew, "task", "archive", "s")
    assert.same({ a = { "pending" }, g = { "pending" }, s = { "archived" } }, queue:places())
    fails(crew, 1, "%(WRONG_STATE%)", "task", "run", "a")
    fails(crew, 2, "add %-%-yes", "task", "rm", "a")
    local code, text = crew:command { "task", "rm", "a", "s", "--yes" }
    assert.equal(0, code, text)
    assert.same({ g = { "pending" } }, queue:places())
    assert.is_nil(queue:task "a")
  end))

  it("rm --all asks in a terminal, shows how far it is, and deletes all of a state", with_crew(function(crew)
    local queue = crew:queue()
    archive_many(queue, 2500)
    place(queue, "retry", { id = "other", type = "t" }, LATER)
    local words = { "task", "rm", "--all", "--queue", "default", "--state", "archived" }
    local refused = in_terminal(crew, unpack(words))
    shows(crew, refused, "delete all archived tasks in queue default (2,500 now)? [y/N] ")
    refused:type "n\n"
    shows(crew, refused, "nothing was done")
    assert.equal(1, (refused.process:wait(20)))
    assert.equal(2500, queue:counts().archived)
    local terminal = in_terminal(crew, unpack(words))
    shows(crew, terminal, "[y/N] ")
    terminal:type "y\n"
    shows(crew, terminal, "deleted 2,500 archived tasks in queue default")
    assert.equal(0, (terminal.process:wait(20)))
    assert.truthy(terminal:text():find("deleting: 1,000 of 2,500", 1, true), terminal:text())
    assert.same({ other = { "retry" } }, queue:places())
    fails(crew, 2, "needs to know of what", "task", "run", "--all", "--state", "retry")
    fails(crew, 1, "are being worked on: cancel them instead %(WRONG_STATE%)\n$",
      "task", "rm", "--all", "-q", "default", "--state", "active", "-y")
    assert.equal("queued 1 retry task in queue default\n",
      done(crew, "task", "run", "--all", "-q", "default", "--state", "retry", "-y"))
    assert.equal("archived 1 pending task in queue default\n",
      done(crew, "task", "archive", "--all", "-q", "default", "--state", "pending", "-y"))
    assert.same({ other = { "archived" } }, queue:places())
  end))

  it("rm --all tells a log how far it is, and leaves standard output to the JSON", with_crew(function(crew)
    local queue, proxy = crew:queue(), crew:proxy()
    archive_many(queue, 2500)
    proxy:hold_at(queue:key "mc_fold_failures") -- the first deleting call of three takes as long as the test wants
    local out, err = crew:file("out", ""), crew:file("err", "")
    local process = start_into(crew, { "task", "rm", "--all", "--queue", "default", "--state", "archived", "--yes",
      "--json", "--redis", proxy:url() }, out, err)
    crew:wait_until("tasks are to be deleted", 20, function() return proxy.held, contents(err) end)
    local held_at = uv.hrtime()
    crew:wait_until("more than a second has passed", 20, function() return uv.hrtime() > held_at + 1.1e9 end)
    proxy:let_go()
    assert.equal(0, (process:wait(20)))
    assert.equal('{"count":2500,"queue":"default","state":"archived"}\n', contents(out))
    assert.matches("^deleting: 1,000 of 2,500\n[^\r\27]*$", contents(err))
  end))

  it("cancel stops a running handler, and says the state of what does not run", with_crew(function(crew)
    fails(crew, 1, 'no queue has a task "x"', "task", "cancel", "x")
    crew:queue("other"):add_grouped("g", 1, function() return { type = "t", id = "grouped" } end)
    crew:script("slow.lua", [[ crew.task("slow", { perform = function() note "started" crew.sleep(60) end }) ]])
    local queue = crew:queue()
    local id = queue:add { type = "slow" }
    crew:run()
    crew:wait_until("the handler runs", 20, function() return crew.notes:count "started" == 1 end)
    fails(crew, 1, "task grouped is aggregating in queue other", "task", "cancel", "grouped")
    assert.equal("asked 1 server to cancel task " .. id .. "\n", done(crew, "task", "cancel", id))
    crew:wait_counts(queue, 20, { retry = 1, active = 0 })
    assert.equal("context canceled", queue:task(id).message.error_msg)
  end))

  it("update gives a waiting task another payload", with_crew(function(crew)
    crew:script("t.lua", [[ crew.task("t", { perform = function(payload) note("ran", payload.n) end }) ]])
    local queue = crew:queue()
    local id = place(queue, "scheduled", { type = "t", payload = '{"n":1}' }, LATER)
    fails(crew, 1, "%(INVALID_PAYLOAD%)", "task", "update", id, "{n")
    done(crew, "task", "update", id, crew:file("payload.json", '{ "n": 2 }') and "@payload.json")
    assert.equal('{"n":2}', queue:task(id).message.payload)
    done(crew, "task", "run", id)
    crew:run()
    crew:wait_until("it has run", 20, function() return crew.notes:count "ran" == 1 end)
    assert.equal("2", crew.notes:all("ran")[1][2])
  end))
end)

describe("mooncrew", function()
  -- Protobuf of a few texts and a Timestamp, as Go's scheduler writes them.
  local function text(number, value)
    return string.char(number * 8 + 2, #value) .. value
  end

  it("cron ls and history tell what Go's scheduler wrote", with_crew(function(crew)
    local key = "asynq:schedulers:{h:1:u}"
    local next_at = text(6, string.char(8, 0x80, 0x9d, 0x90, 0x88, 0x07)) -- 1896091264
    crew.redis:call("RPUSH", key, text(1, "e1") .. text(2, "@every 1m") .. text(3, "report") .. text(4, '{"a":1}')
      .. text(5, 'Queue("low")') .. next_at)
    crew.redis:call("ZADD", "asynq:schedulers", LATER, key)
    crew.redis:call("ZADD", "asynq:scheduler_history:e1", 1896091200, text(1, "task1"))
    local entry = done(crew, "cron", "ls", "--json").entries[1]
    assert.same({ "e1", "@every 1m", "report", 1, 'Queue("low")' },
      { entry.id, entry.spec, entry.type, entry.payload.a, entry.options[1] })
    assert.equal("2030-01-31T12:01:04Z", entry.next_at)
    assert.matches("\ne1 +@every 1m +report +in ", done(crew, "cron", "ls"))
    assert.matches("\ntask1 ", done(crew, "cron", "history", "e1"))
  end))

  it("server ls tells who is alive and what they work on", with_crew(function(crew)
    assert.equal("no server is alive: start one with `mooncrew run`\n", done(crew, "server", "ls"))
    crew:script("slow.lua", [[ crew.task("slow", { perform = function() note "started" crew.sleep(60) end }) ]])
    local id = crew:queue():add { type = "slow" }
    local node = crew:run { queues = { default = 2, low = 1 } }
    local server = crew:wait_until("the server tells that it works on the task", 20, function()
      local servers = done(crew, "server", "ls", "--json").servers
      return servers[1] and servers[1].workers[1] and servers[1]
    end)
    assert.same({ node.pid, 50, { default = 2, low = 1 }, "active", id },
      { server.pid, server.concurrency, server.queues, server.status, server.workers[1].task_id })
    assert.matches("\n[^\n]+:" .. node.pid .. " +" .. id:gsub("%p", "%%%0") .. " +slow +default ",
      done(crew, "server", "ls", "--tasks"))
  end))

  it("group ls lists the groups of all queues", with_crew(function(crew)
    place(crew:queue(), "aggregating", { type = "t", group_key = "g1" }, 1)
    place(crew:queue "low", "aggregating", { type = "t", group_key = "g2" }, 1)
    assert.equal("QUEUE    GROUP  TASKS\ndefault  g1         1\nlow      g2         1\n", done(crew, "group", "ls"))
    assert.matches("^QUEUE +GROUP +TASKS\nlow ", done(crew, "group", "ls", "--queue", "low"))
    local _, listed = crew:command { "task", "ls", "--state", "aggregating", "--group", "g1" }
    assert.matches("\n1 of 1 aggregating task in queue default\n$", listed)
  end))

  it("wait gives the result, or says why there is none", with_crew(function(crew)
    crew:script("t.lua", [[
      crew.task("fine", { perform = function() crew.sleep(0.3) return { n = 1 } end })
      crew.task("bad", { perform = function(_, task) task:skip_retry "no such user" end })
    ]])
    local queue = crew:queue()
    queue:add { type = "fine", id = "kept", retention = 60 }
    queue:add { type = "fine", id = "gone" }
    queue:add { type = "bad", id = "bad" }
    place(queue, "scheduled", { id = "later", type = "fine" }, LATER)
    crew:run()
    assert.same({ n = 1 }, done(crew, "wait", "kept", "--json").result)
    assert.equal('{\n  "n": 1\n}\n', done(crew, "wait", "kept"))
    fails(crew, 1, "no such user.*%(ARCHIVED%)", "wait", "bad")
    fails(crew, 1, "%(GONE%)", "wait", "gone")
    fails(crew, 1, "%(GONE%)", "wait", "gone", "--queue", "default")
    fails(crew, 1, "%(TIMEOUT%)", "wait", "later", "--timeout", "200ms")
    fails(crew, 2, "no duration", "wait", "later", "--timeout", "soon")
  end))

  it("fails in one line when Redis cannot be reached", with_crew(function(crew)
    fails(crew, 1, "%(UNAVAILABLE%)", "queue", "ls", "--redis", "redis+unix:///nowhere/redis.sock")
    fails(crew, 2, "see `mooncrew task ls %-%-help`", "task", "ls", "--state", "done")
    fails(crew, 2, "what to do is missing; `mooncrew task %-%-help` lists it", "task")
  end))
end)
