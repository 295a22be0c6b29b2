-- What an operator is told who looks at a fleet, or sends it something, by the real binary.
local cjson = require "cjson"
local with_crew = require("support").with_crew

local T = [[ crew.task("t", { retention = "1h", perform = function(payload) return payload and payload.reply end }) ]]

local function done(crew, ...)
  local code, text = crew:command { ... }
  assert.equal(0, code, text)
  return text
end

-- What enqueue warns of: as a program reads it, and as people do.
local function warning_for(crew, queue)
  local args = { "enqueue", "t", "--no-scripts", "--queue", queue }
  local text = done(crew, unpack(args))
  args[#args + 1] = "--json"
  local warning = cjson.decode(done(crew, unpack(args))).warning
  assert.equal(warning ~= nil, text:find("mooncrew: warning: " .. (warning or ""), 1, true) ~= nil, text)
  return warning
end

describe("an operator", function()
  it("is told when a task goes where nobody would take it", with_crew(function(crew)
    crew:script("t.lua", T)
    assert.equal("no server is alive: the task waits until one runs", warning_for(crew, "default"))
    crew:run({ queues = { default = 1, ["tenant:*"] = 1 } }):wait_log(30, { event = "worker ready" })
    crew:wait_until("the server tells of itself", 20, function()
      return done(crew, "server", "ls"):find("default=1 tenant:*", 1, true)
    end)
    assert.is_nil(warning_for(crew, "default"))
    assert.is_nil(warning_for(crew, "tenant:new"), "a pattern serves it")
    assert.equal("no server that is alive serves queue tennat:new: see `mooncrew server ls`",
      warning_for(crew, "tennat:new"))
    done(crew, "queue", "pause", "tenant:other")
    done(crew, "queue", "unpause", "tenant:other")
  end))

  it("pauses no queue that is not there, unless it is to come", with_crew(function(crew)
    local queue = crew:queue "mail"
    queue:add { type = "t" }
    local code, text = crew:command { "queue", "pause", "mial" }
    assert.equal(1, code)
    assert.matches("did you mean mail%?", text)
    assert.same({}, crew.redis:call("KEYS", "*paused*"))
    done(crew, "queue", "pause", "mial", "--new")
    assert.equal(1, #crew.redis:call("KEYS", "*{mial}:paused"))
    done(crew, "queue", "unpause", "mial")
    assert.equal(1, (crew:command { "queue", "unpause", "mial" }))
    text = done(crew, "queue", "limit", "mial", "--rate", "10/s")
    assert.matches("warning: no task was ever enqueued to queue mial, .* did you mean mail%?\n", text)
    assert.falsy(done(crew, "queue", "limit", "mial", "--rate", "5/s"):find "warning")
  end))

  it("reads bytes as such, and no control character", with_crew(function(crew)
    crew:script("t.lua", [[ crew.task("t", { retention = "1h", perform = function() return "\0\255" end }) ]])
    crew:run()
    done(crew, "enqueue", "t", "--task-id", "a\n\27[1m", "--retention", "1h", "--no-scripts")
    assert.equal("hex:00ff\n", done(crew, "wait", "a\n\27[1m"))
    assert.equal("00ff", cjson.decode(done(crew, "wait", "a\n\27[1m", "--json")).result_hex)
    local text = done(crew, "task", "ls", "--state", "completed")
    assert.matches("\na%?%?%[1m ", text)
    text = done(crew, "task", "rm", "a\n\27[1m", "--yes")
    assert.equal([[deleted task "a\n\u001b[1m" in queue default]] .. "\n", text)
    local _, told = crew:command { "task", "rm", "a\n\27[1m", "--yes" }
    assert.falsy(told:find "\27")
  end))

  it("sees a cron entry as due, never as past, and counts that add up", with_crew(function(crew)
    crew:script("t.lua", T .. ' crew.cron("@every 1s", "t")')
    crew:run({ pools = { a = { workers = 1, concurrency = 3 }, b = { workers = 1, concurrency = 4 } } })
    local seen = {}
    crew:wait_until("the entry was seen due and to come", 60, function()
      local row = done(crew, "cron", "ls"):match "\n[^\n]*@every 1s +t +(%S+)"
      if row then seen[row] = true end
      return seen.due or seen["in"] and seen.now
    end)
    for _ = 1, 10 do
      local row = done(crew, "cron", "ls"):match "\n[^\n]*@every 1s +t +(.-)  "
      assert.falsy(row and row:find "ago", row)
    end
    local text = done(crew, "server", "ls")
    local total, whole = text:match "(%d+) of (%d+) +%d+, "
    local sum = 0
    for busy in text:gmatch "(%d+) of %d+\n" do sum = sum + tonumber(busy) end
    assert.same({ tostring(sum), "7" }, { total, whole }, text)
  end))

  it("is warned by check of what would wait for ever", with_crew(function(crew)
    crew:script("t.lua", T .. ' crew.cron("@daily", "tt") crew.task("u", { queue = "night", perform = print })')
    crew:file("mooncrew.lua", "return { pools = { a = { workers = 1, queues = { default = 1 } } } }")
    local text = done(crew, "check")
    assert.matches('t.lua:%d+: warning: the cron entry "@daily" enqueues "tt", which no script registers; '
      .. 'did you mean "t"%?\n', text)
    assert.matches('t.lua:%d+: warning: task "u" goes to queue "night", which is not among', text)
    assert.falsy(done(crew, "check", "--pools", "a: workers=1 queues=default=1,nig*=1"):find '"night"')
  end))
end)

