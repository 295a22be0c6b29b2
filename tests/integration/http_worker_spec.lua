-- crew.http in a real worker: stopped at once when its task is, nothing left behind.
local Process = require "process"
local Server = require "http_server"
local wait = require "wait"
local with_crew = require("support").with_crew

-- Requests in which a time-out of a second is noticed; then what the worker still has open.
local SCRIPT = [[
local native = require "mooncrew.native_worker"
local transfers = require "mooncrew.native_http"
crew.task("stuck", { perform = function(task_url, task)
  note("start", task.id)
  local ok, why, message = pcall(crew.http.get, task_url, { timeout = 0 })
  note("told", task.id, why or message)
  error(why or message, 0)
end })
crew.task("open", { perform = function()
  crew.sleep(0.05) -- closing takes a turn of the loop
  note("open", native.handles(), transfers.stats())
end })
crew.task("get", { perform = function(url)
  local response, message = crew.http.get(url)
  note("got", response and response.status, message)
end })
]]

-- A library that makes names beginning with "slow." resolve in half a minute, built here.
local function slow_names(crew)
  local path = crew.folder .. "/slow_names.so"
  local code, text = Process.run("cc", {
    args = { "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", path, "tests/integration/slow_names.c" },
    output = crew.folder .. "/cc.out",
  }, 60)
  assert(code == 0, text)
  return path
end

local function serve(crew)
  local server = Server.start(crew.folder)
  crew:finally(function() server:stop() end)
  return server
end

local function json_text(text) return '"' .. text .. '"' end

-- What the worker has open now: handles of its loop, transfers, sockets that curl watches.
local function count_open(crew, queue)
  local before = crew.notes:count "open"
  queue:add { type = "open" }
  crew:wait_until("the worker has counted", 20, function() return crew.notes:count "open" == before + 1 end)
  local entry = crew.notes:all("open")[before + 1]
  return { tonumber(entry[2]), tonumber(entry[3]), tonumber(entry[4]) }
end

-- Runs a task that hangs in a request to the url, and checks that its time-out ends it at once.
local function ends_at_once(crew, queue, url)
  local before = count_open(crew, queue)
  local told = crew.notes:count "told"
  queue:add { type = "stuck", payload = json_text(url), timeout = 1, retry = 0 }
  crew:wait_until("the handler was told", 20, function() return crew.notes:count "told" == told + 1 end)
  local started, ended = crew.notes:all("start")[told + 1], crew.notes:all("told")[told + 1]
  assert.matches("context deadline exceeded", ended[3])
  assert.is_true(ended.at_ms - started.at_ms < 2000 * wait.patience, ended.at_ms - started.at_ms .. " ms")
  assert.same(before, count_open(crew, queue), "handles, transfers, sockets")
end

describe("a request of a handler", function()
  it("ends at once with its task: resolving, shaking hands, waiting for the answer", with_crew(function(crew)
    local server = serve(crew)
    crew:script("t.lua", SCRIPT)
    local queue = crew:queue()
    local preload = (os.getenv "LD_PRELOAD" or "") .. ":" .. slow_names(crew)
    local node = crew:run({}, { env = { LD_PRELOAD = preload } })
    local worker = crew:wait_until("a worker runs", 20, function() return node:workers()[1] end)
    ends_at_once(crew, queue, "http://slow.invalid/")
    ends_at_once(crew, queue, server.silent_url)
    ends_at_once(crew, queue, server.url .. "/wait?s=60")
    ends_at_once(crew, queue, (server.silent_url:gsub("http", "https")))
    assert.same({ worker }, node:workers(), "the worker was not killed")
    crew:wait_counts(queue, 20, { archived = 4, active = 0, lease = 0 })
  end))

  it("leaves no handle behind, however it ends", with_crew(function(crew)
    local server = serve(crew)
    crew:script("t.lua", SCRIPT)
    local queue = crew:queue()
    crew:run { concurrency = 20 }
    local ways = { "/echo", "/cut", "/garbage", "/redirect?n=3", "/redirect?n=9", "/wait?s=0.2", "/status?code=500" }
    local function round(number)
      queue:add_many(50 * #ways, function(i)
        return { type = "get", payload = json_text(server.url .. ways[i % #ways + 1]) }
      end)
      crew:wait_until("all have ended", 60, function() return crew.notes:count "got" == 50 * #ways * number end)
      return count_open(crew, queue)
    end
    local first, second, third = round(1), round(2), round(3)
    for _, open in ipairs { first, second, third } do
      assert.same({ 0, 0 }, { open[2], open[3] }, "transfers, sockets")
    end
    -- A worker keeps timers, one for each task that it ever had at a time; a handle per request would be hundreds.
    assert.is_true(third[1] - first[1] < 50, ("handles: %d, %d, %d"):format(first[1], second[1], third[1]))
  end))

  it("does not hold up a worker that is told to stop", with_crew(function(crew)
    local server = serve(crew)
    crew:script("t.lua", SCRIPT)
    local queue = crew:queue()
    queue:add_many(20, function() return { type = "stuck", payload = json_text(server.silent_url) } end)
    local node = crew:run { shutdown_timeout = "1s" }
    crew:wait_until("all wait", 20, function() return crew.notes:count "start" == 20 end)
    node:send "sigterm"
    assert.equal(0, (node:wait(20)))
    assert.equal(20, crew.notes:count "told")
    crew:wait_counts(queue, 10, { pending = 20, active = 0, lease = 0 })
  end))

  it("goes by the proxy of the environment, whose password stands in no log", with_crew(function(crew)
    local server = serve(crew)
    crew:script("t.lua", SCRIPT)
    local queue = crew:queue()
    queue:add { type = "get", payload = json_text "http://elsewhere.invalid/echo" }
    queue:add { type = "get", payload = json_text "https://elsewhere.invalid/" }
    local node = crew:run({}, { env = {
      http_proxy = (server.url:gsub("//", "//who:pr0xy@")), https_proxy = "http://who:pr0xy@127.0.0.1:1",
    } })
    crew:wait_until("both have ended", 20, function() return crew.notes:count "got" == 2 end)
    local got = crew.notes:all "got"
    assert.equal("200", got[1][2] == "nil" and got[2][2] or got[1][2])
    assert.is_nil((node:text() .. got[1][3] .. got[2][3]):find("pr0xy", 1, true))
  end))
end)
