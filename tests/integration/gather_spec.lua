-- Several functions at once within one task, in real workers.
local wait = require "wait"
local with_crew = require("support").with_crew

describe("crew.gather", function()
  it("waits for all functions at once, in many tasks at once", with_crew(function(crew)
    crew:script("t.lua", [[
      local function after(seconds, value)
        return function() crew.sleep(seconds) return value end
      end
      crew.task("t", { perform = function(_, task)
        local a, b, c = crew.gather(after(0.3, "a"), after(0.1, "b"), function()
          return table.concat({ crew.gather(after(0.2, "c"), after(0, "d")) })
        end)
        note("done", task.id, a .. b .. c)
      end })
    ]])
    local queue = crew:queue()
    for _ = 1, 100 do queue:add { type = "t" } end
    crew:run { concurrency = 100 }
    crew:wait_counts(queue, 20, { processed = 100, active = 0, lease = 0, failed = 0 })
    for _, entry in ipairs(crew.notes:all "done") do
      assert.equal("abcd", entry[3])
    end
    assert.equal(100, crew.notes:count "done")
  end))

  it("stops all of its functions when the task's time is up", with_crew(function(crew)
    crew:script("t.lua", [[
      local function told(name)
        return function()
          local _, why = pcall(crew.sleep, 60)
          note("told", name, why)
          error(why, 0)
        end
      end
      crew.task("t", { perform = function(_, task)
        note("start")
        crew.gather(told "a", told "b", function() crew.gather(told "c") end)
      end })
    ]])
    local queue = crew:queue()
    local id = queue:add { type = "t", timeout = 1, retry = 0 }
    crew:run()
    crew:wait_counts(queue, 20, { archived = 1, active = 0, lease = 0 })
    assert.matches("context deadline exceeded", queue:task(id).message.error_msg)
    assert.equal(3, crew.notes:count "told")
    local start, told = crew.notes:all("start")[1], crew.notes:all "told"
    assert.is_true(told[3].at_ms - start.at_ms < 2000 * wait.patience, "soon after it")
  end))

  it("ends the task as one of its functions says, and enqueues from there", with_crew(function(crew)
    crew:script("t.lua", [[
      crew.task("other", { perform = function() note "other" end })
      crew.task("t", { perform = function(_, task)
        crew.gather(function() crew.sleep(60) end, function()
          assert(crew.enqueue("other"))
          crew.sleep(0.05)
          task:skip_retry("no use")
        end)
      end })
    ]])
    local queue = crew:queue()
    local id = queue:add { type = "t" }
    crew:run()
    crew:wait_counts(queue, 20, { archived = 1, active = 0, lease = 0, processed = 2 })
    assert.equal("no use", queue:task(id).message.error_msg)
    assert.equal(1, crew.notes:count "other")
  end))

  it("names its task as the one to blame while a function runs", with_crew(function(crew)
    crew:script("t.lua", [[
      crew.task("calm", { perform = function() crew.sleep(1.5) end })
      crew.task("bad", { perform = function()
        crew.gather(function() crew.sleep(5) end, function()
          crew.sleep(0.3)
          note "crash"
          ffi.cast("int *", 8)[0] = 1
        end)
      end })
    ]])
    local queue = crew:queue()
    for i = 1, 10 do queue:add { type = "calm", id = "calm" .. i } end
    queue:add { type = "bad", id = "bad" }
    crew:run { max_crashes = 2 }
    crew:wait_counts(queue, 30, { archived = 1, active = 0, lease = 0, pending = 0 })
    assert.same({ "bad" }, queue:ids "archived")
    assert.equal(2, crew.notes:count "crash")
  end))
end)
