-- mooncrew check: loads the scripts without Redis, lints them, and lists what they register.

local doubts = require "mooncrew.cli.doubts"
local flags = require "mooncrew.cli.flags"
local lint = require "mooncrew.cli.lint"
local loading = require "mooncrew.cli.loading"
local output = require "mooncrew.cli.output"
local pools_text = require "mooncrew.cli.pools_text"
local registry = require "mooncrew.registry"
local scripts = require "mooncrew.scripts"
local settings = require "mooncrew.cli.settings"

local M = { name = "check", summary = "load and lint the scripts, and list the tasks they register" }

function M.describe(parser)
  parser:description("Loads the scripts as a worker would, touching no Redis, lints them if luacheck is installed, and "
    .. "lists the tasks they register. Exits with 1 when a script does not load, and names all that do not.")
  parser:flag("--json"):description("print JSON")
  flags.add(parser, { "scripts", "queues", "pools" })
end

local function not_loaded(folder)
  local warnings = {}
  local _, _, skipped = scripts.find(folder)
  for i, entry in ipairs(skipped or {}) do
    warnings[i] = ("%s: warning: it is called like a script, but is a %s"):format(entry.path, entry.kind)
  end
  return warnings
end

local function options_text(options)
  local parts = {}
  for name, value in pairs(options) do
    if name ~= "queue" then
      parts[#parts + 1] = name .. "=" .. tostring(value)
    end
  end
  table.sort(parts)
  return table.concat(parts, " ")
end

local function span_text(seconds)
  return seconds and ("%g s"):format(seconds) or "-"
end

local function print_rules(rules)
  if #rules == 0 then
    return
  end
  local rows = {}
  for i, rule in ipairs(rules) do
    rows[i] = { rule.pattern, rule.queue or "any", rule.type or "-", span_text(rule.grace_period),
      span_text(rule.max_delay), rule.max_size or "-", rule.source }
  end
  output.line("")
  output.write(output.grid({ "GROUP", "QUEUE", "FOLDED INTO", ">GRACE", ">MAX DELAY", ">MAX SIZE", "WHERE" }, rows))
end

local function rules_json(rules)
  local list = {}
  for i, rule in ipairs(rules) do
    list[i] = { group = rule.pattern, queue = rule.queue, type = rule.type, grace_period = rule.grace_period,
      max_delay = rule.max_delay, max_size = rule.max_size, source = rule.source }
  end
  return list
end

local function payload_kind(definition)
  if definition.payload == "raw" then
    return "raw"
  end
  return definition.payload and "schema" or "any"
end

local function print_table(definitions, folder)
  if #definitions == 0 then
    return output.line("the scripts of %s register no task", folder)
  end
  local rows = {}
  for i, definition in ipairs(definitions) do
    rows[i] = { definition.type, definition.options.queue or "default", payload_kind(definition),
      options_text(definition.options), definition.source }
  end
  output.write(output.grid({ "TYPE", "QUEUE", "PAYLOAD", "OPTIONS", "WHERE" }, rows))
end

local function print_cron(entries)
  local rows = {}
  for i, entry in ipairs(entries) do
    rows[i] = { entry.spec, entry.type, entry.options.queue or "default", entry.missed, entry.source }
  end
  if #rows > 0 then
    output.write("\n" .. output.grid({ "CRON", "TYPE", "QUEUE", "MISSED", "WHERE" }, rows))
  end
end

local function cron_json(entries)
  local list = {}
  for i, entry in ipairs(entries) do
    list[i] = { spec = entry.spec, type = entry.type, queue = entry.options.queue or "default", id = entry.id,
      missed = entry.missed, source = entry.source }
  end
  return require("mooncrew.json").array(list)
end

local function fields_of(definitions, warnings, message, messages)
  local json = require "mooncrew.json"
  local tasks = {}
  for i, definition in ipairs(definitions) do
    tasks[i] = { type = definition.type, queue = definition.options.queue or "default", source = definition.source,
      payload = payload_kind(definition), options = definition.options, description = definition.description }
  end
  return {
    ok = message == nil, errors = json.array(messages or {}), tasks = json.array(tasks),
    warnings = json.array(warnings),
    cron = cron_json(message and {} or registry.cron), groups = json.array(rules_json(registry.rules())),
  }
end

local function append(list, items)
  for _, item in ipairs(items) do
    list[#list + 1] = item
  end
end

-- People see all messages, a line each; a program finds them in the fields.
local function refuse(messages, fields)
  if fields then
    return nil, messages[1], "INVALID_SCRIPT", fields
  end
  for i = 1, #messages - 1 do
    output.complain(messages[i])
  end
  return nil, messages[#messages], "INVALID_SCRIPT"
end

function M.run(given)
  local resolved, message, code = settings.resolve(given)
  if not resolved then
    return nil, message, code
  end
  local folder = resolved.values.scripts.text
  local definitions, messages
  definitions, message, messages = loading.load(folder, resolved:load_limit())
  local warnings = not_loaded(folder)
  if definitions then
    local served = pools_text.served(resolved.values.pools.text, resolved.values.queues.text)
    append(warnings, doubts.find(definitions, served))
    append(warnings, lint.run(folder))
  end
  local fields = given.json and fields_of(definitions or {}, warnings, message, messages)
  if not definitions then
    return refuse(messages, fields)
  elseif given.json then
    return output.json(fields)
  end
  print_table(definitions, folder)
  print_rules(registry.rules())
  print_cron(registry.cron)
  for _, warning in ipairs(warnings) do
    output.line("%s", warning)
  end
end

return M
