-- One mooncrew node: `mooncrew run` in its own folder with its own mooncrew.lua, its log, its workers.
local Process = require "process"
local cjson = require "cjson"
local uv = require "luv"
local wait = require "wait"

local Node = {}
Node.__index = Node

Node.program = assert(os.getenv "MOONCREW", "MOONCREW must be the binary's path: run the tests by `make integration`")

-- A Lua literal of a configuration value.
local function literal(value)
  if type(value) ~= "table" then return type(value) == "string" and ("%q"):format(value) or tostring(value) end
  local parts = {}
  for name, inner in pairs(value) do
    parts[#parts + 1] = ("[%q] = %s"):format(name, literal(inner))
  end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

local function write_config(path, config)
  local file = assert(io.open(path, "w"))
  file:write("return ", literal(config), "\n")
  file:close()
end

--- A node that is not started yet. config is what its mooncrew.lua returns; options: flags (after `run`), env.
---@param folder string made here
---@param config table
---@param options? table
function Node.new(folder, config, options)
  options = options or {}
  assert(uv.fs_mkdir(folder, tonumber("700", 8)))
  write_config(folder .. "/mooncrew.lua", config)
  local args = { "run", "--log-format", "json" }
  for _, flag in ipairs(options.flags or {}) do
    args[#args + 1] = flag
  end
  return setmetatable({
    folder = folder, args = args, env = options.env, output = folder .. "/log", lines = {}, offset = 0,
    log_tail = "",
  }, Node)
end

--- Starts the node's process; does not wait for anything.
function Node:start()
  self.process = Process.start(Node.program,
    { args = self.args, cwd = self.folder, env = self.env, output = self.output })
  self.pid = self.process.pid
  return self
end

--- The ids of the worker processes that run now.
function Node:workers()
  return Process.children(self.pid)
end

--- Waits for the end; returns exit code and signal.
function Node:wait(seconds)
  return self.process:wait(seconds)
end

function Node:send(signal)
  self.process:send(signal)
end

--- Kills the node if it is still there; says which of its workers outlived it.
---@return integer[]
function Node:destroy()
  if not self.process then return {} end
  local workers = self.process:alive() and self:workers() or {}
  if self.process:alive() then self.process:kill() end
  local left = {}
  for _, pid in ipairs(workers) do
    if not wait.poll(10, function() return not Process.exists(pid) end) then
      left[#left + 1] = pid
      uv.kill(pid, "sigkill")
    end
  end
  return left
end

-- ---- the log ----

local function read_new_lines(self)
  local file = io.open(self.output, "rb")
  if not file then return end
  file:seek("set", self.offset)
  local text = file:read "*a"
  file:close()
  self.offset = self.offset + #text
  text = self.log_tail .. text
  local at = 1
  for line, stop in text:gmatch "([^\n]*)\n()" do
    at = stop
    local ok, entry = pcall(cjson.decode, line)
    self.lines[#self.lines + 1] = ok and type(entry) == "table" and entry or { raw = line }
  end
  self.log_tail = text:sub(at)
end

local function fits(entry, wanted)
  for name, value in pairs(wanted) do
    if entry[name] ~= value then return false end
  end
  return true
end

--- The log's entries that have all of these fields: node:log { event = "processed task", task_id = id }.
---@param wanted? table
function Node:log(wanted)
  read_new_lines(self)
  local found = {}
  for _, entry in ipairs(self.lines) do
    if fits(entry, wanted or {}) then found[#found + 1] = entry end
  end
  return found
end

--- Everything the node has written, as it stands in its log.
function Node:text()
  return self.process:text()
end

--- Waits for an entry of the log with these fields, and returns it.
---@param seconds number
---@param wanted table
function Node:wait_log(seconds, wanted)
  return wait.wait_until("the log says " .. cjson.encode(wanted), seconds, function() return self:log(wanted)[1] end)
end

return Node
