-- Many tasks that wait for HTTP at the same time: they cost time once, and little memory.
local Process = require "process"
local Server = require "http_server"
local wait = require "wait"
local with_crew = require("support").with_crew

local TASKS, WORKERS = 2000, 2
local LIMIT_S, LIMIT_MB = 4, 150
local SANITIZED = (os.getenv "SAN" or "") ~= ""
local SOFT_FILES = 1024 -- the usual soft limit of open files: a worker must raise its own

local SCRIPT = [[
crew.task("fetch", { perform = function(_, task)
  note("start", task.id)
  local response, message = crew.http.get("%s/wait?s=1")
  note(response and response.status == 200 and response.body == "late" and "done" or "failed", task.id, message)
end })
]]

-- The most memory a process ever had, in MB.
local function peak_mb(pid)
  for line in io.lines(("/proc/%d/status"):format(pid)) do
    local kb = line:match "^VmHWM:%s+(%d+) kB"
    if kb then return tonumber(kb) / 1024 end
  end
end

local function peak_of_all(pids)
  local sum = 0
  for _, pid in ipairs(pids) do
    sum = sum + peak_mb(pid)
  end
  return sum
end

-- The soft limit of open files of a process.
local function soft_files(pid)
  for line in io.lines(("/proc/%d/limits"):format(pid)) do
    local soft, hard = line:match "^Max open files%s+(%d+)%s+(%d+)"
    if soft then return tonumber(soft), tonumber(hard) end
  end
end

-- Seconds from the first start to the last end.
local function span(notes)
  local first, last = math.huge, 0
  for _, entry in ipairs(notes:all "start") do
    first = math.min(first, entry.at_ms)
  end
  for _, entry in ipairs(notes:all "done") do
    last = math.max(last, entry.at_ms)
  end
  return (last - first) / 1000
end

describe("two thousand tasks that each wait a second for a web server", function()
  it("are done in under four seconds, in under 150 MB", with_crew(function(crew)
    local server = Server.start(crew.folder)
    crew:finally(function() server:stop() end)
    crew:script("t.lua", SCRIPT:format(server.url))
    local queue = crew:queue()
    local tasks = queue:add_many(TASKS, function() return { type = "fetch" } end)
    local node = crew:run { workers = WORKERS, concurrency = TASKS / WORKERS }
    crew:wait_until("all have ended", 120, function()
      return crew.notes:count "done" + crew.notes:count "failed" == TASKS, crew.notes:count "done"
    end)
    local seconds, workers = span(crew.notes), node:workers()
    assert.equal(TASKS, #tasks)
    assert.same({}, crew.notes:all "failed")
    assert.equal(WORKERS, #workers)
    local mb = peak_of_all(workers)
    print(("measured: %d tasks, an answer after 1 s each, %d workers: all done in %.2f s, peak %.1f MB together")
      :format(TASKS, WORKERS, seconds, mb))
    assert.is_true(seconds < LIMIT_S * wait.patience, seconds .. " s")
    assert.is_true(SANITIZED or mb < LIMIT_MB, mb .. " MB")
    crew:wait_counts(queue, 20, { pending = 0, active = 0, lease = 0, retry = 0 })
  end))

  it("have files enough, whatever the soft limit is", with_crew(function(crew)
    crew:script("t.lua", [[crew.task("t", { perform = function() note "ran" end })]])
    crew:queue():add { type = "t" }
    local node = crew:node()
    local arguments = { ("--nofile=%d:%d"):format(SOFT_FILES, SOFT_FILES + 1000), require("node").program }
    for _, argument in ipairs(node.args) do
      arguments[#arguments + 1] = argument
    end
    node.process = Process.start("prlimit", { args = arguments, cwd = node.folder, output = node.output })
    node.pid = node.process.pid
    crew:wait_until("the task has run", 20, function() return crew.notes:count "ran" == 1 end)
    local soft, hard = soft_files(node:workers()[1])
    assert.equal(SOFT_FILES + 1000, hard)
    assert.equal(hard, soft)
  end))
end)
