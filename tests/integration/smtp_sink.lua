-- The mail server of smtp_sink.py as a child process, and the messages it took.
local Process = require "process"
local cjson = require "cjson"
local uv = require "luv"
local wait = require "wait"

local Sink = {}
Sink.__index = Sink

local PYTHON = "/usr/bin/python3"

--- Starts a server. Mode: "plain", "starttls", "smtps"; files: certificate, key (paths), for the last two.
---@param folder string
---@param mode? string
---@param files? table
function Sink.start(folder, mode, files)
  Sink.count = (Sink.count or 0) + 1
  mode = mode or "plain"
  local self = setmetatable({ folder = ("%s/mails%d"):format(folder, Sink.count), taken = 0 }, Sink)
  assert(uv.fs_mkdir(self.folder, tonumber("700", 8)))
  local args = { "tests/integration/smtp_sink.py", self.folder, mode }
  if files then args[4], args[5] = files.certificate, files.key end
  self.process = Process.start(PYTHON, { args = args, output = self.folder .. ".out" })
  self.port = wait.wait_until("the mail server listens", 30, function()
    if not self.process:alive() then error("the mail server ended:\n" .. self.process:text(), 0) end
    return self.process:text():match "^(%d+)\n"
  end)
  self.url = ("%s://127.0.0.1:%s"):format(mode == "smtps" and "smtps" or "smtp", self.port)
  return self
end

--- The next message it took, in the order they came, as smtp_sink.py describes it; nil while there is none.
function Sink:take()
  local file = io.open(("%s/%d.json"):format(self.folder, self.taken + 1), "rb")
  if not file then return nil end
  self.taken = self.taken + 1
  local message = cjson.decode(file:read "*a")
  file:close()
  return message
end

function Sink:stop()
  if self.process:alive() then self.process:kill() end
end

return Sink
