-- mooncrew server: the servers that are alive, of mooncrew and of asynq, and what they work on.

local copy = require "mooncrew.copy"
local json = require "mooncrew.json"
local human = require "mooncrew.cli.human"
local output = require "mooncrew.cli.output"
local server_pools = require "mooncrew.cli.server_pools"
local session = require "mooncrew.cli.session"
local timestamp = require "mooncrew.cli.timestamp"

local ls = { name = "ls", summary = "list the servers that are alive" }

function ls.describe(parser)
  parser:flag("--tasks"):description("list also the tasks that each works on")
  session.describe(parser)
end

-- { critical = 6, low = 1 } → "critical=6 low=1", the heaviest first; then the patterns of queues to come
local function queues_text(server)
  local list, parts = {}, {}
  for name, weight in pairs(server.queues) do
    list[#list + 1] = { name = name, weight = weight }
  end
  table.sort(list, function(a, b)
    return a.weight > b.weight or (a.weight == b.weight and a.name < b.name)
  end)
  for i, queue in ipairs(list) do
    parts[i] = ("%s=%d"):format(queue.name, queue.weight)
  end
  for pattern in (server.patterns or ""):gmatch("[^,]+") do
    parts[#parts + 1] = pattern
  end
  return table.concat(parts, " ")
end

local function print_workers(servers)
  local rows = {}
  for _, server in ipairs(servers) do
    for _, worker in ipairs(server.workers) do
      rows[#rows + 1] = { ("%s:%d"):format(server.host, server.pid), worker.task_id, worker.type, worker.queue,
        human.since(worker.started_at), human.since(worker.deadline) }
    end
  end
  if #rows > 0 then
    output.line("")
    output.write(output.grid({ "SERVER", "TASK", "TYPE", "QUEUE", "STARTED", "DEADLINE" }, rows))
  end
end

-- "3, 2m ago": the generation of its scripts, and when that loaded; asynq's servers have none.
local function generation_text(server)
  if not server.generation then
    return "-"
  end
  return ("%d, %s"):format(server.generation, server.loaded_at and human.since(server.loaded_at) or "not loaded")
end

-- What is not as it should be, or not for long.
local function print_notes(servers)
  for _, server in ipairs(servers) do
    local name = ("%s:%d"):format(server.host, server.pid)
    if (server.draining or 0) > 0 then
      output.line("%s: %s of the generation before %s what %s", name, human.many(server.draining, "worker"),
        server.draining == 1 and "finishes" or "finish", server.draining == 1 and "it runs" or "they run")
    end
    if server.reload_error then
      output.line("%s: the scripts were refused %s: %s", name, human.since(server.refused_at), server.reload_error)
    end
  end
end

local function print_servers(servers)
  if #servers == 0 then
    output.line("no server is alive: start one with `mooncrew run`")
    return
  end
  local rows = {}
  for i, server in ipairs(servers) do
    rows[i] = { server.host, server.pid, server.status, human.since(server.started_at),
      ("%d of %d"):format(server_pools.busy(server), server.concurrency),
      generation_text(server), queues_text(server) .. (server.strict and " (strict)" or ""), server.id }
  end
  output.write(output.grid({ "HOST", ">PID", "STATUS", "STARTED", ">TASKS", "GENERATION", "QUEUES", "ID" }, rows))
  server_pools.print(servers)
  print_notes(servers)
end

local function worker_json(worker)
  local result = { task_id = worker.task_id, type = worker.type, queue = worker.queue,
    started_at = timestamp.known(worker.started_at), deadline = timestamp.known(worker.deadline) }
  human.add_bytes(result, "payload", worker.payload)
  return result
end

local function server_json(server)
  local result = copy(server)
  result.started_at = timestamp.known(server.started_at)
  result.loaded_at, result.refused_at = timestamp.known(server.loaded_at), timestamp.known(server.refused_at)
  result.pools = server.pools and server_pools.json(server.pools)
  result.workers = json.array {}
  for i, worker in ipairs(server.workers) do
    result.workers[i] = worker_json(worker)
  end
  return result
end

function ls.run(given)
  return session.with_client(given, function(client)
    local servers, message, code = client:servers { tasks = given.tasks or given.json or false }
    if not servers then
      return nil, message, code
    end
    if not given.json then
      print_servers(servers)
      if given.tasks then
        print_workers(servers)
      end
      return
    end
    local list = {}
    for i, server in ipairs(servers) do
      list[i] = server_json(server)
    end
    output.json { servers = json.array(list) }
  end)
end

return { name = "server", summary = "look at the servers that are alive", commands = { ls } }
