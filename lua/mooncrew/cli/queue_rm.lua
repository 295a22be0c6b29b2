-- mooncrew queue rm: a queue, with what is in it if that is forced.

local confirm = require "mooncrew.cli.confirm"
local human = require "mooncrew.cli.human"
local output = require "mooncrew.cli.output"
local progress = require "mooncrew.cli.progress"
local session = require "mooncrew.cli.session"

local M = { name = "rm", summary = "remove a queue" }

function M.describe(parser)
  parser:description("Removes a queue. One that has tasks is refused, unless --force is given: then its tasks are "
    .. "deleted with it. One with active tasks is refused in any case.")
  parser:argument("QUEUE"):target("queue")
  parser:flag("--force"):description("delete its tasks with it")
  confirm.describe(parser)
  session.describe(parser)
end

-- What is asked; a queue that would be refused in any case is refused before anybody is asked.
local function question(client, given)
  local queue, message, code = client:queue(given.queue)
  if not queue then
    return nil, message, code
  elseif queue.size > 0 and not given.force then
    return nil, ("queue %s has %s: --force deletes them with it"):format(output.quoted(given.queue),
      human.many(queue.size, "task")), "NOT_EMPTY"
  end
  return queue.size > 0
    and ("remove queue %s with its %s"):format(output.word(given.queue), human.many(queue.size, "task"))
    or "remove queue " .. output.word(given.queue)
end

local function remove(client, given)
  local shown = progress.new("deleting")
  local deleted, message, code, before = client:remove_queue(given.queue,
    { force = given.force, progress = shown.step })
  shown.finish()
  if deleted then
    return deleted
  elseif code == "NOT_EMPTY" and not given.force then
    return nil, message .. ": --force deletes them with it", code
  end
  return session.half_way(message, code, before, "deleted")
end

local function print_removed(given, deleted)
  if given.json then
    output.json { queue = given.queue, deleted = deleted }
  elseif deleted > 0 then
    output.line("removed queue %s, and %s with it", output.word(given.queue), human.many(deleted, "task"))
  else
    output.line("removed queue %s", output.word(given.queue))
  end
end

function M.run(given)
  return session.with_client(given, function(client)
    local ask, message, code = question(client, given)
    if not ask then
      return nil, message, code
    end
    local ok
    ok, message, code = confirm.ask(given, ask)
    if not ok then
      return nil, message, code
    end
    local deleted
    deleted, message, code = remove(client, given)
    if not deleted then
      return nil, message, code
    end
    print_removed(given, deleted)
  end)
end

return M
