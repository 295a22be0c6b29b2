-- mooncrew group: the groups in which tasks wait to be folded into one.

local json = require "mooncrew.json"
local output = require "mooncrew.cli.output"
local session = require "mooncrew.cli.session"

local ls = { name = "ls", summary = "list the groups that have tasks" }

function ls.describe(parser)
  parser:option("-q --queue"):argname("NAME"):description("the queue (default: all of them)")
  session.describe(parser)
end

-- The names of the queues to look into.
local function queues_of(client, given)
  if given.queue then
    return { given.queue }
  end
  local stats, message, code = client:stats()
  if not stats then
    return nil, message, code
  end
  local names = {}
  for i, queue in ipairs(stats.queues) do
    names[i] = queue.name
  end
  return names
end

local function print_groups(groups)
  if #groups == 0 then
    output.line("no group has tasks")
    return
  end
  local rows = {}
  for i, group in ipairs(groups) do
    rows[i] = { group.queue, group.name, group.size }
  end
  output.write(output.grid({ "QUEUE", "GROUP", ">TASKS" }, rows))
end

function ls.run(given)
  return session.with_client(given, function(client)
    local queues, message, code = queues_of(client, given)
    if not queues then
      return nil, message, code
    end
    local all = {}
    for _, queue in ipairs(queues) do
      local groups
      groups, message, code = client:groups(queue)
      if not groups then
        return nil, message, code
      end
      for _, group in ipairs(groups) do
        all[#all + 1] = { queue = queue, name = group.name, size = group.size }
      end
    end
    if given.json then
      output.json { groups = json.array(all) }
    else
      print_groups(all)
    end
  end)
end

return { name = "group", summary = "look at groups of tasks", commands = { ls } }
