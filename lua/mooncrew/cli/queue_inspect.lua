-- mooncrew queue inspect: one queue, and what it did on its last days.

local json = require "mooncrew.json"
local human = require "mooncrew.cli.human"
local output = require "mooncrew.cli.output"
local paging = require "mooncrew.cli.paging"
local session = require "mooncrew.cli.session"
local task_view = require "mooncrew.cli.task_view"

local M = { name = "inspect", summary = "tell all about one queue, with its last days" }

function M.describe(parser)
  parser:argument("QUEUE"):target("queue")
  parser:option("--days"):argname("N"):default("7"):convert(paging.whole("--days", 1, 90))
    :description("how many days of its history, at most 90")
  session.describe(parser)
end

local function print_queue(queue, history)
  output.fields {
    { "queue", queue.name }, { "paused", queue.paused and "yes" or "no" }, { "tasks", human.count(queue.size) },
    { "groups", human.count(queue.groups) }, { "latency", human.duration(queue.latency_ms / 1000) },
    { "memory", human.size(queue.memory_bytes) .. " (estimated)" },
    { "processed", ("%s, of which %s failed"):format(human.count(queue.processed), human.count(queue.failed)) },
  }
  local states, rows = {}, {}
  for i, state in ipairs(task_view.STATES) do
    states[i] = { state, queue[state] }
  end
  for i, day in ipairs(history) do
    rows[i] = { day.date, day.processed, day.failed }
  end
  output.line("\n%s", (output.grid({ "STATE", ">TASKS" }, states)))
  output.write(output.grid({ "DAY", ">PROCESSED", ">FAILED" }, rows))
end

function M.run(given)
  return session.with_client(given, function(client)
    local queue, message, code = client:queue(given.queue)
    if not queue then
      return nil, message, code
    end
    local history
    history, message, code = client:history(given.queue, given.days)
    if not history then
      return nil, message, code
    end
    if given.json then
      queue.history = json.array(history)
      output.json(queue)
    else
      print_queue(queue, history)
    end
  end)
end

return M
