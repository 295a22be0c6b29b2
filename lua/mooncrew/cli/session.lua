-- A command's time with Redis: the client that the configuration names, closed again when the command is done.

local flags = require "mooncrew.cli.flags"
local human = require "mooncrew.cli.human"
local settings = require "mooncrew.cli.settings"

local M = {}

local WRONG_USAGE = 2

--- Adds the flags that every command has which looks into Redis.
---@param parser table
function M.describe(parser)
  parser:flag("--json"):description("print JSON; times in it are RFC 3339, durations seconds unless the name says ms")
  flags.add(parser, { "redis" })
end

--- What a command returns for a failure of a client's method.
---@param message string
---@param code string|nil
---@return nil, string message, integer|nil exit_code
function M.failure(message, code)
  if not code then
    return nil, message
  end
  return nil, ("%s (%s)"):format(message, code), code == "INVALID_ARGUMENT" and WRONG_USAGE or nil
end

--- The same for work in batches, of which some were done.
---@param message string
---@param code string|nil
---@param count integer|nil tasks
---@param done string "deleted"
---@return nil, string message, integer|nil exit_code
function M.half_way(message, code, count, done)
  if count and count > 0 then
    message = ("%s; %s %s before"):format(message, human.many(count, "task"), done)
  end
  return M.failure(message, code)
end

--- Opens the client, hands it to a function, closes it, and returns what the function returned.
---@param given table what argparse made of the arguments
---@param work fun(client: mooncrew.Client): any, string|nil, integer|nil  returns what a command's run returns
---@return any result, string|nil message, integer|nil exit_code
function M.with_client(given, work)
  local resolved, message, exit_code = settings.resolve(given)
  if not resolved then
    return nil, message, exit_code
  end
  local client, code
  client, message, code = require("mooncrew.client").open(resolved:redis())
  if not client then
    return M.failure(message, code)
  end
  local result
  result, message, exit_code = work(client)
  client:close()
  return result, message, exit_code
end

return M
