-- What waits leaves no handle behind: after many tasks, half of which were stopped in mid-wait, the worker's loop has
-- as many handles as before.
local HttpServer = require "http_server"
local Postgres = require "postgres_server"
local Sink = require "smtp_sink"
local uv = require "luv"
local with_crew = require("support").with_crew

local TASKS = 60
local KEPT_TIMERS = 256 -- MC_TIMERS_IDLE_MAX

-- What handlers wait with: Lua that ends soon (quick) or would wait for long (slow), and what stands before. To add a
-- kind is to add a row; `setup(crew)` may start what it needs, and returns what %s in the Lua stands for, and a
-- function that waits until what is kept for the next ones is gone.
local KINDS = {
  sleep = { quick = "crew.sleep(0.01)", slow = "crew.sleep(600)" },
  gather = {
    quick = "crew.gather(function() crew.sleep(0.01) end, function() crew.sleep(0) end)",
    slow = [[crew.gather(function() crew.sleep(600) end, function()
      crew.gather(function() crew.sleep(600) end, function() crew.sleep(0.01) end)
    end)]],
  },
  exec = {
    quick = [[assert(crew.exec({ "cat" }, { stdin = "text" }).stdout == "text") ]],
    slow = [[crew.exec { "sh", "-c", "sleep 1000 & sleep 1000" } ]],
  },
  ["luv's processes"] = {
    before = [[
      local uv = require "luv"
      local function wait_for(seconds)
        crew.async.await(function(resume)
          assert(uv.spawn("sleep", { args = { seconds } }, resume))
        end)
      end]],
    quick = [[wait_for "0.01"]],
    slow = [[wait_for "1000"]],
  },
  luv = {
    before = [[
      local uv = require "luv"
      local sockets = 0
      local function wait_for(ms)
        local timer, pipe = uv.new_timer(), uv.new_pipe(false)
        local server = uv.new_tcp()
        server:bind("127.0.0.1", 0)
        server:listen(1, function() end)
        sockets = sockets + 1
        pipe:bind(here .. "/socket" .. sockets)
        crew.async.await(function(resume)
          timer:start(ms, 0, resume)
          return function() timer:stop() end
        end)
      end]],
    quick = "wait_for(10)",
    slow = "wait_for(600000)",
  },
  http = {
    setup = function(crew)
      local server = HttpServer.start(crew.folder)
      crew:finally(function() server:stop() end)
      return server.url
    end,
    quick = [[assert(crew.http.get("%s/data?n=100000"))]],
    slow = [[crew.http.get("%s/wait?s=600", { timeout = 0 })]],
  },
  mail = {
    setup = function(crew)
      local folder = crew.folder .. "/mails"
      assert(uv.fs_mkdir(folder, tonumber("700", 8)))
      local sink = Sink.start(folder)
      crew:finally(function() sink:stop() end)
      return sink.url
    end,
    before = [[
      local function send(to, timeout)
        return crew.mail.send { from = "ada@example.org", to = to, subject = "s", text = "t",
          smtp = { url = "%s", timeout = timeout } }
      end]],
    quick = [[assert(send("bob@example.org", "10s"))]],
    slow = [[send("slow@example.org", "10m")]],
  },
  redis = {
    setup = function(crew) return crew.server:url() end,
    before = [[
      local shared = crew.redis.open "%s"
      local function wait_alone()
        crew.redis.open("%s", { exclusive = true, timeout = "10m" }):call("BLPOP", "nothing", 0)
      end]],
    quick = [[assert(shared:call "PING" == "PONG")]],
    slow = "wait_alone()",
  },
  postgres = Postgres.installed() and {
    setup = function(crew)
      local server = Postgres.new({ settings = { "max_connections=100" } }):start()
      crew:finally(function() server:destroy() end)
      return server:url(), function() -- how many are kept depends on how many were wanted at a time
        crew:wait_until("the idle connections are closed", 30, function()
          local left = server:psql "SELECT count(*) FROM pg_stat_activity WHERE datname = 'postgres'"
          return tonumber(left) == 1, left
        end)
      end
    end,
    before = ([[local db = crew.postgres.open("%%s", { pool = %d, timeout = "10m", idle_timeout = "1s" })]])
      :format(TASKS),
    quick = [[assert(db:query("SELECT 1").rows)]],
    slow = [[db:query("SELECT pg_sleep(600)")]],
  } or nil,
}

local SCRIPT = [[
local worker = require "mooncrew.native_worker"
%s
crew.task("count", { perform = function(_, task) note("count", task.id, worker.handles()) end })
crew.task("quick", { perform = function() %s end })
crew.task("slow", { perform = function(_, task) note("waits", task.id) %s end })
crew.task("retried", { perform = function() end })
]]

-- The number of open handles, asked by a task that runs alone. A process that was killed needs a moment to be gone.
local function settled_handles(crew, queue, wanted)
  local asked = 0
  return crew:wait_until("the handles are closed", 20, function()
    asked = asked + 1
    local id = ("count%d-%s-%d"):format(asked, wanted or "first", crew.notes:count "count")
    queue:add { type = "count", id = id }
    local entry = crew:wait_until("they are counted", 20, function()
      for _, entry in ipairs(crew.notes:all "count") do
        if entry[2] == id then return entry end
      end
    end)
    local count = tonumber(entry[3])
    return (not wanted or count <= wanted) and count, ("%d, not %s"):format(count, tostring(wanted))
  end)
end

-- Tasks that end well, that time out in mid-wait, and that are cancelled there.
local function add_tasks(queue)
  local cancelled = {}
  for i = 1, TASKS do
    if i % 2 == 0 then
      queue:add { type = "quick" }
    elseif i % 4 == 1 then
      queue:add { type = "slow", timeout = 1, retry = 0 }
    else
      cancelled[#cancelled + 1] = queue:add { type = "slow", retry = 0 }
    end
  end
  return cancelled, TASKS / 2
end

-- As many as there are slots, all at once: what a worker makes for each slot is made, however fast the others come.
local function fill_slots(queue)
  return queue:add_many(TASKS, function() return { type = "slow", retry = 0 } end), TASKS
end

local function run(crew, queue, add)
  local waited = crew.notes:count "waits"
  local cancelled, waiting = add(queue)
  crew:wait_until("all slow ones wait", 30, function()
    return crew.notes:count "waits" >= waited + waiting
  end)
  for _, id in ipairs(cancelled) do
    crew.redis:call("PUBLISH", "asynq:cancel", id)
  end
  crew:wait_until("all have ended", 30, function()
    local counts = queue:counts()
    return counts.active == 0 and counts.pending == 0, ("%d active"):format(counts.active)
  end)
end

describe("no handle is left behind by", function()
  if not Postgres.installed() then pending "postgres: PostgreSQL is not installed" end
  for name, kind in pairs(KINDS) do
    it(name, with_crew(function(crew)
      local given, rest
      if kind.setup then given, rest = kind.setup(crew) end
      local function lua(text)
        return given and text:gsub("%%s", given) or text
      end
      crew:script("t.lua", SCRIPT:format(lua(kind.before or ""), lua(kind.quick), lua(kind.slow)))
      local queue = crew:queue()
      crew:run { concurrency = TASKS }
      run(crew, queue, fill_slots) -- what is kept and used again is made: timers of slots, of sleeps
      run(crew, queue, add_tasks)
      if rest then rest() end
      local before = settled_handles(crew, queue)
      run(crew, queue, add_tasks)
      if rest then rest() end
      settled_handles(crew, queue, before)
    end))
  end
end)

describe("the timers of many sleeps at a time", function()
  it("are closed when they are over, but for a few hundred", with_crew(function(crew)
    crew:script("t.lua", SCRIPT:format("", "", [[
      local sleeps = {}
      for i = 1, 5000 do sleeps[i] = function() crew.sleep(1) end end
      crew.gather(sleeps)
      note "ended"]]))
    local queue = crew:queue()
    crew:run { workers = 1 }
    local before = settled_handles(crew, queue)
    for round = 1, 2 do
      queue:add { type = "slow" }
      crew:wait_until("all sleeps are over", 30, function() return crew.notes:count "ended" == round end)
      settled_handles(crew, queue, before + KEPT_TIMERS)
    end
  end))
end)
