-- A child process: started with its output in a file, watched, stopped by its own id.
local uv = require "luv"
local wait = require "wait"

local Process = {}
Process.__index = Process

-- What a test's own environment must not leak: sanitizer preloads break other programs, settings change what is tested.
local function is_scrubbed(name)
  return name == "LD_PRELOAD" or name:match "^MOONCREW" or name:match "^LUA_"
end

local function environment(extra)
  local merged, list = {}, {}
  for name, value in pairs(uv.os_environ()) do
    if not is_scrubbed(name) then merged[name] = value end
  end
  for name, value in pairs(extra or {}) do
    merged[name] = value
  end
  for name, value in pairs(merged) do
    list[#list + 1] = name .. "=" .. value
  end
  return list
end

-- setpriv becomes the program; it makes the kernel kill it when the test run itself is killed.
local function bound_to_us(path, args)
  local bound = { "--pdeathsig", "KILL", path }
  for _, argument in ipairs(args) do
    bound[#bound + 1] = argument
  end
  return bound
end

--- Starts a program. Options: args, env (added to a scrubbed copy of ours), cwd, output (a file for stdout and stderr),
--- stdio (three descriptors instead), detached (own process group, the default).
---@param path string
---@param options table
function Process.start(path, options)
  local self = setmetatable({ path = path, output = options.output }, Process)
  local stdio, log = options.stdio, nil
  if not stdio then
    log = assert(uv.fs_open(options.output, "a", tonumber("600", 8)))
    stdio = { nil, log, log }
  end
  self.handle, self.pid = uv.spawn("setpriv", {
    args = bound_to_us(path, options.args), cwd = options.cwd, env = environment(options.env), stdio = stdio,
    detached = options.detached ~= false,
  }, function(code, signal)
    self.code, self.signal = code, signal
    self.handle:close()
  end)
  if log then uv.fs_close(log) end
  if not self.handle then error(("cannot start %s: %s"):format(path, self.pid), 2) end
  return self
end

function Process:alive()
  uv.run "nowait"
  return self.code == nil
end

---@param name string "sigterm", "sigkill" …
function Process:send(name)
  if self:alive() then self.handle:kill(name) end
end

--- Waits for the end of the process; returns its exit code and the signal that ended it (0: none).
---@param seconds number
function Process:wait(seconds)
  wait.wait_until(("%s (pid %d) has ended"):format(self.path, self.pid), seconds, function()
    return not self:alive()
  end)
  return self.code, self.signal
end

function Process:kill()
  self:send "sigkill"
  self:wait(10)
end

--- What the process has written so far.
function Process:text()
  local file = assert(io.open(self.output, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

--- Runs a program to its end; returns its exit code and what it wrote.
---@param path string
---@param options table as for start
---@param seconds number
function Process.run(path, options, seconds)
  local process = Process.start(path, options)
  local ended = wait.poll(seconds, function() return not process:alive() end)
  if not ended then
    process:kill()
    error(("%s did not end within %g s; it wrote:\n%s"):format(path, seconds, process:text()), 2)
  end
  return process.code, process:text(), process.signal
end

-- ---- other processes, by /proc ----

local function read_proc(pid, name)
  local file = io.open(("/proc/%d/%s"):format(pid, name), "rb")
  if not file then return nil end
  local text = file:read "*a"
  file:close()
  return text
end

--- True while the process exists and is no zombie.
function Process.exists(pid)
  local stat = read_proc(pid, "stat")
  return stat ~= nil and not stat:match "%) Z "
end

--- The ids of a process' children.
---@return integer[]
function Process.children(pid)
  local found = {}
  local scan = assert(uv.fs_scandir "/proc")
  for name in function() return uv.fs_scandir_next(scan) end do
    local stat = name:match "^%d+$" and read_proc(tonumber(name), "stat")
    if stat and stat:match "%) %a (%d+)" == tostring(pid) and not stat:match "%) Z " then
      found[#found + 1] = tonumber(name)
    end
  end
  return found
end

--- The arguments of a process, with spaces between them.
function Process.command_line(pid)
  return ((read_proc(pid, "cmdline") or ""):gsub("%z", " "))
end

--- The environment a process was started with, one NAME=value a line.
function Process.environment_of(pid)
  return ((read_proc(pid, "environ") or ""):gsub("%z", "\n"))
end

return Process
