-- mooncrew task ls: the tasks of one queue in one state, a page at a time.

local human = require "mooncrew.cli.human"
local output = require "mooncrew.cli.output"
local paging = require "mooncrew.cli.paging"
local session = require "mooncrew.cli.session"
local task_view = require "mooncrew.cli.task_view"

local M = { name = "ls", summary = "list the tasks of a queue that are in one state" }

function M.describe(parser)
  parser:description("Lists the tasks of a queue that are in one state. Only the page is read, however many there "
    .. "are.\nPending and active tasks stand oldest first, all others by time.")
  parser:option("-q --queue"):argname("NAME"):default("default"):description("the queue")
  parser:option("--state"):argname("STATE"):default("pending"):choices(task_view.STATES)
    :description("one of " .. table.concat(task_view.STATES, ", "))
  parser:option("--group"):argname("NAME"):description("the group, for the state aggregating")
  paging.describe(parser)
  parser:option("--after"):argname("CURSOR"):description("instead of --page: what the page before named as next")
  session.describe(parser)
end

local function flag(name, value)
  return ("%s%s%s"):format(name, value:find "^%-" and "=" or " ", output.shell_word(value))
end

-- The call that shows the next page, for a shell.
local function next_page(given, page)
  local words = { "mooncrew task ls", flag("--queue", given.queue), "--state", given.state }
  if given.group then
    words[#words + 1] = flag("--group", given.group)
  end
  words[#words + 1] = ("--size %d"):format(given.size)
  words[#words + 1] = flag("--after", page.next)
  return table.concat(words, " ")
end

local function print_page(given, page)
  if #page.tasks > 0 then
    output.write(output.grid(task_view.list(given.state, page.tasks)))
  end
  output.line("%d of %s in queue %s", #page.tasks, human.many(page.total, given.state .. " task"),
    output.word(given.queue))
  if page.next then
    output.line("next page: %s", next_page(given, page))
  end
end

function M.run(given)
  if given.page and given.after then
    return nil, "give either --page or --after", "USAGE"
  end
  return session.with_client(given, function(client)
    local page, message, code = client:tasks(given.queue, given.state,
      { size = given.size, page = given.page, after = given.after, group = given.group })
    if not page then
      return nil, message, code
    end
    if given.json then
      output.json { tasks = task_view.json_list(page.tasks), total = page.total, next = page.next }
    else
      print_page(given, page)
    end
  end)
end

return M
