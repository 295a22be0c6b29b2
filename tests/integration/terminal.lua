-- A real terminal (pty) with a program in its foreground, so that keys such as Ctrl-C do what they do for a person.
local ffi = require "ffi"
local uv = require "luv"
local Process = require "process"

ffi.cdef [[
int openpty(int *master, int *slave, char *name, const void *settings, const void *size);
int close(int fd);
int ioctl(int fd, unsigned long request);
]]

local FIOCLEX = 0x5451 -- close on exec

local Terminal = {}
Terminal.__index = Terminal

--- Starts a program as the leader of a new session whose controlling terminal is a new pty. Its process id is that of
--- `setsid`, which becomes the program.
---@param path string
---@param options table args, env, cwd
function Terminal.start(path, options)
  local master, slave = ffi.new "int[1]", ffi.new "int[1]"
  assert(ffi.C.openpty(master, slave, nil, nil, nil) == 0, "openpty failed")
  ffi.C.ioctl(master[0], FIOCLEX) -- or the program would keep its own terminal open
  local args = { "--ctty", path }
  for _, argument in ipairs(options.args) do
    args[#args + 1] = argument
  end
  local self = setmetatable({ written = {} }, Terminal)
  -- Not detached: setsid forks, and the id is lost, when its caller has made it a group leader.
  self.process = Process.start("setsid", {
    args = args, env = options.env, cwd = options.cwd, detached = false, stdio = { slave[0], slave[0], slave[0] },
  })
  ffi.C.close(slave[0])
  self.pipe = uv.new_pipe(false)
  assert(self.pipe:open(master[0]))
  self.pipe:read_start(function(_, bytes) -- the end reads as an error (EIO) when the last program has gone
    self.written[#self.written + 1] = bytes
  end)
  return self
end

--- Types keys; "\3" is Ctrl-C.
---@param keys string
function Terminal:type(keys)
  self.pipe:write(keys)
end

--- What the screen has been sent.
function Terminal:text()
  return table.concat(self.written)
end

function Terminal:close()
  if self.process:alive() then self.process:kill() end
  if not self.pipe:is_closing() then self.pipe:close() end
end

return Terminal
