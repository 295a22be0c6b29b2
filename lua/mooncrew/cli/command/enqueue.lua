-- mooncrew enqueue: one task from the command line. With the scripts at hand, their options and schemas apply, so that
-- a payload that no handler would accept is refused before it is sent.

local nearest = require "mooncrew.nearest"
local normalize = require("mooncrew.options").normalize
local merge = require("mooncrew.options").merge
local now_ms = require("mooncrew.native").wall_ms
local registry = require "mooncrew.registry"
local scripts = require "mooncrew.scripts"
local flags = require "mooncrew.cli.flags"
local loading = require "mooncrew.cli.loading"
local output = require "mooncrew.cli.output"
local payload_source = require "mooncrew.cli.payload_source"
local serving = require "mooncrew.cli.serving"
local session = require "mooncrew.cli.session"
local settings = require "mooncrew.cli.settings"
local timestamp = require "mooncrew.cli.timestamp"

local M = { name = "enqueue", summary = "enqueue a task" }

local function whole(text)
  local number = tonumber(text)
  if not number or number % 1 ~= 0 or not text:match("^%-?%d+$") then
    return nil, ("must be a whole number, not '%s'"):format(text)
  end
  return number
end

local function time_to_come(text)
  local seconds, message = timestamp.parse(text)
  if seconds and seconds * 1000 <= now_ms() then
    return nil, ("'%s' is in the past"):format(text)
  end
  return seconds, message
end

local function as_is(text)
  return text
end

-- flag, name of its argument, how its text is read, what it does. The option is named like the flag.
local OPTIONS = {
  { "queue", "NAME", as_is, "the queue (default: the task's own, or default)", short = "-q " },
  { "max-retry", "N", whole, "how often a failed task is tried again" },
  { "timeout", "DURATION", as_is, "how long one run may take" },
  { "deadline", "TIME", time_to_come, "when it must have ended at last: 2030-01-31T12:00:00Z, or unix seconds" },
  { "unique", "DURATION", as_is, "refuse the same type and payload until this task is done, or for so long at most" },
  { "process-in", "DURATION", as_is, "run it so much later" },
  { "process-at", "TIME", timestamp.parse, "run it at this time" },
  { "task-id", "ID", as_is, "its id; refused when it exists (default: a random one)" },
  { "retention", "DURATION", as_is, "how long the finished task and its result are kept" },
  { "group", "NAME", as_is, "collect it with others of this group" },
}

function M.describe(parser)
  parser:description("Enqueues a task. With a scripts folder at hand, the options and the payload schema that a script "
    .. "declares for the type apply.")
  parser:argument("TYPE"):target("type"):description("the task type")
  parser:argument("PAYLOAD"):target("payload"):args("?"):description(
    payload_source.DESCRIPTION .. " (default: an empty payload)")
  for _, option in ipairs(OPTIONS) do
    parser:option((option.short or "") .. "--" .. option[1]):argname(option[2]):description(option[4])
  end
  parser:option("--header"):argname("NAME=VALUE"):count("*"):description("a header; may be repeated")
  parser:flag("--raw"):description("send the payload's bytes as they are; a script's schema must still pass them")
  parser:flag("--no-scripts"):description("do not look at the scripts folder")
  parser:flag("--json"):description("print JSON")
  flags.add(parser, { "redis", "scripts" })
end

local function headers_from(list)
  if not list or #list == 0 then
    return nil
  end
  local headers = {}
  for _, text in ipairs(list) do
    local name, value = text:match("^([^=]+)=(.*)$")
    if not name then
      return nil, ("--header must be NAME=VALUE, not '%s'"):format(text)
    end
    headers[name] = value
  end
  return headers
end

local function task_options(given)
  local options, message = {}
  for _, option in ipairs(OPTIONS) do
    local name = option[1]:gsub("-", "_")
    if given[name] then
      options[name], message = option[3](given[name])
      if message then
        return nil, ("--%s: %s"):format(option[1], message)
      end
    end
  end
  options.headers, message = headers_from(given.header)
  if message then
    return nil, message
  end
  return options
end

-- What to enqueue. A definition reads the JSON by its schema (or takes the bytes, if it wants them raw); without one
-- the JSON is written anew, in the form that equal payloads share. Raw bytes must be what a handler can read, too.
local function payload_value(bytes, raw, definition)
  if definition then
    local ok, value = definition:decode(bytes)
    if ok and raw then
      value = bytes
    end
    return ok, value
  elseif raw then
    return true, bytes
  end
  local text, message = payload_source.canonical(bytes)
  return text and true, text or message
end

-- What is wrong besides the first, a line for each.
local function further_errors(bytes, definition)
  local lines = {}
  for i, one in ipairs(definition and definition:decode_errors(bytes) or {}) do
    if i > 1 then
      lines[#lines + 1] = ("\n  also %s: %s"):format(one.path, one.message)
    end
  end
  return table.concat(lines)
end

local function read_payload(given, definition)
  if not given.payload then
    return true, nil
  end
  local bytes, message = payload_source.read(given.payload)
  if not bytes then
    return nil, message
  end
  local ok, value = payload_value(bytes, given.raw, definition)
  if not ok then
    return nil, value .. further_errors(bytes, definition), "INVALID_PAYLOAD"
  end
  return true, value
end

local function warn_of_unknown(type, folder, definitions)
  local types = {}
  for _, definition in ipairs(definitions) do
    types[#types + 1] = definition.type:sub(-1) ~= "*" and definition.type or nil
  end
  local meant = nearest(type, types)
  output.warn(("no script of %s serves %s%s"):format(folder, output.quoted(type),
    meant and ("; did you mean %s?"):format(output.quoted(meant)) or ""))
end

-- The scripts' definition for the type, if there are scripts and they have one. A folder that nobody named need not
-- exist.
local function find_definition(given, resolved)
  local folder = resolved.values.scripts
  if given.no_scripts or (folder.source == "default" and not scripts.find(folder.text)) then
    return nil
  end
  local definitions, message = loading.load(folder.text, resolved:load_limit())
  if not definitions then
    return nil, message .. " (--no-scripts enqueues without looking at the scripts)", "INVALID_SCRIPT"
  end
  local definition = registry.find(given.type)
  if definition and definition.type == given.type and given.type:sub(-1) == "*" then
    return nil, ('"%s" stands for many types: name one of them'):format(given.type), "USAGE"
  elseif not definition and #definitions > 0 then
    warn_of_unknown(given.type, folder.text, definitions)
  end
  return definition
end

-- Raw bytes that a definition has passed must not be encoded by it again.
local function enqueue(client, type, payload, options, raw_definition)
  if not raw_definition then
    return client:enqueue(type, payload, options)
  end
  local normal, message, code = normalize(merge(raw_definition.options, options))
  if not normal then
    return nil, message, code
  end
  return client:send(type, payload or "", normal)
end

-- The task is enqueued whether or not its servers can be asked for.
local function warning_of(client, info)
  local servers = client:servers { tasks = false }
  return servers and serving.warning(servers, info.queue)
end

local function send(url, ...)
  local arguments = { n = select("#", ...), ... }
  return session.at(url, function(client)
    local info, message, code = enqueue(client, unpack(arguments, 1, arguments.n))
    if info then
      info.warning = warning_of(client, info)
    end
    return info, message, code
  end)
end

local function print_info(info, as_json)
  if as_json then
    output.json(info)
    return
  end
  if info.warning then
    output.warn(info.warning)
  end
  local at = info.process_at and info.state == "scheduled" and " process_at=" .. timestamp.format(info.process_at) or ""
  output.line("enqueued task id=%s queue=%s state=%s%s", output.word(info.id), output.word(info.queue), info.state, at)
end

function M.run(given)
  local options, message = task_options(given)
  if not options then
    return nil, message, "USAGE"
  end
  local resolved, code
  resolved, message, code = settings.resolve(given)
  if not resolved then
    return nil, message, code
  end
  local definition
  definition, message, code = find_definition(given, resolved)
  if message then
    return nil, message, code
  end
  local ok, payload
  ok, payload, code = read_payload(given, definition)
  if not ok then
    return nil, payload, code
  end
  local info
  info, message, code = send(resolved:redis(), given.type, payload, options,
    given.raw and given.payload and definition or nil)
  if not info then
    return nil, message, code
  end
  print_info(info, given.json)
end

return M
