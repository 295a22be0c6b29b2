-- mooncrew queue: the queues that have been used, and what can be done to a whole one.

local json = require "mooncrew.json"
local human = require "mooncrew.cli.human"
local output = require "mooncrew.cli.output"
local queue_pause = require "mooncrew.cli.queue_pause"
local session = require "mooncrew.cli.session"

-- title, text of a queue
local COLUMNS = {
  { "QUEUE", function(queue) return queue.name end },
  { ">PENDING", function(queue) return queue.pending end },
  { ">ACTIVE", function(queue) return queue.active end },
  { ">SCHEDULED", function(queue) return queue.scheduled end },
  { ">RETRY", function(queue) return queue.retry end },
  { ">ARCHIVED", function(queue) return queue.archived end },
  { ">COMPLETED", function(queue) return queue.completed end },
  { ">GROUPED", function(queue) return queue.aggregating end },
  { ">LATENCY", function(queue) return human.duration(queue.latency_ms / 1000) end },
  { ">MEMORY", function(queue) return human.size(queue.memory_bytes) end },
  { ">DONE TODAY", function(queue) return queue.processed_today end },
  { ">FAILED TODAY", function(queue) return queue.failed_today end },
  { "", function(queue) return queue.paused and "paused" or "" end },
}

local function print_queues(queues)
  if #queues == 0 then
    output.line("no queue yet: the first task that is enqueued makes one")
    return
  end
  local titles, rows = {}, {}
  for i, column in ipairs(COLUMNS) do
    titles[i] = column[1]
  end
  for i, queue in ipairs(queues) do
    rows[i] = {}
    for j, column in ipairs(COLUMNS) do
      rows[i][j] = column[2](queue)
    end
  end
  output.write(output.grid(titles, rows))
end

local ls = { name = "ls", summary = "list all queues" }

function ls.describe(parser)
  session.describe(parser)
end

function ls.run(given)
  return session.with_client(given, function(client)
    local queues, message, code = client:queues()
    if not queues then
      return nil, message, code
    end
    if given.json then
      output.json { queues = json.array(queues) }
    else
      print_queues(queues)
    end
  end)
end

return {
  name = "queue",
  summary = "look at queues; pause, unpause and remove them",
  commands = {
    ls,
    require "mooncrew.cli.queue_inspect",
    require "mooncrew.cli.queue_limit",
    queue_pause.pause,
    queue_pause.unpause,
    require "mooncrew.cli.queue_rm",
  },
}
