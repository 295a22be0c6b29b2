-- mooncrew cron: the entries of the schedulers that are alive, and what they enqueued.

local json = require "mooncrew.json"
local nearest = require "mooncrew.nearest"
local human = require "mooncrew.cli.human"
local output = require "mooncrew.cli.output"
local paging = require "mooncrew.cli.paging"
local session = require "mooncrew.cli.session"
local timestamp = require "mooncrew.cli.timestamp"

local ls = { name = "ls", summary = "list the cron entries of all live schedulers" }

function ls.describe(parser)
  session.describe(parser)
end

local function entry_json(entry)
  local result = {
    id = entry.id, spec = entry.spec, type = entry.type, options = json.array(entry.options),
    next_at = timestamp.known(entry.next_at), prev_at = timestamp.known(entry.prev_at), schedulers = entry.schedulers,
  }
  human.add_bytes(result, "payload", entry.payload)
  return result
end

local function print_entries(entries)
  if #entries == 0 then
    output.line("no cron entry: no scheduler is alive, or those that are have none")
    return
  end
  local rows = {}
  for i, entry in ipairs(entries) do
    rows[i] = { entry.id, entry.spec, entry.type, human.due(entry.next_at), human.since(entry.prev_at),
      table.concat(entry.options, " "), entry.schedulers }
  end
  output.write(output.grid({ "ID", "SPEC", "TYPE", "NEXT", "PREVIOUS", "OPTIONS", ">SCHEDULERS" }, rows))
end

function ls.run(given)
  return session.with_client(given, function(client)
    local entries, message, code = client:cron()
    if not entries then
      return nil, message, code
    end
    if not given.json then
      print_entries(entries)
      return
    end
    local list = {}
    for i, entry in ipairs(entries) do
      list[i] = entry_json(entry)
    end
    output.json { entries = json.array(list) }
  end)
end

local history = { name = "history", summary = "list what a cron entry enqueued, the latest first" }

function history.describe(parser)
  parser:argument("ENTRY"):target("entry"):description("the entry's id, as `mooncrew cron ls` lists it")
  paging.describe(parser)
  session.describe(parser)
end

-- Nothing was enqueued by it: an entry that some scheduler has, or a mistyped one? Returns whether it is known.
local function is_entry(client, id)
  local entries, message, code = client:cron()
  if not entries then
    return nil, message, code
  end
  local ids = {}
  for i, entry in ipairs(entries) do
    ids[i] = entry.id
    if entry.id == id then
      return true
    end
  end
  local meant = nearest(id, ids)
  return nil, ("no scheduler that is alive has a cron entry %s, and there is no history of it%s"):format(
    output.quoted(id), meant and ("; did you mean %s?"):format(output.word(meant))
      or "; `mooncrew cron ls` lists the entries"), "NOT_FOUND"
end

local function print_events(given, events)
  if #events == 0 then
    output.line("nothing on this page: entry %s enqueued nothing, or nothing so long ago", output.word(given.entry))
    return
  end
  local rows = {}
  for i, event in ipairs(events) do
    rows[i] = { event.task_id, human.time(event.at) }
  end
  output.write(output.grid({ "TASK", "ENQUEUED" }, rows))
end

function history.run(given)
  return session.with_client(given, function(client)
    local events, message, code = client:cron_history(given.entry, { size = given.size, page = given.page })
    local known = events and #events > 0 or (given.page or 1) > 1
    if events and not known then
      known, message, code = is_entry(client, given.entry)
    end
    if not (events and known) then
      return nil, message, code
    end
    if not given.json then
      print_events(given, events)
      return
    end
    local list = {}
    for i, event in ipairs(events) do
      list[i] = { task_id = event.task_id, at = timestamp.known(event.at) }
    end
    output.json { events = json.array(list) }
  end)
end

return { name = "cron", summary = "look at cron entries and what they enqueued", commands = { ls, history } }
