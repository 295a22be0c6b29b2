-- mooncrew task cancel: asks whoever runs a task to stop it.

local json = require "mooncrew.json"
local human = require "mooncrew.cli.human"
local output = require "mooncrew.cli.output"
local session = require "mooncrew.cli.session"

local M = { name = "cancel", summary = "ask the servers to cancel active tasks" }

function M.describe(parser)
  parser:description("Asks the servers to cancel active tasks. Whoever runs one gets an error where it waits; the task "
    .. "then fails, and is retried later or archived. A task that does not run at this moment is not touched.")
  parser:argument("ID"):target("ids"):args("+"):description("the tasks")
  session.describe(parser)
end

function M.run(given)
  return session.with_client(given, function(client)
    local results, unheard = {}, 0
    for i, id in ipairs(given.ids) do
      local listeners, message, code = client:cancel(id)
      if not listeners then
        return session.failure(message, code)
      end
      results[i] = { id = id, listeners = listeners }
      unheard = unheard + (listeners == 0 and 1 or 0)
      if not given.json and listeners > 0 then
        output.line("asked %s to cancel task %s", human.many(listeners, "server"), id)
      end
    end
    if given.json then
      output.json { tasks = json.array(results) }
    end
    if unheard > 0 then
      return nil, "no server listens, so nothing was cancelled; `mooncrew server ls` lists those that are alive"
    end
  end)
end

return M
