-- task:progress: whoever looks at a task sees how far it has come, and no handler can flood anybody with it.
local cjson = require "cjson"
local wait = require "wait"
local with_crew = require("support").with_crew

local function told(queue, id)
  local task = queue:task(id)
  return task and task.mc_progress and cjson.decode(task.mc_progress)
end

local function wait_told(crew, queue, id, fraction)
  crew:wait_until(("%s tells %g"):format(id, fraction), 20, function()
    local progress = told(queue, id)
    return progress and progress.fraction == fraction, progress and progress.fraction
  end)
end

local STEPS = [[
crew.task("steps", { perform = function(payload, task)
  task:progress(0.25, 'step "1" of 4')
  task:progress(0.5)
  task:progress(0.75, "step 3 of 4")
  while not io.open(here .. "/release") do crew.sleep(0.02) end
  if payload.fails then error "no" end
end })
]]

describe("progress:", function()
  it("stands with a task while it runs, and goes when it has ended", with_crew(function(crew)
    crew:script("steps.lua", STEPS)
    local queue = crew:queue()
    crew:run {}
    queue:add { type = "steps", id = "good", payload = "{}", retention = 600 }
    queue:add { type = "steps", id = "bad", payload = '{"fails":true}' }
    wait_told(crew, queue, "good", 0.75)
    wait_told(crew, queue, "bad", 0.75)
    local progress = told(queue, "good")
    assert.equal("step 3 of 4", progress.text)
    assert.is_true(math.abs(progress.at - os.time()) < 60)

    local code, text = crew:command { "task", "inspect", "good" }
    assert.equal(0, code, text)
    assert.matches("\nprogress +75%% %(step 3 of 4%), told ", text)
    assert.is_nil(text:find("mc_progress", 1, true))
    code, text = crew:command { "task", "inspect", "good", "--json" }
    assert.equal(0, code, text)
    local shown = cjson.decode(text).progress
    assert.same({ 0.75, "step 3 of 4" }, { shown.fraction, shown.text })
    assert.matches("^%d+%-%d%d%-%d%dT.*Z$", shown.at)

    crew:file("release", "")
    crew:wait_counts(queue, 20, { completed = 1, retry = 1, active = 0 })
    assert.is_nil(told(queue, "good"))
    assert.is_nil(told(queue, "bad"))
  end))

  -- The hash of the task is written to by nobody else meanwhile but for its progress.
  local function count_writes(crew, calls)
    return tonumber((crew.redis:call("INFO", "commandstats"):match("cmdstat_" .. calls .. ":calls=(%d+)"))) or 0
  end

  for name, pause in pairs { ["computes"] = "", ["waits a little"] = "crew.sleep(0)" } do
    it("a handler that tells without end and " .. name .. " is written once a second", with_crew(function(crew)
      crew:script("flood.lua", [[
        crew.task("flood", { timeout = "60s", perform = function(_, task)
          local began, calls = os.time(), 0
          repeat
            calls = calls + 1
            task:progress(0.5 + 0.1 * (calls % 2), ("x"):rep(100000))
            ]] .. pause .. [[

          until os.time() - began >= 4
          task:progress(1, "\255 done")
          crew.sleep(1.5)
          note("calls", calls)
          while not io.open(here .. "/release") do crew.sleep(0.02) end
        end })
      ]])
      local queue = crew:queue()
      local node = crew:run { workers = 1, kill_grace = "60s" }
      local before = count_writes(crew, "hset")
      queue:add { type = "flood", id = "flood" }
      crew:wait_until("it is seen while it goes on", 10, function()
        local progress = told(queue, "flood")
        return progress and progress.fraction < 1
      end)
      assert.equal(0, crew.notes:count "calls")
      local text = told(queue, "flood").text
      assert.is_true(#text <= 1100 and #text >= 1000, #text .. " bytes are kept")
      wait_told(crew, queue, "flood", 1)
      assert.equal("\239\191\189 done", told(queue, "flood").text)
      crew:wait_until("it has counted", 20, function() return crew.notes:count "calls" == 1 end)
      local writes = count_writes(crew, "hset") - before
      assert.is_true(writes <= 15 * wait.patience, writes .. " writes")
      crew:file("release", "")
      crew:wait_counts(queue, 20, { active = 0, processed = 1 })
      assert.same({}, node:log { event = "worker killed" })
    end))
  end

  it("of a task that is deleted meanwhile brings nothing back", with_crew(function(crew)
    crew:script("steps.lua", [[
      crew.task("steps", { perform = function(_, task)
        note "start"
        while not io.open(here .. "/release") do task:progress(0.5) crew.sleep(0.02) end
        note "end"
      end })
    ]])
    local queue = crew:queue()
    crew:run {}
    queue:add { type = "steps", id = "a" }
    wait_told(crew, queue, "a", 0.5)
    crew.redis:call("DEL", queue:key "t:a")
    wait.hold("the hash stays away", 2, function() return queue:task "a" == nil end)
    crew:file("release", "")
    crew:wait_until("it has ended", 20, function() return crew.notes:count "end" == 1 end)
    assert.is_nil(queue:task "a")
  end))
end)
