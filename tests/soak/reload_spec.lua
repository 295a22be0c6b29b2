-- Reloads for minutes while everything around them fails at random: workers are killed and stopped, old ones, new ones
-- and such as load; the supervisor stands still; Redis restarts; scripts are broken, slow, gone. In the end each task
-- was completed once, and the supervisor has no more descriptors, memory or children than at the beginning.
--
-- SOAK_MINUTES (3) and SOAK_SEED (the time) say how long and which.
local Process = require "process"
local cjson = require "cjson"
local uv = require "luv"
local wait = require "wait"
local with_crew = require("support").with_crew

local MINUTES = tonumber(os.getenv "SOAK_MINUTES" or 3)
local SEED = tonumber(os.getenv "SOAK_SEED" or os.time())

local QUEUES = { "alone", "shared", "strict", "tenant-1", "tenant-2", "tenant-3" }
local WORKERS = 4
local CONFIG = {
  kill_grace = "1s", load_timeout = "10s", max_crashes = 1000, shutdown_timeout = "20s", log_level = "info",
  pools = {
    weighted = { workers = 2, concurrency = 5, queues = { alone = 3, shared = 1 } },
    strict = { workers = 1, concurrency = 3, strict = true, queues = { shared = 2, strict = 1, ["tenant-*"] = 1 } },
    tenants = { workers = 1, concurrency = 10, memory_limit = "300MB", queues = { ["tenant-*"] = 1 } },
  },
}

local TASKS = [[
  crew.task("sleep", { retention = "1h", perform = function(p) note("ran", p.id); crew.sleep(p.ms / 1000) end })
  crew.task("compute", { retention = "1h", perform = function(p)
    note("ran", p.id)
    local till = os.clock() + p.ms / 10000
    while os.clock() < till do end
  end })
]]

local SCRIPTS = {
  good = TASKS,
  broken = "local = 3",
  fails = TASKS .. 'error "it does not load"',
  slow = 'os.execute "sleep 0.7" ' .. TASKS,
  leaves = "os.exit(7)",
  stays = TASKS .. "crew.on_stop(function() while true do end end)",
  waits = TASKS .. "crew.on_start(function() crew.sleep(0.3) end) crew.on_stop(function() crew.sleep(0.2) end)",
}
local VARIANTS = { "good", "good", "good", "broken", "fails", "slow", "leaves", "stays", "waits" }

-- ---- what happens ----

local function pick(list)
  return list[math.random(#list)]
end

local function nap(seconds)
  wait.poll(seconds / wait.patience, function() end)
end

local function a_worker(node)
  local workers = node:workers()
  return #workers > 0 and pick(workers)
end

local happen = {}

function happen.reload(_, node)
  node:send "sighup"
end

function happen.storm(_, node)
  for _ = 1, 20 do
    node:send "sighup"
    nap(0.005)
  end
end

-- In one step, since a reload that was asked for before may begin at any moment.
local function edit(crew, body)
  crew:script("t.lua.new", body)
  assert(uv.fs_rename(crew.scripts .. "/t.lua.new", crew.scripts .. "/t.lua"))
end

function happen.edit(crew, node)
  edit(crew, SCRIPTS[pick(VARIANTS)])
  node:send "sighup"
end

function happen.kill(_, node)
  local pid = a_worker(node)
  if pid then uv.kill(pid, "sigkill") end
end

function happen.stop_worker(_, node)
  local pid = a_worker(node)
  if not pid then return end
  uv.kill(pid, "sigstop")
  nap(math.random() * 2)
  uv.kill(pid, "sigcont")
end

function happen.stop_supervisor(_, node)
  node:send "sigstop"
  nap(math.random() * 2)
  node:send "sigcont"
end

function happen.freeze_redis(crew)
  crew.server:freeze()
  nap(math.random() * 2)
  crew.server:thaw()
end

function happen.restart_redis(crew)
  crew.server:stop "sigkill"
  nap(math.random())
  crew.server:start()
end

function happen.no_folder(crew, node)
  assert(uv.fs_rename(crew.scripts, crew.folder .. "/away"))
  node:send "sighup"
  nap(0.1)
  assert(uv.fs_rename(crew.folder .. "/away", crew.scripts))
end

function happen.pause(crew)
  local name = pick(QUEUES)
  local code, out = crew:command { "queue", "pause", name }
  assert.equal(0, code, out)
  nap(0.3)
  code, out = crew:command { "queue", "unpause", name }
  assert.equal(0, code, out)
end

local EVENTS = { "reload", "reload", "storm", "edit", "edit", "edit", "kill", "kill", "kill", "stop_worker",
  "stop_supervisor", "freeze_redis", "restart_redis", "no_folder", "pause" }

-- ---- what is counted ----

local function resident_kb(pid)
  local file = assert(io.open(("/proc/%d/status"):format(pid)))
  local text = file:read "*a"
  file:close()
  return tonumber(text:match "VmRSS:%s*(%d+)")
end

local function descriptors(pid)
  local count, scan = 0, assert(uv.fs_scandir(("/proc/%d/fd"):format(pid)))
  for _ in function() return uv.fs_scandir_next(scan) end do count = count + 1 end
  return count
end

local function zombies(pid)
  local found = 0
  local file = io.open(("/proc/%d/task/%d/children"):format(pid, pid))
  for child in (file:read "*a"):gmatch "%d+" do
    found = found + (Process.exists(tonumber(child)) and 0 or 1)
  end
  file:close()
  return found
end

-- All places are served by workers of one generation, and nobody else is there.
local function wait_calm(crew, node)
  crew:wait_until("all is calm", 60, function()
    local code, out = crew:command { "server", "ls", "--json" }
    local server = code == 0 and cjson.decode(out).servers[1]
    if not server then return nil, out end
    local serving = 0
    for _, pool in ipairs(server.pools) do serving = serving + pool.serving end
    return server.draining == 0 and serving == WORKERS and #node:workers() == WORKERS and
      server.reloads_asked == server.reloads_answered and zombies(node.pid) == 0, out
  end)
end

local function add_tasks(queues, added)
  for name, queue in pairs(queues) do
    local count = math.random(0, 8)
    queue:add_many(count, function()
      added[name] = added[name] + 1
      local id = ("%s-%d"):format(name, added[name])
      return { type = math.random(4) == 1 and "compute" or "sleep", retention = 3600, id = id,
        payload = cjson.encode { id = id, ms = math.random(1, 600) } }
    end)
  end
end

local function assert_each_completed(crew, queues, added)
  for name, queue in pairs(queues) do
    crew:wait_counts(queue, 90, { pending = 0, active = 0, lease = 0, scheduled = 0, retry = 0, archived = 0,
      completed = added[name], processed = added[name], failed = 0 })
  end
  local tally = crew.notes:tally "ran"
  for name, queue in pairs(queues) do
    for i = 1, added[name] do
      local id = ("%s-%d"):format(name, i)
      assert(tally[id] and queue:score("completed", id), id .. " was not run or not completed")
    end
  end
end

describe("reloads", function()
  it(("among failures of all kinds lose nothing and leave nothing behind, over %g minutes (seed %d)")
    :format(MINUTES, SEED), with_crew(function(crew)
    math.randomseed(SEED)
    local queues, added, total, happened = {}, {}, 0, {}
    for _, name in ipairs(QUEUES) do queues[name], added[name] = crew:queue(name), 0 end
    crew:script("t.lua", SCRIPTS.good)
    local node = crew:run(CONFIG)
    add_tasks(queues, added)
    wait_calm(crew, node)
    local fds, kb = descriptors(node.pid), resident_kb(node.pid)
    local ends = os.time() + MINUTES * 60
    while os.time() < ends do
      add_tasks(queues, added)
      local event = pick(EVENTS)
      happened[event] = (happened[event] or 0) + 1
      happen[event](crew, node)
      assert(node.process:alive(), "the supervisor has ended")
      nap(math.random() * 0.4)
    end
    edit(crew, SCRIPTS.good)
    node:send "sighup"
    wait_calm(crew, node)
    assert_each_completed(crew, queues, added)
    for _, count in pairs(added) do total = total + count end
    local now_kb = resident_kb(node.pid)
    print(("measured: %d tasks, %s, descriptors %d before and %d after, %d kB before and %d after"):format(total,
      cjson.encode(happened), fds, descriptors(node.pid), kb, now_kb))
    assert.is_true(descriptors(node.pid) <= fds + 1)
    if wait.patience == 1 then -- sanitizers keep what was freed
      assert.is_true(now_kb < kb + 8192, now_kb .. " kB")
    end
    node:send "sigterm"
    assert.same({ 0, 0 }, { node:wait(30) })
  end, { redis = { "--appendonly", "yes", "--appendfsync", "always" } }))
end)
