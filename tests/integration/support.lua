-- What every integration test stands on: its own folder, its own Redis, real mooncrew processes, and a clean end.
--
--   local with_crew = require("support").with_crew
--   describe("a worker", function()
--     it("killed in mid-task costs no retry", with_crew(function(crew)
--       crew:script("t.lua", [[ crew.task("t", { perform = function(_, task) note("ran", task.id) end }) ]])
--       crew:queue():add { type = "t" }
--       crew:run()
--       crew:wait_until("the task has run", 5, function() return crew.notes:count "ran" == 1 end)
--     end))
--   end)
--
-- Whatever a test started is stopped when it ends, also when it fails; then the failure's text has the nodes' logs.
local Node = require "node"
local Notes = require "notes"
local Process = require "process"
local Proxy = require "proxy"
local Queue = require "queue"
local Server = require "redis_server"
local Terminal = require "terminal"
local uv = require "luv"
local wait = require "wait"

local Crew = {}
Crew.__index = Crew

local LOG_TAIL, LOG_WIDTH = 30, 400 -- lines of each node's log that a failure shows, and bytes of each
local KEEP_FAILED = os.getenv "KEEP_FAILED" -- set: the folder of a failed test stays

local function write_file(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

--- A context with a folder, notes, and a Redis that runs. Options: redis (arguments for redis-server).
local function open(options)
  local folder = assert(uv.fs_mkdtemp "/tmp/mooncrew-test-XXXXXX")
  assert(uv.fs_mkdir(folder .. "/scripts", tonumber("700", 8)))
  local self = setmetatable({
    folder = folder, scripts = folder .. "/scripts", notes = Notes.new(folder), nodes = {}, queues = {}, cleanups = {},
    server = Server.new(folder, options.redis),
  }, Crew)
  return self
end

-- ---- what a test does ----

--- Writes a handler script; `crew`, `ffi`, `note` and `here` are there (notes.lua).
---@param name string "greet.lua"
---@param body string
function Crew:script(name, body)
  write_file(self.scripts .. "/" .. name, self.notes:script(body))
end

--- Writes any file into the test's folder; returns its path.
---@param name string
---@param text string
function Crew:file(name, text)
  write_file(self.folder .. "/" .. name, text)
  return self.folder .. "/" .. name
end

--- A queue of the test's Redis, the same at each call: it counts its tasks, for their ids.
---@param name? string
function Crew:queue(name)
  name = name or "default"
  self.queues[name] = self.queues[name] or Queue.new(self.redis, name)
  return self.queues[name]
end

-- The configuration of a node: short times, unless the test says otherwise.
local function config_of(self, config)
  local whole = { redis = self.server:url(), scripts = self.scripts, workers = 1, concurrency = 50, kill_grace = "1s" }
  for name, value in pairs(config or {}) do
    whole[name] = value
  end
  if whole.redis == false then whole.redis = nil end
  return whole
end

--- A node that is not started. Config: options of mooncrew.lua over the defaults above; `redis = false` leaves the
--- address out. Options: flags, env.
---@param config? table
---@param options? table
function Crew:node(config, options)
  local node = Node.new(("%s/node%d"):format(self.folder, #self.nodes + 1), config_of(self, config), options)
  table.insert(self.nodes, node)
  return node
end

--- Starts a node.
---@param config? table
---@param options? table
function Crew:run(config, options)
  return self:node(config, options):start()
end

--- A script whose one task notes how its handler ended; %s is the handler's body, which has `task`.
Crew.HANDLER = [[
  crew.task("t", { perform = function(_, task)
    local ok, why = pcall(function() %s end)
    note("end", tostring(ok), tostring(why))
  end })
]]

--- Runs the handler of such a script once, on a node of its own; it must end well. Returns the notes.
function Crew:run_handler()
  self:queue():add { type = "t", retry = 0 }
  self:run()
  self:wait_until("the handler has ended", 30, function() return self.notes:count "end" == 1 end)
  local last = self.notes:all("end")[1]
  assert(last[2] == "true", last[3])
  return self.notes
end

--- Runs the binary to its end with the test's Redis in its environment; returns exit code and output.
---@param args string[]
---@param seconds? number
function Crew:command(args, seconds)
  return Process.run(Node.program, {
    args = args, cwd = self.folder, env = { MOONCREW_REDIS = self.server:url() }, output = self:file("command.out", ""),
  }, (seconds or 20) * wait.patience)
end

--- Starts a Lua program in LuaJIT, with mooncrew's own Lua modules in reach and the client of this build.
---@param name string
---@param body string the program; arg[1] is the address of Redis
---@param url? string
function Crew:producer(name, body, url)
  local path = self:file(name .. ".lua", body)
  local process = Process.start("/usr/bin/luajit", {
    args = { path, url or self.server:url() }, output = self.folder .. "/" .. name .. ".out", cwd = self.folder,
    env = self:lua_environment(),
  })
  self:finally(function() if process:alive() then process:kill() end end)
  return process
end

--- LUA_PATH and LUA_CPATH, made absolute, and the sanitizer preload that the client's shared object needs.
function Crew.lua_environment()
  local root = uv.cwd()
  return {
    LUA_PATH = ("%s/lua/?.lua;%s/lua/?/init.lua;;"):format(root, root),
    LUA_CPATH = ("%s/lua/?.so;;"):format(assert(os.getenv "MOONCREW_BUILD")),
    LD_PRELOAD = os.getenv "LD_PRELOAD" or "",
  }
end

--- A proxy before the test's Redis.
function Crew:proxy()
  local proxy = Proxy.start(self.folder .. "/proxy.sock", self.server.socket)
  self:finally(function() proxy:stop() end)
  return proxy
end

--- `mooncrew run` in a terminal of its own, with the node's configuration; its log goes to the terminal.
---@param config? table
function Crew:terminal(config)
  local node = self:node(config)
  local terminal = Terminal.start(Node.program, { args = node.args, cwd = node.folder })
  self:finally(function() terminal:close() end)
  return terminal
end

--- Runs a function when the test ends, whatever happened; the last one given runs first.
function Crew:finally(fn)
  table.insert(self.cleanups, fn)
end

--- As wait.wait_until.
function Crew.wait_until(_, ...)
  return wait.wait_until(...)
end

--- Waits until a queue's counts are as given: crew:wait_counts(queue, 10, { completed = 50, active = 0, lease = 0 }).
---@param queue table
---@param seconds number
---@param wanted table<string, integer>
function Crew.wait_counts(_, queue, seconds, wanted)
  local function show(counts)
    local parts = {}
    for name, value in pairs(counts) do
      parts[#parts + 1] = ("%s=%d"):format(name, value)
    end
    table.sort(parts)
    return table.concat(parts, " ")
  end
  return wait.wait_until(("queue %s has %s"):format(queue.name, show(wanted)), seconds, function()
    local counts = queue:counts()
    for name, value in pairs(wanted) do
      if counts[name] ~= value then return nil, show(counts) end
    end
    return counts
  end)
end

-- ---- the frame around a test ----

local function log_tails(self)
  local parts = {}
  for i, node in ipairs(self.nodes) do
    local file = io.open(node.output, "rb")
    local lines = {}
    for line in file and file:lines() or function() end do
      lines[#lines + 1] = line:sub(1, LOG_WIDTH)
    end
    if file then file:close() end
    parts[#parts + 1] = ("log of node %d, last lines:\n%s"):format(i,
      table.concat(lines, "\n", math.max(1, #lines - LOG_TAIL + 1)))
  end
  return table.concat(parts, "\n")
end

local function remove_tree(path)
  for name, kind in function(scan) return uv.fs_scandir_next(scan) end, assert(uv.fs_scandir(path)) do
    local entry = path .. "/" .. name
    if kind == "directory" then remove_tree(entry) else uv.fs_unlink(entry) end
  end
  uv.fs_rmdir(path)
end

-- What no log may hold, whatever the test was about.
local DEFECTS = { "handles left open", "worker panics", "malformed frame", "runtime error:",
  "heap%-use%-after%-free", "heap%-buffer%-overflow", "stack%-buffer%-overflow", "double%-free" }

local function find_defect(node)
  local text = node.process and node:text() or ""
  for _, pattern in ipairs(DEFECTS) do
    local at = text:find(pattern) -- without the line around it, which would take minutes for a long log
    if at then return "the log shows a defect: " .. text:sub(math.max(1, at - 200), at + 200) end
  end
end

-- Stops everything; returns a complaint when something outlived its owner, or when a log shows a defect.
local function close(self, keep)
  local complaint
  for i = #self.cleanups, 1, -1 do
    self.cleanups[i]()
  end
  for _, node in ipairs(self.nodes) do
    local left = node:destroy()
    if #left > 0 then complaint = "workers outlived their supervisor: " .. table.concat(left, " ") end
    complaint = complaint or find_defect(node)
  end
  if self.server.process and self.server.process:alive() then self.server:stop "sigkill" end
  uv.run "nowait"
  if not keep then remove_tree(self.folder) end
  return complaint
end

local function explain(self, failure)
  if type(failure) == "table" then return failure end -- busted's own, with its formatting
  return ("%s\n%s"):format(failure, log_tails(self))
end

-- Errors of busted's assertions are tables or userdata that must be raised as they are; ours are texts with a place.
local function traced(failure)
  return type(failure) == "string" and debug.traceback(failure, 2) or failure
end

local M = {}

--- A test's function for `it`: it runs the given one with a context (Crew) whose Redis runs, and cleans up after it.
---@param test fun(crew: table)
---@param options? table redis: arguments for redis-server
---@return fun()
function M.with_crew(test, options)
  return function()
    local crew = open(options or {})
    local ok, failure = xpcall(function()
      crew.redis = crew.server:start()
      test(crew)
    end, traced)
    if not ok then failure = explain(crew, failure) end
    local closed, complaint = pcall(close, crew, not ok and KEEP_FAILED)
    if not ok then error(failure, 0) end
    if not closed or complaint then error(complaint, 0) end
  end
end

return M
