-- A command's time with Redis: the client that the configuration names, closed again when the command is done.

local json = require "mooncrew.json"
local flags = require "mooncrew.cli.flags"
local human = require "mooncrew.cli.human"
local output = require "mooncrew.cli.output"
local settings = require "mooncrew.cli.settings"

local M = {}

--- Adds the flags that every command has which looks into Redis.
---@param parser table
function M.describe(parser)
  parser:flag("--json"):description("print JSON; times in it are RFC 3339, durations seconds unless the name says ms")
  flags.add(parser, { "redis" })
end

--- What a command returns for a failure of work in batches, of which some were done.
---@param message string
---@param code string|nil
---@param count integer|nil tasks
---@param done string "deleted"
---@return nil, string message, string|nil code
function M.half_way(message, code, count, done)
  if count and count > 0 then
    message = ("%s; %s %s before"):format(message, human.many(count, "task"), done)
  end
  return nil, message, code
end

--- What a command returns that did something to each of several tasks: of the only one its failure, of many how many
--- failed. A program gets all of them, in a failure's object too.
---@param results { error: string|nil, code: string|nil }[]
---@param refused integer how many have an error
---@param as_json boolean|nil
---@param done string "deleted"
---@return nil, string|nil message, string|nil code, table|nil fields
function M.each(results, refused, as_json, done)
  local fields = { tasks = json.array(results) }
  if refused == 0 then
    if as_json then
      output.json(fields)
    end
    return nil
  elseif #results == 1 then
    return nil, results[1].error, results[1].code, fields
  end
  return nil, ("%d of %d tasks were not %s"):format(refused, #results, done), "INCOMPLETE", fields
end

--- Opens a client, hands it to a function, closes it, and returns what the function returned.
---@param url string
---@param work fun(client: mooncrew.Client): any, string|nil, string|nil, table|nil  returns what a command's run does
---@return any result, string|nil message, string|nil code, table|nil fields
function M.at(url, work)
  local client, message, code = require("mooncrew.client").open(url)
  if not client then
    return nil, message, code
  end
  local result, fields
  result, message, code, fields = work(client)
  client:close()
  return result, message, code, fields
end

--- The same at the Redis that the configuration names.
---@param given table what argparse made of the arguments
---@param work fun(client: mooncrew.Client): any, string|nil, string|nil, table|nil
---@return any result, string|nil message, string|nil code, table|nil fields
function M.with_client(given, work)
  local resolved, message, code = settings.resolve(given)
  if not resolved then
    return nil, message, code
  end
  return M.at(resolved:redis(), work)
end

return M
