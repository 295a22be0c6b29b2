-- mooncrew task cancel: asks whoever runs a task to stop it.

local codes = require "mooncrew.cli.codes"
local human = require "mooncrew.cli.human"
local locate = require "mooncrew.cli.locate"
local output = require "mooncrew.cli.output"
local session = require "mooncrew.cli.session"

local M = { name = "cancel", summary = "ask the servers to cancel active tasks" }

function M.describe(parser)
  parser:description("Asks the servers to cancel active tasks. Whoever runs one gets an error where it waits; the task "
    .. "then fails, and is retried later or archived. Of a task that is not active its state is said instead.")
  parser:argument("ID"):target("ids"):args("+"):description("the tasks")
  session.describe(parser)
end

local NOBODY = "no server listens, so nothing was cancelled; `mooncrew server ls` lists those that are alive"

-- Why nobody is asked, and its code; nil: the task is active in some queue.
local function obstacle(id, tasks)
  local places = {}
  for i, task in ipairs(tasks) do
    if task.state == "active" then
      return nil
    end
    places[i] = ("%s in queue %s"):format(task.state, output.word(task.queue))
  end
  if #places == 0 then
    return locate.nowhere(id), "NOT_FOUND"
  end
  local where = table.concat(places, " and ")
  return ("task %s is %s: only an active task can be cancelled"):format(output.word(id), where), "WRONG_STATE"
end

-- What became of one task: { id, listeners, error, code }; nil, message, code: Redis fails.
local function cancel_one(client, id)
  local tasks, message, code = locate.all(client, id)
  if not tasks then
    return nil, message, code
  end
  local refused, why = obstacle(id, tasks)
  if refused then
    return { id = id, listeners = 0, error = refused, code = why }
  end
  local listeners
  listeners, message, code = client:cancel(id)
  if not listeners then
    return nil, message, code
  end
  local unheard = listeners == 0
  return { id = id, listeners = listeners, error = unheard and NOBODY or nil, code = unheard and "NO_SERVER" or nil }
end

local function tell(result, is_only)
  if not result.error then
    output.line("asked %s to cancel task %s", human.many(result.listeners, "server"), output.word(result.id))
  elseif not is_only then
    output.complain(codes.told(result.error, result.code))
  end
end

-- One after the other; a refusal is told and does not keep back the others.
local function cancel_all(client, given)
  local results, refused = {}, 0
  for i, id in ipairs(given.ids) do
    local result, message, code = cancel_one(client, id)
    if not result then
      return nil, message, code
    end
    results[i] = result
    refused = refused + (result.error and 1 or 0)
    if not given.json then
      tell(result, #given.ids == 1)
    end
  end
  return session.each(results, refused, given.json, "cancelled")
end

function M.run(given)
  return session.with_client(given, function(client)
    return cancel_all(client, given)
  end)
end

return M
