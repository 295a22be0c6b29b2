-- mooncrew task run, archive and rm: for the tasks that are named, or for all of a queue that are in one state.

local codes = require "mooncrew.cli.codes"
local confirm = require "mooncrew.cli.confirm"
local human = require "mooncrew.cli.human"
local locate = require "mooncrew.cli.locate"
local output = require "mooncrew.cli.output"
local progress = require "mooncrew.cli.progress"
local session = require "mooncrew.cli.session"
local task_view = require "mooncrew.cli.task_view"

local M = {}

---@class mooncrew.cli.Change
---@field name string of the command
---@field summary string
---@field description string
---@field one string the client's method for one task
---@field all string the client's method for all of a state
---@field verb string "delete"
---@field doing string "deleting"
---@field done string "deleted"
---@field asks boolean whether it asks for single tasks as well

-- ---- all of a state ----

local function count_of(client, given)
  local page, message, code = client:tasks(given.queue, given.state, { size = 1, group = given.group })
  if not page then
    return nil, message, code
  end
  return page.total
end

local function place_of(given)
  local queue = "queue " .. output.word(given.queue)
  return given.group and ("group %s of %s"):format(output.word(given.group), queue) or queue
end

local function change_all(change, client, given)
  local total, message, code = count_of(client, given)
  if not total then
    return nil, message, code
  end
  local ok
  ok, message, code = confirm.ask(given, ("%s all %s tasks in %s (%s now)"):format(change.verb, given.state,
    place_of(given), human.count(total)))
  if not ok then
    return nil, message, code
  end
  local shown = progress.new(change.doing)
  local count, before
  count, message, code, before = client[change.all](client, given.queue, given.state,
    { group = given.group, progress = shown.step })
  shown.finish()
  if not count then
    return session.half_way(message, code, before, change.done)
  end
  if given.json then
    output.json { queue = given.queue, state = given.state, group = given.group, count = count }
  else
    output.line("%s %s in %s", change.done, human.many(count, given.state .. " task"), place_of(given))
  end
end

-- ---- tasks that are named ----

-- The queue of each id, all found before the first is changed.
local function locate_all(change, client, given)
  local tasks = {}
  for i, id in ipairs(given.ids) do
    local task, message, code = locate.task(client, id, given.queue)
    if not task then
      return nil, #given.ids > 1 and ("%s; nothing was %s"):format(message, change.done) or message, code
    end
    tasks[i] = task
  end
  return tasks
end

local function question(change, tasks)
  if #tasks == 1 then
    return ("%s task %s in queue %s"):format(change.verb, output.word(tasks[1].id), output.word(tasks[1].queue))
  end
  return ("%s these %d tasks"):format(change.verb, #tasks)
end

-- One after the other; a refusal is told and does not keep back the others.
local function change_located(change, client, tasks, as_json)
  local results, refused = {}, 0
  for i, task in ipairs(tasks) do
    local ok, message, code = client[change.one](client, task.queue, task.id)
    results[i] = { id = task.id, queue = task.queue, ok = ok or false, error = message, code = code }
    refused = refused + (ok and 0 or 1)
    if not as_json then
      if ok then
        output.line("%s task %s in queue %s", change.done, output.word(task.id), output.word(task.queue))
      elseif #tasks > 1 then
        output.complain(codes.told(message, code))
      end
    end
  end
  return session.each(results, refused, as_json, change.done)
end

local function change_named(change, client, given)
  local tasks, message, code = locate_all(change, client, given)
  if not tasks then
    return nil, message, code
  end
  if change.asks then
    local ok
    ok, message, code = confirm.ask(given, question(change, tasks))
    if not ok then
      return nil, message, code
    end
  end
  return change_located(change, client, tasks, given.json)
end

-- ---- the command ----

local function describe(change, parser)
  parser:description(change.description)
  parser:argument("ID"):target("ids"):args("*"):description("the tasks")
  parser:flag("--all"):description("instead of IDs: all tasks of --queue that are in --state; "
    .. "if it takes longer than a second, standard error tells how far it is")
  locate.describe(parser)
  parser:option("--state"):argname("STATE"):choices(task_view.STATES):description("with --all: the state")
  parser:option("--group"):argname("NAME"):description("with --all and the state aggregating: the group")
  confirm.describe(parser)
  session.describe(parser)
end

local function wrong_usage(change, given)
  if given.all and #given.ids > 0 then
    return "give either IDs or --all"
  end
  if given.all and not (given.queue and given.state) then
    return ("--all needs to know of what: mooncrew task %s --all --queue NAME --state STATE"):format(change.name)
  end
  if not given.all and #given.ids == 0 then
    return ("which task? mooncrew task %s ID, or --all --queue NAME --state STATE"):format(change.name)
  end
  if not given.all and (given.state or given.group) then
    return "--state and --group go with --all"
  end
end

---@param change mooncrew.cli.Change
---@return table command
function M.new(change)
  return {
    name = change.name,
    summary = change.summary,
    describe = function(parser)
      describe(change, parser)
    end,
    run = function(given)
      local wrong = wrong_usage(change, given)
      if wrong then
        return nil, wrong, "USAGE"
      end
      return session.with_client(given, function(client)
        local work = given.all and change_all or change_named
        return work(change, client, given)
      end)
    end,
  }
end

return M
