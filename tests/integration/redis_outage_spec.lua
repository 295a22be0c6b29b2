-- Redis goes away and comes back: what was accepted is done.
local wait = require "wait"
local with_crew = require("support").with_crew

local DURABLE = { redis = { "--appendonly", "yes", "--appendfsync", "always" } }

-- Enqueues 300 tasks one by one, each until it is accepted, and writes the ids that were.
local PRODUCER = [[
local client = assert(require("mooncrew.client").open(arg[1]))
for i = 1, 300 do
  local info, message, code
  repeat
    info, message, code = client:enqueue("t", { n = i }, { retention = "1h" })
    if not info and code ~= "UNAVAILABLE" then error(message .. " " .. tostring(code)) end
  until info
  io.write(info.id, "\n")
  io.flush()
end
io.write("done\n")
]]

describe("Redis that goes away", function()
  it("and comes back, twice, under load, while tasks are enqueued: each accepted task completes, none else",
    with_crew(function(crew)
      crew:script("t.lua", [[
        crew.task("t", { perform = function(payload, task)
          note("start", task.id)
          crew.sleep(payload.n % 10 / 10)
          note("end", task.id)
        end })
      ]])
      local queue = crew:queue()
      local node = crew:run { workers = 2, concurrency = 5 }
      local producer = crew:producer("producer", PRODUCER)
      local function accepted()
        local ids = {}
        for id in producer:text():gmatch "(%S+)\n" do
          ids[#ids + 1] = id
        end
        return ids
      end

      for round, signal in ipairs { "sigterm", "sigkill" } do
        crew:wait_until("the load is on", 30, function()
          return #accepted() >= round * 100 or crew.notes:count "end" >= round * 60
        end)
        crew.server:stop(signal)
        crew.server:start()
      end

      assert.equal(0, (producer:wait(60)), "the producer's exit code; it wrote: " .. producer:text():sub(-300))
      local ids = accepted()
      assert.equal("done", table.remove(ids))
      assert.equal(300, #ids)
      crew:wait_counts(queue, 60, { completed = 300, pending = 0, active = 0, lease = 0, retry = 0, archived = 0 })
      for _, id in ipairs(ids) do
        assert.equal("completed", (queue:task(id) or {}).state, "state of " .. id)
      end
      assert.equal(0, queue:counts().failed)
      assert.is_true(node.process:alive())
    end, DURABLE))

  it("is named once in the log when it goes and once when it is back", with_crew(function(crew)
    crew:script("t.lua", [[ crew.task("t", { perform = function(_, task) note("ran", task.id) end }) ]])
    local queue = crew:queue()
    local node = crew:run()
    queue:add { type = "t" }
    crew:wait_until("the node works", 20, function() return crew.notes:count "ran" == 1 end)
    crew.server:stop "sigkill"
    node:wait_log(20, { event = "redis is away" })
    local before = #node:log()
    wait.hold("the log stays quiet meanwhile", 2, function()
      return #node:log() == before, node:text()
    end)
    crew.server:start()
    queue:add { type = "t" }
    crew:wait_until("the node works again", 20, function() return crew.notes:count "ran" == 2 end)
    assert.equal(1, #node:log { event = "redis is away" })
    assert.equal(1, #node:log { event = "redis is back" })
  end))
end)
