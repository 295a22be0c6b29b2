-- mooncrew queue limit: what limits a queue has, and changing them while servers run.

local json = require "mooncrew.json"
local flags = require "mooncrew.cli.flags"
local output = require "mooncrew.cli.output"
local settings = require "mooncrew.cli.settings"

local M = { name = "limit", summary = "show the limits of a queue, or change them while servers run" }

local WRONG_USAGE = 2

function M.describe(parser)
  parser:argument("QUEUE"):target("queue")
  parser:option("--concurrency"):argname("N|none")
    :description("how many of its tasks may be at work at a time, over all servers; none takes the limit away")
  parser:option("--rate"):argname("N/TIME|none")
    :description("how many of its tasks may begin per time, over all servers: 10/s, 100/m, 5/10s; or none")
  parser:flag("--json"):description("print JSON")
  flags.add(parser, { "redis" })
end

-- A number stays text where it is none, and is refused with all others that make no sense.
local function changes_of(given)
  local changes = {}
  if given.concurrency then
    changes.concurrency = given.concurrency ~= "none" and (tonumber(given.concurrency) or given.concurrency)
  end
  if given.rate then
    changes.rate = given.rate ~= "none" and given.rate
  end
  return changes
end

local function print_limits(queue, limits)
  output.write(output.grid({ "QUEUE", ">CONCURRENCY", ">RATE" },
    { { queue, limits.concurrency or "-", limits.rate or "-" } }))
end

function M.run(given)
  local resolved, message, code = settings.resolve(given)
  if not resolved then
    return nil, message, code
  end
  local client, limits
  client, message = require("mooncrew.client").open(resolved:redis())
  if not client then
    return nil, message
  end
  limits, message, code = client:limit(given.queue, changes_of(given))
  client:close()
  if not limits then
    return nil, message, code == "INVALID_ARGUMENT" and WRONG_USAGE or nil
  end
  if given.json then
    output.json {
      queue = given.queue, concurrency = limits.concurrency or json.null, rate = limits.rate or json.null,
    }
  else
    print_limits(given.queue, limits)
  end
end

return M
