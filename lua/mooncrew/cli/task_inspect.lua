-- mooncrew task inspect: everything that is known of one task.

local human = require "mooncrew.cli.human"
local locate = require "mooncrew.cli.locate"
local output = require "mooncrew.cli.output"
local session = require "mooncrew.cli.session"
local task_view = require "mooncrew.cli.task_view"

local M = { name = "inspect", summary = "tell all about one task, with its payload and its result" }

function M.describe(parser)
  parser:argument("ID"):target("id")
  locate.describe(parser)
  session.describe(parser)
end

-- A payload or a result below a line that says what it is.
local function print_bytes(name, bytes)
  if not bytes then
    return
  end
  local text, kind = human.payload(bytes)
  if bytes == "" then
    output.line("\n%s: empty", name)
  else
    output.line("\n%s (%s, %s):\n%s", name, kind, human.size(#bytes), text)
  end
end

function M.run(given)
  return session.with_client(given, function(client)
    local task, message, code = locate.task(client, given.id, given.queue)
    if not task then
      return nil, message, code
    end
    if given.json then
      output.json(task_view.json(task))
      return
    end
    output.fields(task_view.fields(task))
    print_bytes("payload", task.payload)
    print_bytes("result", task.result)
  end)
end

return M
