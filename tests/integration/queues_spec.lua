-- Which queue is served when.
local wait = require "wait"
local with_crew = require("support").with_crew

local T = [[ crew.task("t", { perform = function(_, task) note("ran", task.queue, task.id) end }) ]]

-- How often each queue is among the first `count` tasks that ran.
local function shares(crew, count)
  local found = {}
  for i, entry in ipairs(crew.notes:all "ran") do
    if i > count then break end
    found[entry[2]] = (found[entry[2]] or 0) + 1
  end
  return found
end

local function fill(crew, names, count)
  local filled = {}
  for _, name in ipairs(names) do
    filled[name] = crew:queue(name)
    filled[name]:add_many(count, function() return { type = "t" } end)
  end
  return filled
end

describe("queues:", function()
  it("a paused queue waits, and goes on as soon as it may", with_crew(function(crew)
    crew:script("t.lua", T)
    local queue, other = crew:queue(), crew:queue "other"
    crew.redis:call("SET", queue:key "paused", os.time())
    queue:add { type = "t" }
    crew:run { queues = { default = 1, other = 1 } }
    other:add { type = "t" }
    crew:wait_counts(other, 20, { processed = 1 })
    wait.hold("the task of the paused queue waits", 1, function() return queue:counts().pending == 1 end)
    local resumed_ms = wait.now_ms()
    crew.redis:call("DEL", queue:key "paused")
    crew:wait_counts(queue, 20, { processed = 1, pending = 0, active = 0 })
    local took_ms = crew.notes:all("ran")[2].at_ms - resumed_ms
    assert.is_true(took_ms < 1000 * wait.patience, ("it took %d ms"):format(took_ms))
  end))

  it("pausing one that is being worked on stops the fetching", with_crew(function(crew)
    crew:script("t.lua", T)
    local queue = crew:queue()
    crew:run()
    queue:add { type = "t" }
    crew:wait_counts(queue, 20, { processed = 1 })
    crew.redis:call("SET", queue:key "paused", os.time())
    queue:add { type = "t" }
    wait.hold("the task waits", 1, function() return queue:counts().pending == 1 end)
    crew.redis:call("DEL", queue:key "paused")
    crew:wait_counts(queue, 20, { processed = 2 })
  end))

  it("with strict order a lower queue is served when the higher ones are empty", with_crew(function(crew)
    crew:script("t.lua", T)
    local filled = fill(crew, { "low", "middle", "high" }, 40)
    crew:run { queues = { high = 3, middle = 2, low = 1 }, strict = true, concurrency = 1, prefetch = 0 }
    for _, queue in pairs(filled) do
      crew:wait_counts(queue, 30, { processed = 40 })
    end
    assert.same({ high = 40 }, shares(crew, 40))
    assert.same({ high = 40, middle = 40 }, shares(crew, 80))
  end))

  it("with weights each queue has its share, exactly", with_crew(function(crew)
    crew:script("t.lua", T)
    local filled = fill(crew, { "critical", "default", "low" }, 600)
    crew:run { queues = { critical = 6, default = 3, low = 1 }, concurrency = 10, prefetch = 0 }
    for _, queue in pairs(filled) do
      crew:wait_counts(queue, 60, { processed = 600 })
    end
    local found = shares(crew, 800)
    for name, share in pairs { critical = 480, default = 240, low = 80 } do
      assert.is_true(math.abs(found[name] - share) <= 20, ("%s: %d of 800, not %d"):format(name, found[name], share))
    end
  end))

  it("tasks of one queue start in the order in which they were enqueued", with_crew(function(crew)
    crew:script("t.lua", T)
    local queue = crew:queue()
    local ids = queue:add_many(50, function() return { type = "t" } end)
    crew:run { concurrency = 1 }
    crew:wait_counts(queue, 30, { processed = 50 })
    for i, entry in ipairs(crew.notes:all "ran") do
      assert.equal(ids[i], entry[3], "number " .. i)
    end
  end))

  it("no task waits behind a long one while another worker has a free slot", with_crew(function(crew)
    crew:script("sleep.lua", [[
      crew.task("sleep", { perform = function(_, task) note("ran", task.queue, task.id) crew.sleep(60) end })
    ]])
    local queue = crew:queue()
    queue:add_many(10, function() return { type = "sleep" } end)
    crew:run { workers = 2, concurrency = 5 }
    crew:wait_until("all ten run", 10, function()
      local count = crew.notes:count "ran"
      return count == 10, count .. " run"
    end)
  end))

  it("a node holds no more than its free slots and its prefetch", with_crew(function(crew)
    crew:script("sleep.lua", [[
      crew.task("sleep", { perform = function(_, task) note("ran", task.queue, task.id) crew.sleep(60) end })
    ]])
    local queue = crew:queue()
    queue:add_many(50, function() return { type = "sleep" } end)
    crew:run { workers = 2, concurrency = 5, prefetch = 2 }
    crew:wait_until("all slots are taken", 20, function() return crew.notes:count "ran" == 10 end)
    wait.hold("the rest waits", 1, function()
      local counts = queue:counts()
      return counts.active <= 14 and counts.pending + counts.active == 50, counts.active .. " active"
    end)
    assert.equal(10, crew.notes:count "ran")
  end))
end)
