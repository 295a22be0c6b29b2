-- Which queue a task is in, when only its id was given. An id is unique in its queue, and may stand in several queues.

local output = require "mooncrew.cli.output"

local M = {}

--- Adds --queue to a command that takes ids.
---@param parser table
function M.describe(parser)
  parser:option("-q --queue"):argname("NAME"):description("the queue to look in (default: all of them)")
end

local function in_queue(client, queue, id)
  local task, message, code = client:task(queue, id)
  if not task and code ~= "NOT_FOUND" then
    return nil, message, code
  end
  return task or false
end

local function names_of(tasks)
  local names = {}
  for i, task in ipairs(tasks) do
    names[i] = output.word(task.queue)
  end
  return table.concat(names, ", ")
end

--- The tasks with this id, of all queues.
---@param client mooncrew.Client
---@param id string
---@return mooncrew.TaskInfo[]|nil tasks, string|nil message, string|nil code
function M.all(client, id)
  local stats, message, code = client:stats()
  if not stats then
    return nil, message, code
  end
  local found = {}
  for _, queue in ipairs(stats.queues) do
    local task
    task, message, code = in_queue(client, queue.name, id)
    if task == nil then
      return nil, message, code
    end
    found[#found + 1] = task or nil
  end
  return found
end

--- What is said of an id that no queue has (NOT_FOUND).
---@param id string
---@return string
function M.nowhere(id)
  return ("no queue has a task %s; `mooncrew task ls` lists those of a queue"):format(output.quoted(id))
end

local function in_all_queues(client, id)
  local found, message, code = M.all(client, id)
  if not found then
    return nil, message, code
  end
  if #found > 1 then
    return nil, ("the id %s stands in the queues %s: say which one is meant with --queue"):format(
      output.quoted(id), names_of(found)), "AMBIGUOUS"
  end
  if #found == 0 then
    return nil, M.nowhere(id), "NOT_FOUND"
  end
  return found[1]
end

--- The task with this id: in the queue that was given, or in the only one that has it.
---@param client mooncrew.Client
---@param id string
---@param queue string|nil
---@return mooncrew.TaskInfo|nil task, string|nil message, string|nil code
function M.task(client, id, queue)
  if not queue then
    return in_all_queues(client, id)
  end
  local task, message, code = client:task(queue, id)
  if not task then
    return nil, message, code
  end
  return task
end

return M
