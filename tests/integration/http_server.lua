-- The web server of http_server.py as a child process.
local Process = require "process"
local wait = require "wait"

local Server = {}
Server.__index = Server

local PYTHON = "/usr/bin/python3"

--- Starts a server. Options: certificate, key (paths).
---@param folder string
---@param options? table
function Server.start(folder, options)
  options = options or {}
  Server.count = (Server.count or 0) + 1
  local args = { "tests/integration/http_server.py" }
  if options.certificate then args[2], args[3] = options.certificate, options.key end
  local output = ("%s/http%d.out"):format(folder, Server.count)
  local self = setmetatable({ process = Process.start(PYTHON, { args = args, output = output }) }, Server)
  self.port, self.silent_port = wait.wait_until("the web server listens", 20, function()
    if not self.process:alive() then error("the web server ended:\n" .. self.process:text(), 0) end
    return self.process:text():match "^%d+ %d+\n"
  end):match "(%d+) (%d+)"
  self.url = (options.certificate and "https" or "http") .. "://127.0.0.1:" .. self.port
  self.silent_url = "http://127.0.0.1:" .. self.silent_port
  return self
end

function Server:stop()
  if self.process:alive() then self.process:kill() end
end

return Server
