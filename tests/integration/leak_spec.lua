-- A worker that has run very many tasks of all kinds is no larger than one that has run some.
local HttpServer = require "http_server"
local with_crew = require("support").with_crew

local ROUNDS, ROUND = 5, 20000
local KINDS = 10 -- kinds of tasks in a round, taken in turns
local REACHING_OUT = { "gather", "http", "exec", "redis", "luv" } -- one in a hundred is of these

-- Each kind ends in another way, or waits for something else.
local SCRIPT = [[
  local schema = crew.schema
  local ran = {}

  local function kind(name, perform, more)
    more = more or {}
    more.perform = perform
    crew.task("kind:" .. name, more)
  end

  kind("0", function() return { a = 1, list = { 1, 2, 3 } } end, { retention = "1s" })
  kind("1", function() error "no luck" end)
  kind("2", function(_, task) task:skip_retry "hopeless" end)
  kind("3", function(_, task) task:revoke "not wanted" end)
  kind("4", function(payload) return #payload.text end,
    { payload = schema.object { text = schema.string { min_length = 1000, pattern = "^x+$" } } })
  kind("5", function() crew.sleep(0.002) end)
  kind("6", function(_, task) assert(task:enqueue("kind:3", nil, { queue = "low" })) end)
  kind("7", function() pcall(error, {}); crew.sleep(0); return ("y"):rep(1000) end)
  kind("8", function(_, task) task.log:debug("seen", { headers = task.headers }); error { message = "a table" } end)
  kind("9", function() coroutine.wrap(function() coroutine.yield() end)() end)

  kind("gather", function()
    crew.gather(function() crew.sleep(0.001) end, function() return 1 end)
    pcall(crew.gather, function() crew.sleep(10) end, function() error "first" end)
  end)
  kind("http", function() assert(crew.http.get("HTTP/data?n=5000", { headers = { a = "b" } })) end)
  kind("exec", function() assert(crew.exec({ "cat" }, { stdin = ("z"):rep(5000) })) end)
  local redis = crew.redis.open "REDIS"
  kind("redis", function() assert(redis:pipeline { { "SET", "leak", ("v"):rep(500) }, { "GET", "leak" } }) end)
  kind("luv", function()
    local uv = require "luv"
    local pipe = uv.new_pipe(false)
    pcall(pipe.connect, pipe, "/nowhere", function() end)
    local size = crew.async.await(function(resume)
      uv.fs_stat("/etc/passwd", function(_, stat) resume(stat.size) end)
    end)
    assert(size > 0)
  end)

  -- What the process has in use: C's heap (the sanitizer's, where one is in place) and Lua's.
  local function bytes_in_use()
    pcall(ffi.cdef, "typedef struct { size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks,"
      .. " fordblks, keepcost; } leak_mallinfo; leak_mallinfo mallinfo2(void);"
      .. " size_t __sanitizer_get_current_allocated_bytes(void);")
    local ok, bytes = pcall(function() return ffi.C.__sanitizer_get_current_allocated_bytes() end)
    if not ok then
      local info = ffi.C.mallinfo2()
      bytes = info.uordblks + info.hblkhd
    end
    return tonumber(bytes)
  end

  crew.task("measure", { perform = function(payload)
    collectgarbage()
    collectgarbage()
    note("measured", payload, collectgarbage "count" * 1024, bytes_in_use())
  end })
]]

local function measure(crew, queue, round)
  queue:add { type = "measure", payload = tostring(round) }
  crew:wait_until("the worker is measured", 30, function() return crew.notes:count "measured" == round end)
  local entry = crew.notes:all("measured")[round]
  return { lua = tonumber(entry[3]), c = tonumber(entry[4]) }
end

local TEXT = { text = ("x"):rep(1000) }

local function enqueue_round(client)
  local tasks = {}
  for i = 1, ROUND do
    local name = i % 100 == 0 and REACHING_OUT[i / 100 % #REACHING_OUT + 1] or tostring(i % KINDS)
    tasks[i] = { "kind:" .. name, name == "4" and TEXT or nil, { max_retry = 0, retention = name == "0" and 1 or nil } }
  end
  for _, result in ipairs(client:enqueue_many(tasks)) do
    assert(result.ok, result.error)
  end
end

describe("a worker", function()
  it("that runs 100,000 mixed tasks does not grow", with_crew(function(crew)
    local server = HttpServer.start(crew.folder)
    crew:finally(function() server:stop() end)
    crew:script("kinds.lua", (SCRIPT:gsub("HTTP", server.url):gsub("REDIS", crew.server:url())))
    local queue, low = crew:queue(), crew:queue "low"
    local client = assert(require("mooncrew").client(crew.server:url(), { timeout = "60s" }))
    local node = crew:run { log_level = "error", queues = { default = 1, low = 1 } }
    local sizes = {}
    for round = 1, ROUNDS do
      enqueue_round(client)
      crew:wait_counts(queue, 120, { processed = round * ROUND + round - 1, active = 0, pending = 0 })
      crew:wait_counts(low, 30, { active = 0, pending = 0 })
      sizes[round] = measure(crew, queue, round)
    end
    assert.equal(1, #node:workers())
    local first, last = sizes[2], sizes[ROUNDS]
    print(("measured: in use after %d tasks: Lua %.0f KB, C %.0f KB; after %d: Lua %.0f KB, C %.0f KB"):format(
      2 * ROUND, first.lua / 1024, first.c / 1024, ROUNDS * ROUND, last.lua / 1024, last.c / 1024))
    assert.is_true(last.lua - first.lua < 256 * 1024, "Lua's heap grows")
    assert.is_true(last.c - first.c < 256 * 1024, "C's heap grows")
  end))
end)
