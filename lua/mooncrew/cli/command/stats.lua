-- mooncrew stats: what stands in Redis right now.

local json = require "mooncrew.json"
local output = require "mooncrew.cli.output"
local server_pools = require "mooncrew.cli.server_pools"
local session = require "mooncrew.cli.session"

local M = { name = "stats", summary = "print the state of all queues, and the servers that are alive" }

function M.describe(parser)
  session.describe(parser)
end

-- title, field
local COLUMNS = {
  { "QUEUE", "name" }, { ">PENDING", "pending" }, { ">ACTIVE", "active" }, { ">SCHEDULED", "scheduled" },
  { ">RETRY", "retry" }, { ">ARCHIVED", "archived" }, { ">COMPLETED", "completed" }, { ">GROUPED", "aggregating" },
  { ">PROCESSED TODAY", "processed_today" }, { ">FAILED TODAY", "failed_today" }, { ">LATENCY", "latency" },
  { ">FAILING FOLDS", "failing_folds" }, { "", "note" },
}

local function latency_text(queue)
  if (queue.latency_ms or 0) == 0 then
    return "-"
  end
  return queue.latency_ms < 1000 and ("%d ms"):format(queue.latency_ms) or ("%.1f s"):format(queue.latency_ms / 1000)
end

local function print_tables(stats, servers)
  local titles, rows = {}, {}
  for i, column in ipairs(COLUMNS) do
    titles[i] = column[1]
  end
  for i, queue in ipairs(stats.queues) do
    local extra, row = { latency = latency_text(queue), note = queue.paused and "paused" or "" }, {}
    for j, column in ipairs(COLUMNS) do
      row[j] = queue[column[2]] or extra[column[2]]
    end
    rows[i] = row
  end
  if #rows == 0 then
    output.line("no queue yet: the first task that is enqueued makes one")
  else
    output.write(output.grid(titles, rows))
  end
  output.line("servers: %s", #stats.servers == 0 and "none" or table.concat(stats.servers, ", "))
  server_pools.print(servers)
end

local function print_json(stats, servers)
  local pools = {}
  for _, server in ipairs(servers) do
    pools[server.id] = server.pools and server_pools.json(server.pools)
  end
  output.json { queues = json.array(stats.queues), servers = json.array(stats.servers),
    pools = next(pools) and pools or nil }
end

function M.run(given)
  return session.with_client(given, function(client)
    local stats, message, code = client:stats()
    if not stats then
      return nil, message, code
    end
    local servers
    servers, message, code = client:servers { tasks = false }
    if not servers then
      return nil, message, code
    end
    local show = given.json and print_json or print_tables
    show(stats, servers)
  end)
end

return M
