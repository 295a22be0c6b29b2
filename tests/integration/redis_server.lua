-- A private redis-server on a unix socket in a test's own folder.
local Process = require "process"
local Redis = require "redis"
local uv = require "luv"
local wait = require "wait"

local Server = {}
Server.__index = Server

--- A server that is not started yet. Arguments are added to redis-server's: { "--appendonly", "yes" }.
---@param folder string
---@param arguments? string[]
function Server.new(folder, arguments)
  return setmetatable({
    folder = folder, socket = folder .. "/redis.sock", arguments = arguments or {}, client = nil,
  }, Server)
end

--- The address as mooncrew wants it.
function Server:url()
  return "redis+unix://" .. self.socket
end

--- Starts the server and waits until it answers; returns a client.
function Server:start()
  local args = { "--port", "0", "--unixsocket", self.socket, "--dir", self.folder, "--save", "" }
  for _, argument in ipairs(self.arguments) do
    args[#args + 1] = argument
  end
  self.process = Process.start("redis-server", { args = args, cwd = self.folder, output = self.folder .. "/redis.log" })
  self.client = self.client or Redis.new(self.socket)
  wait.wait_until("redis-server answers", 20, function()
    if not self.process:alive() then error("redis-server ended:\n" .. self.process:text(), 0) end
    return uv.fs_stat(self.socket) and pcall(self.client.call, self.client, "PING")
  end)
  return self.client
end

--- Stops the server's process, which keeps its connections and answers nothing, and lets it go on.
function Server:freeze()
  self.process:send "sigstop"
end

function Server:thaw()
  self.process:send "sigcont"
end

--- Ends the server, "sigterm" or "sigkill", and waits until it has gone.
---@param signal string
function Server:stop(signal)
  self.client:close()
  self.process:send(signal)
  self.process:wait(20)
  uv.fs_unlink(self.socket)
end

return Server
