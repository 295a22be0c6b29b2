-- Reloads under load: every task is started exactly once, and cron ticks and groups keep what they promise.
local cjson = require "cjson"
local wait = require "wait"
local with_crew = require("support").with_crew

local RATE, SECONDS, BASELINE_SECONDS = 2000, 30, 8

-- Enqueues at a rate, in batches of 20 ms; the payload is the time in unix ms. arg: url, seconds, rate, where it says
-- how many were accepted.
local PRODUCER = [[
local uv = require "luv"
local client = assert(require("mooncrew").client(arg[1]))
local seconds, rate = SECONDS, RATE
local function now_ms()
  local s, us = uv.gettimeofday()
  return s * 1000 + us / 1000
end
local start, sent = uv.hrtime(), 0
while sent < seconds * rate do
  local due = math.min(seconds * rate, math.floor((uv.hrtime() - start) / 1e9 * rate))
  local batch = {}
  for i = sent + 1, due do
    batch[#batch + 1] = { "t", { at = now_ms() }, { task_id = ("%s-%d"):format(PREFIX, i) } }
  end
  if #batch > 0 then
    for _, result in ipairs(client:enqueue_many(batch)) do assert(result.ok, result.error) end
  end
  sent = due
  uv.sleep(20)
end
print("sent", sent)
]]

-- Each task writes a line with one write: id, delay from enqueue to start.
local SCRIPT = [[
local file = assert(io.open(here .. "/started", "a"))
local time = ffi.new "note_time" -- of the notes, and so is clock_gettime
crew.task("t", { perform = function(payload, task)
  ffi.C.clock_gettime(0, time)
  local now_ms = tonumber(time.s) * 1000 + tonumber(time.ns) / 1e6
  file:write(("%%s %%.3f %d\n"):format(task.id, now_ms - payload.at))
  file:flush()
end })
]]

-- What started with this prefix: how often each id, how many, the sorted delays, and by how many versions.
local function started(crew, prefix)
  local tally, count, delays, versions = {}, 0, {}, {}
  for line in io.lines(crew.folder .. "/started") do
    local id, delay, version = line:match "^(%S+) (%S+) (%d+)$"
    if id:find(prefix, 1, true) == 1 then
      tally[id], count, versions[version] = (tally[id] or 0) + 1, count + 1, true
      delays[#delays + 1] = tonumber(delay)
    end
  end
  table.sort(delays)
  local kinds = 0
  for _ in pairs(versions) do kinds = kinds + 1 end
  return tally, count, delays, kinds
end

local function percentile(sorted, p)
  return sorted[math.max(1, math.ceil(#sorted * p))]
end

local function produce(crew, prefix, seconds)
  local body = PRODUCER:gsub("SECONDS", seconds):gsub("RATE", RATE):gsub("PREFIX", ("%q"):format(prefix))
  return crew:producer(prefix, body)
end

-- Waits for all of a producer's tasks, and sees each started exactly once; returns the sorted delays.
local function assert_each_once(crew, queue, prefix, producer, seconds)
  assert.equal(0, (producer:wait(120)), producer:text())
  crew:wait_counts(queue, 60, { pending = 0, active = 0, lease = 0, retry = 0, archived = 0 })
  local tally, count, delays, kinds = started(crew, prefix)
  assert.equal(seconds * RATE, count, "started tasks")
  for i = 1, seconds * RATE do
    local id = ("%s-%d"):format(prefix, i)
    assert(tally[id] == 1, ("%s was started %s times"):format(id, tostring(tally[id])))
  end
  return delays, kinds
end

local function measured(name, value)
  io.stderr:write(("measured: %s %s\n"):format(name, value))
end

describe("under load", function()
  it("a reload every second loses and doubles nothing, and a broken script changes nothing", with_crew(function(crew)
    crew:script("t.lua", SCRIPT:format(0))
    local queue = crew:queue()
    local node = crew:run { workers = 2, concurrency = 50, log_level = "info" }
    node:wait_log(20, { event = "worker ready" })
    local without = assert_each_once(crew, queue, "base", produce(crew, "base", BASELINE_SECONDS), BASELINE_SECONDS)

    local producer, reloads = produce(crew, "load", SECONDS), 0
    while producer:alive() do
      reloads = reloads + 1
      crew:script("t.lua", SCRIPT:format(reloads))
      node:send "sighup"
      wait.poll(1 / wait.patience, function() return not producer:alive() end)
    end
    local with, versions = assert_each_once(crew, queue, "load", producer, SECONDS)
    local done = #node:log { event = "scripts reloaded" }
    assert.is_true(done >= SECONDS * 0.8, done .. " reloads")
    assert.is_true(versions >= SECONDS * 0.8, versions .. " versions ran tasks")
    assert.same({}, node:log { event = "worker died" })
    measured("p99 enqueue→start", ("with %d reloads in %d s %.1f ms, without %.1f ms (p50 %.1f and %.1f)"):format(done,
      SECONDS, percentile(with, 0.99), percentile(without, 0.99), percentile(with, 0.5), percentile(without, 0.5)))

    producer = produce(crew, "bad", 3)
    wait.poll(1, function() return not producer:alive() end)
    crew:script("t.lua", "local = 3")
    node:send "sighup"
    local refused = node:wait_log(20, { event = "reload refused" })
    assert.matches("/scripts/t%.lua:2: ", refused.detail)
    assert.matches("the old scripts serve on", refused.consequence)
    local _, one = assert_each_once(crew, queue, "bad", producer, 3)
    assert.equal(1, one)
  end))
end)

describe("at a reload", function()
  -- Both versions have the entry `same`; `other` is another one in each, for it has another payload.
  local function crons(version)
    return ([[
      crew.task("same", { perform = function() end })
      crew.task("other", { perform = function() end })
      crew.cron("@every 1s", "same")
      crew.cron("@every 1s", "other", { version = %d })
    ]]):format(version)
  end

  local function ticks_by_type(node)
    local found = { same = {}, other = {} }
    for _, line in ipairs(node:log { event = "enqueued cron tick" }) do
      local of = found[line.type]
      of[line.tick] = (of[line.tick] or 0) + 1
    end
    return found
  end

  it("no tick of a cron entry is lost or doubled, whether the entry stays or is changed", with_crew(function(crew)
    crew:script("t.lua", crons(0))
    local node = crew:run { workers = 2 }
    node:wait_log(20, { event = "enqueued cron tick" })
    for i = 1, 12 do
      crew:script("t.lua", crons(i % 2))
      local before = #node:log { event = "scripts reloaded" }
      node:send "sighup"
      crew:wait_until("it is reloaded", 20, function() return #node:log { event = "scripts reloaded" } > before end)
      wait.poll(0.53, function() end)
    end
    node:send "sigterm"
    assert.same({ 0, 0 }, { node:wait(20) })
    for type, ticks in pairs(ticks_by_type(node)) do
      local first, last, count = math.huge, 0, 0
      for tick, times in pairs(ticks) do
        assert.equal(1, times, ("tick %d of %s"):format(tick, type))
        first, last, count = math.min(first, tick), math.max(last, tick), count + 1
      end
      assert.equal(last - first + 1, count, "ticks of " .. type)
      assert.is_true(count >= 6, count .. " ticks of " .. type)
    end
  end))

  it("the rules for groups are those of the new scripts, and no task of a group is lost", with_crew(function(crew)
    local function rule(size)
      return ([[
        crew.task("sum", { retention = "1h", perform = function() end })
        crew.aggregate { group = "g", grace_period = "1h", max_size = %d, type = "sum", fold = function(payloads)
          note("fold", #payloads)
          return { n = #payloads }
        end }
      ]]):format(size)
    end
    local function number(i) return { type = "number", payload = ('{"n":%d}'):format(i) } end
    crew:script("t.lua", rule(100))
    local queue, node = crew:queue(), crew:run { workers = 2 }
    node:wait_log(20, { event = "worker ready" })
    queue:add_grouped("g", 10, number)
    wait.hold("ten are not enough", 1.5, function() return crew.notes:count "fold" == 0 end)
    crew:script("t.lua", rule(5))
    node:send "sighup"
    crew:wait_counts(queue, 20, { completed = 2, pending = 0, active = 0 })
    local total = 0
    for _, id in ipairs(queue:ids "completed") do
      total = total + cjson.decode(queue:task(id).message.payload).n
    end
    assert.equal(10, total)
  end))
end)

