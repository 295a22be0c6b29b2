-- mooncrew wait: until a task has ended; gives its result, or says why there is none.

local duration = require "mooncrew.duration"
local locate = require "mooncrew.cli.locate"
local human = require "mooncrew.cli.human"
local output = require "mooncrew.cli.output"
local session = require "mooncrew.cli.session"
local task_view = require "mooncrew.cli.task_view"

local M = { name = "wait", summary = "wait for the end of a task, and print its result" }

function M.describe(parser)
  parser:description("Waits until a task is completed, and prints its result; bytes that are no text as hex:00ff. It "
    .. "fails when the task is archived, with the task's last error (ARCHIVED); when it is gone (GONE), as a task is "
    .. "that was done and has no retention; and when the time is up (TIMEOUT).")
  parser:argument("ID"):target("id")
  parser:option("--timeout"):argname("DURATION"):default("1d"):description("how long to wait")
  locate.describe(parser)
  session.describe(parser)
end

local function queue_of(client, given)
  if given.queue then
    return given.queue
  end
  local task, message, code = locate.task(client, given.id)
  if code == "NOT_FOUND" then
    message = ("no queue has a task %s: done and not retained, deleted, or never enqueued"):format(
      output.quoted(given.id))
    code = "GONE"
  end
  return task and task.queue, message, code
end

local function await(client, given)
  local queue, message, code = queue_of(client, given)
  if not queue then
    return nil, message, code
  end
  return client:wait(given.id, given.timeout, queue)
end

function M.run(given)
  local seconds, wrong = duration.seconds(given.timeout)
  if not seconds then
    return nil, "--timeout: " .. wrong, "USAGE"
  end
  return session.with_client(given, function(client)
    local task, message, code = await(client, given)
    if not task then
      return nil, message, code
    end
    if given.json then
      output.json(task_view.json(task))
    elseif task.result and task.result ~= "" then
      output.line("%s", human.line(task.result))
    end
  end)
end

return M
