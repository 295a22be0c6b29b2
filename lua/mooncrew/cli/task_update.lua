-- mooncrew task update: another payload for a task that is not running.

local locate = require "mooncrew.cli.locate"
local output = require "mooncrew.cli.output"
local payload_source = require "mooncrew.cli.payload_source"
local session = require "mooncrew.cli.session"

local M = { name = "update", summary = "replace the payload of a task" }

function M.describe(parser)
  parser:description("Replaces the payload of a task that is neither active nor completed. The uniqueness lock of a "
    .. "unique task moves along. The payload is not checked against the schemas of scripts: the worker does that.")
  parser:argument("ID"):target("id")
  parser:argument("PAYLOAD"):target("payload"):description(payload_source.DESCRIPTION)
  parser:flag("--raw"):description("take the payload as bytes, not as JSON")
  locate.describe(parser)
  session.describe(parser)
end

local function read_payload(given)
  local bytes, message = payload_source.read(given.payload)
  if bytes and not given.raw then
    bytes, message = payload_source.canonical(bytes)
    return bytes, message, message and "INVALID_PAYLOAD"
  end
  return bytes, message
end

function M.run(given)
  local payload, message, code = read_payload(given)
  if not payload then
    return nil, message, code
  end
  return session.with_client(given, function(client)
    local task
    task, message, code = locate.task(client, given.id, given.queue)
    if not task then
      return nil, message, code
    end
    local ok
    ok, message, code = client:update_payload(task.queue, task.id, payload)
    if not ok then
      return nil, message, code
    end
    if given.json then
      output.json { id = task.id, queue = task.queue, ok = true }
    else
      output.line("replaced the payload of task %s in queue %s", output.word(task.id), output.word(task.queue))
    end
  end)
end

return M
