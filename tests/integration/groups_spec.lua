-- Groups: every grouped task ends in exactly one folded task, whatever dies meanwhile.
local cjson = require "cjson"
local uv = require "luv"
local wait = require "wait"
local with_crew = require("support").with_crew

-- Folds numbers into a list of them. While the file "hold" is there, a fold waits; while "broken" is there, it fails.
local FOLD = [[
crew.task("numbers", { retention = "1h", perform = function(payload) note("ran", #payload.numbers) end })
crew.aggregate { group = "g*", grace_period = "1s", max_size = %d, type = "numbers", fold = function(payloads, group)
  note("fold", group, #payloads)
  while io.open(here .. "/hold") do crew.sleep(0.02) end
  if io.open(here .. "/broken") then error("it is broken") end
  local numbers = crew.array {}
  for i, payload in ipairs(payloads) do numbers[i] = payload.n end
  note("folded", group, #payloads)
  return { numbers = numbers, group = group }
end }
]]

local function number(i)
  return { type = "number", payload = ('{"n":%d}'):format(i) }
end

-- Each number of the folded tasks that are completed, with how often it is there, and how many there are in all.
local function folded_numbers(queue)
  local tally, count = {}, 0
  for _, id in ipairs(queue:ids "completed") do
    for _, n in ipairs(cjson.decode(queue:task(id).message.payload).numbers) do
      tally[n] = (tally[n] or 0) + 1
      count = count + 1
    end
  end
  return tally, count
end

-- Waits until as many numbers are folded as were grouped, and sees each exactly once and nothing left of the groups.
local function assert_folded_once(crew, queue, total, seconds)
  crew:wait_until(total .. " numbers are in completed tasks", seconds, function()
    local _, count = folded_numbers(queue)
    return count >= total, count
  end)
  local tally, count = folded_numbers(queue)
  assert.equal(total, count, "numbers in folded tasks")
  for n = 1, total do
    assert.equal(1, tally[n], "number " .. n)
  end
  local left = crew.redis:call("KEYS", queue:key "g:*")
  assert.same({}, left)
  assert.equal(0, crew.redis:call("EXISTS", queue:key "aggregation_sets", queue:key "groups"), "sets and groups")
  assert.equal(#queue:ids "completed", #crew.redis:call("KEYS", queue:key "t:*"), "hashes of tasks")
  local counts = queue:counts()
  assert.same({ 0, 0, 0 }, { counts.pending, counts.active, counts.lease })
end

local function wait_folds(crew, count)
  crew:wait_until(count .. " folds have begun", 20, function() return crew.notes:count "fold" == count end)
end

describe("a group", function()
  it("is folded when it has max_size tasks, and the rest when nothing came for the grace period",
    with_crew(function(crew)
      crew:script("fold.lua", FOLD:format(4))
      local queue = crew:queue()
      queue:add_grouped("g", 10, number)
      crew:run()
      crew:wait_counts(queue, 20, { completed = 3, pending = 0, active = 0 })
      local sizes = {}
      for i, entry in ipairs(crew.notes:all "fold") do
        sizes[i] = entry[3]
      end
      assert.same({ "4", "4", "2" }, sizes)
      assert_folded_once(crew, queue, 10, 1)
    end))

  it("is folded when its oldest task is older than max_delay, though new ones keep coming", with_crew(function(crew)
    crew:script("fold.lua", [[
      crew.task("numbers", { retention = "1h", perform = function() end })
      crew.aggregate { group = "g", grace_period = "1h", max_delay = "2s", type = "numbers", fold = function(payloads)
        note("fold", #payloads)
        return { numbers = {} }
      end }
    ]])
    local queue = crew:queue()
    queue:add_grouped("g", 1, number)
    crew:run()
    local came = 1
    crew:wait_until("the group is folded", 20, function()
      came = came + 1
      queue:add_grouped("g", 1, function() return { type = "number", payload = "{}", id = "late-" .. came } end)
      return crew.notes:count "fold" > 0
    end)
    assert.is_true(tonumber(crew.notes:all("fold")[1][2]) > 1, "tasks in the fold")
  end))

  it("without a rule, or with one for another queue, is left alone", with_crew(function(crew)
    crew:script("fold.lua", FOLD:format(1) .. [[
      crew.aggregate { queue = "low", group = "h", max_size = 1, type = "numbers", fold = function() return {} end }
    ]])
    local queue = crew:queue()
    queue:add_grouped("other", 3, number)
    queue:add_grouped("h", 3, number)
    queue:add_grouped("g", 1, function() return number(1) end)
    crew:run()
    crew:wait_counts(queue, 20, { completed = 1 })
    assert.equal(3, crew.redis:call("ZCARD", queue:key "g:other"))
    assert.equal(3, crew.redis:call("ZCARD", queue:key "g:h"))
    assert.equal(2, crew.redis:call("SCARD", queue:key "groups"))
    assert.equal(1, crew.notes:count "fold")
  end))

  it("gets tasks whose time has come, and is folded with them", with_crew(function(crew)
    crew:script("fold.lua", FOLD:format(2))
    local queue = crew:queue()
    local id = queue:add_grouped("g", 1, number)[1]
    crew.redis:call("ZREM", queue:key "g:g", id)
    crew.redis:call("HSET", queue:key("t:" .. id), "state", "scheduled")
    crew.redis:call("ZADD", queue:key "scheduled", os.time() + 2, id)
    queue:add_grouped("g", 1, function() return number(2) end)
    crew.redis:call("ZADD", queue:key "g:g", os.time() + 600, "default-2") -- its grace period is not over for long
    crew:run()
    assert_folded_once(crew, queue, 2, 20)
    assert.equal(1, crew.notes:count "fold")
  end))

  it("with a task whose payload does not fit, or cannot be read, is folded without it", with_crew(function(crew)
    crew:script("fold.lua", FOLD:format(5) .. [[
      crew.task("number", { payload = crew.schema.object { n = crew.schema.integer {} }, perform = function() end })
    ]])
    local queue = crew:queue()
    queue:add_grouped("g", 3, number)
    queue:add_grouped("g", 1, function() return { id = "unfit", type = "number", payload = '{"n":"x"}' } end)
    queue:add_grouped("g", 1, function() return { id = "unread", type = "number" } end)
    crew.redis:call("HSET", queue:key "t:unread", "msg", "\255\255")
    crew:run()
    crew:wait_counts(queue, 20, { completed = 1, archived = 2, pending = 0, active = 0 })
    local tally = folded_numbers(queue)
    assert.same({ 1, 1, 1 }, { tally[1], tally[2], tally[3] })
    assert.equal("payload.n: expected integer, got string", queue:task("unfit").message.error_msg)
    assert.is_string(queue:task("unread").mc_error)
  end))

  it("is folded in time by a node whose slots are all taken, again and again", with_crew(function(crew)
    crew:script("fold.lua", FOLD:format(5) .. [[
      crew.task("busy", { perform = function() crew.sleep(0.05) end })
    ]])
    local queue = crew:queue()
    queue:add_many(200, function() return { type = "busy" } end)
    queue:add_grouped("g", 10, number)
    crew:run { workers = 1, concurrency = 1, prefetch = 0 }
    wait_folds(crew, 2)
    assert.is_true(queue:counts().pending > 0, "tasks are still waiting")
  end))
end)

describe("a fold that fails", function()
  it("leaves its tasks in the group and is tried again ever more slowly, for all to see", with_crew(function(crew)
    crew:script("fold.lua", FOLD:format(5))
    local queue, broken = crew:queue(), crew:file("broken", "")
    queue:add_grouped("g", 5, number)
    local node = crew:run()
    crew:run()
    crew:wait_until("it has failed three times", 30, function()
      return #node:log { event = "group fold failed" } + #crew.nodes[2]:log { event = "group fold failed" } == 3
    end)
    local entry = node:log { event = "group fold failed" }[1] or crew.nodes[2]:log { event = "group fold failed" }[1]
    assert.equal("g", entry.group)
    assert.equal(5, entry.tasks)
    assert.matches("fold.lua:%d+: it is broken", entry.error)
    local failures, next_try, why = crew.redis:call("HGET", queue:key "mc_fold_failures", "g"):match "^(%d+) (%d+) (.*)"
    assert.equal("3", failures)
    assert.is_true(tonumber(next_try) > os.time())
    assert.matches("it is broken", why)
    assert.equal(5, crew.redis:call("ZCARD", queue:key "g:g"))
    local _, stats = crew:command { "stats", "--json" }
    assert.equal(1, cjson.decode(stats).queues[1].failing_folds)

    uv.fs_unlink(broken)
    assert_folded_once(crew, queue, 5, 20)
    assert.equal(0, crew.redis:call("EXISTS", queue:key "mc_fold_failures"))
    local folds = crew.notes:all "fold"
    assert.equal(4, #folds, "over both nodes")
    local first, last = folds[2].at_ms - folds[1].at_ms, folds[4].at_ms - folds[3].at_ms
    assert.is_true(last > 1.5 * first, ("the waits do not grow: %d ms, then %d ms"):format(first, last))
  end))

  it("since its task is a duplicate is tried again until it is none", with_crew(function(crew)
    crew:script("fold.lua", [[
      crew.task("one", { perform = function()
        note "ran"
        while io.open(here .. "/hold") do crew.sleep(0.02) end
      end })
      crew.aggregate { group = "*", max_size = 1, type = "one", fold = function() return "same", { unique = "1h" } end }
    ]])
    local queue, hold = crew:queue(), crew:file("hold", "")
    local node = crew:run()
    queue:add_grouped("a", 1, number)
    crew:wait_until("the first is folded and runs", 20, function() return crew.notes:count "ran" == 1 end)
    queue:add_grouped("b", 1, number)
    local entry = node:wait_log(20, { event = "group fold failed" })
    assert.equal("b", entry.group)
    assert.matches("the folded task 'one' cannot be enqueued: a task with the same unique key", entry.error)
    assert.equal(1, crew.redis:call("ZCARD", queue:key "g:b"))
    uv.fs_unlink(hold)
    crew:wait_counts(queue, 20, { processed = 2, pending = 0, active = 0 })
    assert.same({}, crew.redis:call("KEYS", queue:key "t:*"))
  end))

  it("by killing its worker has failed, and its neighbours have not", with_crew(function(crew)
    crew:script("fold.lua", FOLD:format(3) .. [[
      crew.aggregate { group = "killer", grace_period = "1s", type = "numbers", fold = function()
        note "kill"
        ffi.cast("int *", 0)[0] = 1
      end }
      crew.task("patient", { perform = function()
        note "start"
        while not io.open(here .. "/release") do crew.sleep(0.02) end
      end })
    ]])
    local queue, hold = crew:queue(), crew:file("hold", "")
    queue:add_many(5, function() return { type = "patient" } end)
    queue:add_grouped("g", 3, number)
    local node = crew:run { workers = 1 }
    crew:wait_until("tasks and a fold run", 20, function()
      return crew.notes:count "start" == 5 and crew.notes:count "fold" == 1
    end)
    queue:add_grouped("killer", 2, number)
    local entry = node:wait_log(20, { event = "group fold failed" })
    assert.equal("killer", entry.group)
    assert.matches("the worker died of signal %d+ .* while it folded this group", entry.error)
    crew:wait_until("the tasks and the other fold run again", 20, function()
      return crew.notes:count "start" >= 10 and crew.notes:count "fold" >= 2
    end)
    assert.equal(0, #node:log { event = "group fold failed", group = "g" })
    node:wait_log(20, { event = "group fold failed", failures = 2 })
    crew:file("release", "")
    uv.fs_unlink(hold)
    crew:wait_counts(queue, 20, { completed = 1, pending = 0, active = 0, processed = 6, failed = 0 })
    assert.equal(2, crew.redis:call("ZCARD", queue:key "g:killer"))
  end))

  it("by waiting for too long is stopped where it waits", with_crew(function(crew)
    crew:script("fold.lua", [[
      crew.aggregate { group = "g", max_size = 1, timeout = "500ms", type = "numbers", fold = function()
        crew.sleep(60)
      end }
    ]])
    crew:queue():add_grouped("g", 1, number)
    local node = crew:run { workers = 1, kill_grace = "5s" }
    assert.equal("context deadline exceeded", node:wait_log(20, { event = "group fold failed" }).error)
    assert.equal(0, #node:log { event = "worker killed" })
  end))

  it("by never coming to an end is killed with its worker", with_crew(function(crew)
    crew:script("fold.lua", [[
      crew.aggregate { group = "g", max_size = 1, timeout = "500ms", type = "numbers", fold = function()
        while true do end
      end }
    ]])
    crew:queue():add_grouped("g", 1, number)
    local node = crew:run { workers = 1, kill_grace = "500ms" }
    assert.equal("context deadline exceeded", node:wait_log(20, { event = "group fold failed" }).error)
    assert.equal(1, #node:log { event = "worker killed" })
  end))
end)

describe("in mid-fold", function()
  it("kill -9 of the worker loses nothing and doubles nothing", with_crew(function(crew)
    crew:script("fold.lua", FOLD:format(10))
    local queue, hold = crew:queue(), crew:file("hold", "")
    for g = 1, 5 do
      queue:add_grouped("g" .. g, 10, function(i) return number((g - 1) * 10 + i) end)
    end
    local node = crew:run { workers = 1 }
    wait_folds(crew, 5)
    local killed_ms = wait.now_ms()
    uv.kill(node:workers()[1], "sigkill")
    wait_folds(crew, 10)
    local took_ms = crew.notes:all("fold")[6].at_ms - killed_ms
    assert.is_true(took_ms < 3000 * wait.patience, ("the next fold came after %d ms"):format(took_ms))
    uv.fs_unlink(hold)
    assert_folded_once(crew, queue, 50, 20)
    assert.equal(0, #node:log { event = "group fold failed" })
  end))

  it("kill -9 of the node loses nothing and doubles nothing: another one folds", with_crew(function(crew)
    crew:script("fold.lua", FOLD:format(10))
    local queue, hold = crew:queue(), crew:file("hold", "")
    for g = 1, 5 do
      queue:add_grouped("g" .. g, 10, function(i) return number((g - 1) * 10 + i) end)
    end
    local first = crew:run()
    wait_folds(crew, 5)
    crew:run()
    crew.nodes[2]:wait_log(20, { event = "worker ready" })
    local killed_ms = wait.now_ms()
    first:send "sigkill"
    uv.fs_unlink(hold)
    assert_folded_once(crew, queue, 50, 60)
    local took_s = (wait.now_ms() - killed_ms) / 1000
    assert.is_true(took_s < 40 * wait.patience, ("it took %.1f s"):format(took_s))
    assert.equal(5, #crew.nodes[2]:log { event = "group set reclaimed" })
  end))

  it("the node's set stays its own for longer than its deadline, while the fold runs", with_crew(function(crew)
    crew:script("fold.lua", FOLD:format(1))
    local queue, hold = crew:queue(), crew:file("hold", "")
    queue:add_grouped("g", 1, number)
    crew:run()
    crew:run()
    wait_folds(crew, 1)
    local set = crew.redis:call("ZRANGE", queue:key "aggregation_sets", 0, 0)[1]
    local first = queue:score("aggregation_sets", set)
    crew:wait_until("its deadline is put off", 20, function()
      return queue:score("aggregation_sets", set) > first
    end)
    uv.fs_unlink(hold)
    assert_folded_once(crew, queue, 1, 20)
    assert.equal(1, crew.notes:count "fold")
  end))

  it("very many groups that are not due leave Redis time for others", with_crew(function(crew)
    crew:script("fold.lua", FOLD:format(1000))
    local queue = crew:queue()
    crew.redis:call("EVAL", [[
      local now = redis.call("TIME")[1]
      for i = 1, 60000 do
        redis.call("ZADD", KEYS[1] .. "g" .. i, now + 3600, "id")
        redis.call("SADD", KEYS[2], "g" .. i)
      end
    ]], 2, queue:key "g:", queue:key "groups")
    crew.redis:call("CONFIG", "RESETSTAT")
    crew:run { workers = 1 }
    local function calls(command)
      local count, used = crew.redis:call("INFO", "commandstats"):match(
        "cmdstat_" .. command .. ":calls=(%d+),usec=(%d+)")
      return tonumber(count or 0), tonumber(used or 0)
    end
    crew:wait_until("a look has begun", 20, function() return calls "sscan" > 0 end)
    local began_ms, before = wait.now_ms(), select(2, calls "evalsha")
    crew:wait_until("8 s have passed", 20, function() return wait.now_ms() - began_ms > 8000 end)
    local share = (select(2, calls "evalsha") - before) / 1000 / (wait.now_ms() - began_ms)
    assert.is_true(calls "sscan" >= 60, "it has looked at all of them")
    assert.is_true(share < 0.15, ("%.0f %% of Redis' time"):format(share * 100))
  end))

  it("a set that was taken from us is not folded by us", with_crew(function(crew)
    crew:script("fold.lua", FOLD:format(2))
    local queue, hold = crew:queue(), crew:file("hold", "")
    queue:add_grouped("g", 2, number)
    local node = crew:run { workers = 1 }
    wait_folds(crew, 1)
    local set = crew.redis:call("ZRANGE", queue:key "aggregation_sets", 0, 0)[1]
    crew.redis:call("RENAME", set, queue:key "g:kept")
    crew.redis:call("ZREM", queue:key "aggregation_sets", set)
    uv.fs_unlink(hold)
    node:wait_log(20, { event = "fold refused", group = "g" })
    assert.equal(0, queue:counts().completed)
    assert.equal(2, crew.redis:call("EXISTS", queue:key "t:default-1", queue:key "t:default-2"))
  end))

  it("a stop waits for the fold, or gives the set back, and ends well", with_crew(function(crew)
    crew:script("fold.lua", FOLD:format(2))
    local queue, hold = crew:queue(), crew:file("hold", "")
    queue:add_grouped("g", 2, number)
    local node = crew:run { shutdown_timeout = "1s" }
    wait_folds(crew, 1)
    node:send "sigterm"
    assert.equal(0, (node:wait(20)))
    assert.equal(2, crew.redis:call("ZCARD", queue:key "g:g"))
    assert.equal(0, crew.redis:call("EXISTS", queue:key "aggregation_sets", queue:key "mc_fold_failures"))
    assert.equal(0, #node:log { event = "group fold failed" })

    local second = crew:run { shutdown_timeout = "20s" }
    wait_folds(crew, 2)
    second:send "sigterm"
    second:wait_log(20, { event = "stopping" })
    uv.fs_unlink(hold)
    assert.equal(0, (second:wait(20)))
    crew:run()
    assert_folded_once(crew, queue, 2, 20)
    assert.equal(2, crew.notes:count "fold")
  end))

  it("a reply that is lost folds nothing twice", with_crew(function(crew)
    crew:script("fold.lua", FOLD:format(3))
    local queue, proxy = crew:queue(), crew:proxy()
    local node = crew:run { redis = proxy:url(), workers = 1 }
    queue:add_grouped("g", 3, number)
    crew:wait_counts(queue, 20, { completed = 1 }) -- Redis knows the scripts now
    proxy:cut_after '"numbers":[4,5,6]'
    queue:add_grouped("g", 3, function(i) return number(3 + i) end)
    crew:wait_until("the connection was cut", 20, function() return proxy.cuts == 1 end)
    assert_folded_once(crew, queue, 6, 20)
    assert.equal(2, #node:log { event = "group folded" })
    assert.equal(0, #node:log { event = "fold refused" })
  end))

  it("two nodes, of which one is killed again and again, fold a thousand tasks exactly once", with_crew(function(crew)
    crew:script("fold.lua", FOLD:format(10))
    local queue = crew:queue()
    crew:run()
    local victim = crew:run { workers = 2 }
    for round = 1, 10 do
      for g = 1, 10 do
        queue:add_grouped("g" .. g, 10, function(i) return number((round - 1) * 100 + (g - 1) * 10 + i) end)
      end
      if round % 3 == 0 then
        for _, pid in ipairs(victim:workers()) do
          uv.kill(pid, "sigkill")
        end
      elseif round == 5 then
        victim:send "sigkill"
        victim = crew:run { workers = 2 }
      end
      crew:wait_until("some more are folded", 20, function()
        return select(2, folded_numbers(queue)) >= (round - 1) * 100 - 300
      end)
    end
    assert_folded_once(crew, queue, 1000, 90)
  end))
end)
