-- mooncrew queue limit: what limits a queue has, and changing them while servers run.

local json = require "mooncrew.json"
local limits_of = require "mooncrew.limits"
local known_queue = require "mooncrew.cli.known_queue"
local output = require "mooncrew.cli.output"
local paging = require "mooncrew.cli.paging"
local session = require "mooncrew.cli.session"

local M = { name = "limit", summary = "show the limits of a queue, or change them while servers run" }

local whole = paging.whole("--concurrency", 1, 1000000)

local function concurrency(text)
  if text == "none" then
    return false
  end
  local number, message = whole(text)
  return number, message and message .. "; none takes the limit away"
end

function M.describe(parser)
  parser:description("Shows the limits of a queue, or changes them while servers run. They may be set before its first "
    .. "task: then a warning says that nobody knows the queue yet.")
  parser:argument("QUEUE"):target("queue")
  parser:option("--concurrency"):argname("N|none"):convert(concurrency)
    :description("how many of its tasks may be at work at a time, over all servers; none takes the limit away")
  parser:option("--rate"):argname("N/TIME|none")
    :description("how many of its tasks may begin per time, over all servers: 10/s, 100/m, 5/10s; or none")
  parser:flag("--new"):description("the queue is meant to be new: no warning")
  session.describe(parser)
end

local function changes_of(given)
  local changes = { concurrency = given.concurrency }
  if given.rate then
    changes.rate = given.rate ~= "none" and given.rate
  end
  return changes
end

-- Limits are often set before there are tasks, so a new name is no error, unless nothing stands there to be shown or
-- taken away. Returns whether to go on, and a warning.
local function doubt(client, given, sets, has_limits)
  if has_limits then
    return true
  elseif given.new then
    return known_queue.may_be(client, given.queue)
  end
  local known, message, code, near = known_queue.look(client, given.queue)
  if known then
    return true
  elseif known == nil or not sets then
    return nil, message, code
  end
  local ok
  ok, message, code = known_queue.may_be(client, given.queue)
  return ok, message or ("no task was ever enqueued to queue %s, and no server that is alive serves it%s"):format(
    output.word(given.queue), near and ("; did you mean %s?"):format(output.word(near)) or ""), code
end

local function tell(given, limits, warning)
  if given.json then
    output.json { queue = given.queue, concurrency = limits.concurrency or json.null, rate = limits.rate or json.null,
      warning = warning }
    return
  end
  if warning then
    output.warn(warning)
  end
  output.write(output.grid({ "QUEUE", ">CONCURRENCY", ">RATE" },
    { { given.queue, limits.concurrency or "-", limits.rate or "-" } }))
end

function M.run(given)
  local changes = changes_of(given)
  local sound, wrong = limits_of.numbers_of(changes)
  if not sound then
    return nil, wrong, "INVALID_ARGUMENT"
  end
  return session.with_client(given, function(client)
    local limits, message, code = client:limits(given.queue)
    if not limits then
      return nil, message, code
    end
    local go_on, warning
    go_on, warning, code = doubt(client, given, changes.concurrency or changes.rate, next(limits) ~= nil)
    if not go_on then
      return nil, warning, code
    end
    if next(changes) then
      limits, message, code = client:limit(given.queue, changes)
    end
    if not limits then
      return nil, message, code
    end
    tell(given, limits, warning)
  end)
end

return M
