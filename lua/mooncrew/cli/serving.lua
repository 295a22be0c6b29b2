-- Which queues the servers that are alive serve.

local output = require "mooncrew.cli.output"
local queues_text = require "mooncrew.cli.queues_text"

local M = {}

local function serves(server, queue)
  return server.queues[queue] ~= nil
    or (server.patterns ~= nil and queues_text.serves(queues_text.read(server.patterns), queue))
end

--- Whether one of them serves the queue, by its name or by a pattern.
---@param servers mooncrew.ServerInfo[]
---@param queue string
---@return boolean
function M.any(servers, queue)
  for _, server in ipairs(servers) do
    if serves(server, queue) then
      return true
    end
  end
  return false
end

--- Why nobody will take a task of the queue for now; nil when somebody does.
---@param servers mooncrew.ServerInfo[]
---@param queue string
---@return string|nil warning
function M.warning(servers, queue)
  if #servers == 0 then
    return "no server is alive: the task waits until one runs"
  elseif not M.any(servers, queue) then
    return ("no server that is alive serves queue %s: see `mooncrew server ls`"):format(output.word(queue))
  end
end

return M
