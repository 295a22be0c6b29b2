-- mooncrew check: loads the scripts without Redis, lints them, and lists what they register.

local flags = require "mooncrew.cli.flags"
local lint = require "mooncrew.cli.lint"
local loading = require "mooncrew.cli.loading"
local output = require "mooncrew.cli.output"
local pools_text = require "mooncrew.cli.pools_text"
local queues_text = require "mooncrew.cli.queues_text"
local registry = require "mooncrew.registry"
local scripts = require "mooncrew.scripts"
local settings = require "mooncrew.cli.settings"

local M = { name = "check", summary = "load and lint the scripts, and list the tasks they register" }

local FAILED = 1

function M.describe(parser)
  parser:description("Loads the scripts as a worker would, touching no Redis, lints them if luacheck is installed, and "
    .. "lists the tasks they register. Exits with 1 when a script does not load, and names all that do not.")
  parser:flag("--json"):description("print JSON")
  flags.add(parser, { "scripts", "queues" })
end

local function not_loaded(folder)
  local warnings = {}
  local _, _, skipped = scripts.find(folder)
  for i, entry in ipairs(skipped or {}) do
    warnings[i] = ("%s: warning: it is called like a script, but is a %s"):format(entry.path, entry.kind)
  end
  return warnings
end

-- A task in a queue that nobody serves waits for ever.
local function unserved(definitions, served)
  local warnings = {}
  for _, rule in ipairs(registry.rules()) do
    if rule.queue and not served[rule.queue] then
      warnings[#warnings + 1] = ('%s: warning: the rule for groups "%s" is for queue "%s", which is not among the '
        .. 'configured queues'):format(rule.source, rule.pattern, rule.queue)
    end
  end
  for _, definition in ipairs(definitions) do
    local queue = definition.options.queue or "default"
    if not queues_text.serves(served, queue) then
      warnings[#warnings + 1] = ('%s: warning: task "%s" goes to queue "%s", which is not among the configured queues')
        :format(definition.source, definition.type, queue)
    end
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

local function print_json(definitions, warnings, message, messages)
  local json = require "mooncrew.json"
  local tasks = {}
  for i, definition in ipairs(definitions) do
    tasks[i] = { type = definition.type, queue = definition.options.queue or "default", source = definition.source,
      payload = payload_kind(definition), options = definition.options, description = definition.description }
  end
  output.json {
    ok = message == nil, error = message, errors = json.array(messages or {}), tasks = json.array(tasks),
    warnings = json.array(warnings),
    cron = cron_json(message and {} or registry.cron), groups = json.array(rules_json(registry.rules())),
  }
end

local function append(list, items)
  for _, item in ipairs(items) do
    list[#list + 1] = item
  end
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
    append(warnings, unserved(definitions, pools_text.served(resolved.values.pools.text, resolved.values.queues.text)))
    append(warnings, lint.run(folder))
  end
  if given.json then
    print_json(definitions or {}, warnings, message, messages)
    return { exit_code = message and FAILED or 0 }
  end
  if not definitions then
    for _, text in ipairs(messages) do
      output.complain(text)
    end
    return { exit_code = FAILED }
  end
  print_table(definitions, folder)
  print_rules(registry.rules())
  print_cron(registry.cron)
  for _, warning in ipairs(warnings) do
    output.line("%s", warning)
  end
end

return M
