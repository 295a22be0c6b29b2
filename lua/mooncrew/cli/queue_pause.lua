-- mooncrew queue pause and unpause.

local known_queue = require "mooncrew.cli.known_queue"
local output = require "mooncrew.cli.output"
local session = require "mooncrew.cli.session"

local function print_done(given, paused)
  if given.json then
    output.json { queue = given.queue, paused = paused }
  else
    output.line("%s queue %s", paused and "paused" or "unpaused", output.word(given.queue))
  end
end

-- ---- pause ----

local pause = { name = "pause", summary = "keep servers from taking tasks of a queue" }

function pause.describe(parser)
  parser:argument("QUEUE"):target("queue")
  parser:flag("--new"):description("also when no task was ever enqueued to it and no server serves it")
  session.describe(parser)
end

function pause.run(given)
  return session.with_client(given, function(client)
    local look = given.new and known_queue.may_be or known_queue.look
    local ok, message, code = look(client, given.queue)
    if not ok then
      return nil, code == "NOT_FOUND" and message .. " (--new pauses it before its first task)" or message, code
    end
    ok, message, code = client:pause(given.queue)
    if not ok then
      return nil, message, code
    end
    print_done(given, true)
  end)
end

-- ---- unpause ----

local unpause = { name = "unpause", summary = "let servers take tasks of a queue again" }

function unpause.describe(parser)
  parser:argument("QUEUE"):target("queue")
  session.describe(parser)
end

-- A queue that is paused need not be known; one that is neither is a mistake.
local function explain(client, queue, message, code)
  if code == "WRONG_STATE" then
    local known, unknown, why = known_queue.look(client, queue)
    if not known then
      return nil, unknown, why
    end
  end
  return nil, message, code
end

function unpause.run(given)
  return session.with_client(given, function(client)
    local ok, message, code = client:unpause(given.queue)
    if not ok then
      return explain(client, given.queue, message, code)
    end
    print_done(given, false)
  end)
end

return { pause = pause, unpause = unpause }
