-- Whether a queue is there: a mistyped name must not look like success. A queue is known once a task was enqueued to
-- it, or when a server that is alive serves it.

local native = require "mooncrew.native"
local nearest = require "mooncrew.nearest"
local output = require "mooncrew.cli.output"
local serving = require "mooncrew.cli.serving"

local M = {}

-- The name that was probably meant, of the queues in Redis and of those that servers serve.
local function meant(client, queue, servers)
  local stats, message, code = client:stats()
  if not stats then
    return nil, message, code
  end
  local names = {}
  for _, known in ipairs(stats.queues) do
    names[#names + 1] = known.name
  end
  for _, server in ipairs(servers) do
    for name in pairs(server.queues) do
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return nearest(queue, names) or false
end

--- Whether a queue may be called so that need not be there yet.
---@param _ mooncrew.Client
---@param queue string
---@return true|nil ok, string|nil message, string|nil code
function M.may_be(_, queue)
  if not native.queue_name_usable(queue) then
    return nil, ("queue: %s is no queue name: it is UTF-8 without white space, control characters and any of = , { }")
      :format(output.quoted(queue)), "INVALID_ARGUMENT"
  end
  return true
end

--- Looks for a queue.
---@param client mooncrew.Client
---@param queue string
---@return boolean|nil known  nil: Redis fails
---@return string|nil message, string|nil code  why it is not known, NOT_FOUND; or the failure
---@return string|nil near the name that was probably meant
function M.look(client, queue)
  local info, message, code = client:queue(queue)
  if info or code ~= "NOT_FOUND" then
    return info and true or nil, message, code
  end
  local servers
  servers, message, code = client:servers { tasks = false }
  if not servers then
    return nil, message, code
  elseif serving.any(servers, queue) then
    return true
  end
  local near
  near, message, code = meant(client, queue, servers)
  if near == nil then
    return nil, message, code
  end
  local hint = near and ("did you mean %s?"):format(output.word(near)) or "`mooncrew queue ls` lists those there are"
  return false, ("there is no queue %s: %s"):format(output.quoted(queue), hint), "NOT_FOUND", near or nil
end

return M
