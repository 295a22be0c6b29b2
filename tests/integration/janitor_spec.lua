-- What is kept no longer is deleted in time, in small bites.
local wait = require "wait"
local with_crew = require("support").with_crew

local T = [[ crew.task("t", { perform = function(_, task) note("ran", task.id) return "done" end }) ]]

-- Fills a set with tasks whose scores are `score`, inside Redis.
local function fill(crew, queue, set, count, score)
  crew.redis:call("EVAL", [[
    for i = 1, ARGV[2] do
      local id = ("%s-%07d"):format(ARGV[3], i)
      redis.call("HSET", KEYS[2] .. id, "msg", "m", "state", ARGV[3])
      redis.call("ZADD", KEYS[1], ARGV[1], id)
    end]], 2, queue:key(set), queue:key "t:", score, count, set)
end

local function task_keys(crew, queue)
  return #crew.redis:call("KEYS", (queue:key "t:"):gsub("[{}]", "?") .. "*")
end

describe("the janitor", function()
  it("deletes a completed task when its retention ends", with_crew(function(crew)
    crew:script("t.lua", T)
    local queue = crew:queue()
    crew:run()
    queue:add { type = "t", retention = 2 }
    queue:add { type = "t", retention = 3600 }
    crew:wait_counts(queue, 20, { completed = 2 })
    crew:wait_counts(queue, 8, { completed = 1 })
    assert.equal(1, task_keys(crew, queue))
    assert.is_nil(queue:task "default-1")
  end))

  it("clears a backlog within seconds, and no command waits long meanwhile", with_crew(function(crew)
    crew:script("t.lua", T)
    local queue = crew:queue()
    fill(crew, queue, "completed", 50000, os.time() - 5)
    crew.redis:call("CONFIG", "SET", "slowlog-log-slower-than", "20000")
    crew.redis:call("SLOWLOG", "RESET") -- of the filling
    crew:run()
    local slowest_ms = 0
    crew:wait_until("all are gone", 60, function()
      local asked_ms = wait.now_ms()
      local left = crew.redis:call("ZCARD", queue:key "completed")
      slowest_ms = math.max(slowest_ms, wait.now_ms() - asked_ms)
      return left == 0, left .. " left"
    end)
    assert.equal(0, task_keys(crew, queue))
    assert.is_true(slowest_ms < 100 * wait.patience, ("one command waited %.0f ms"):format(slowest_ms))
    for _, entry in ipairs(crew.redis:call("SLOWLOG", "GET", "50")) do
      assert.not_matches("EVAL", entry[4][1], nil, ("a script ran for %d us"):format(entry[3]))
    end
  end))

  it("trims the archive of each queue as it is configured", with_crew(function(crew)
    crew:script("t.lua", T)
    local audit, other, tenant = crew:queue "audit", crew:queue "other", crew:queue "tenant:a"
    crew.redis:call("SADD", "asynq:queues", "tenant:a")
    for _, queue in ipairs { audit, other, tenant } do
      fill(crew, queue, "archived", 150, os.time() - 3 * 86400)
    end
    crew:run { archive_max_age = "10d", archive_max_size = 120, queues = {
      audit = { weight = 6, archive_max_age = "1d" }, other = 1, ["tenant:*"] = { archive_max_size = 7 },
    } }
    crew:wait_counts(audit, 20, { archived = 0 })
    crew:wait_counts(other, 20, { archived = 120 })
    crew:wait_counts(tenant, 20, { archived = 7 })
    assert.equal(127, task_keys(crew, other) + task_keys(crew, tenant))
  end))
end)
