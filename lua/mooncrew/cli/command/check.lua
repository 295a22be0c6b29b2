-- mooncrew check: loads the scripts without Redis, lints them, and lists what they register.

local flags = require "mooncrew.cli.flags"
local lint = require "mooncrew.cli.lint"
local loading = require "mooncrew.cli.loading"
local output = require "mooncrew.cli.output"
local registry = require "mooncrew.registry"
local settings = require "mooncrew.cli.settings"

local M = { name = "check", summary = "load and lint the scripts, and list the tasks they register" }

local FAILED = 1

function M.describe(parser)
  parser:description("Loads the scripts as a worker would, touching no Redis, lints them if luacheck is installed, and "
    .. "lists the tasks they register. Exits with 1 when a script does not load.")
  parser:flag("--json"):description("print JSON")
  flags.add(parser, { "scripts", "queues" })
end

local function queue_names(text)
  local names = {}
  for part in text:gmatch("[^,]+") do
    names[part:match("^%s*([^=]-)%s*$") or part:match("^%s*(.-)%s*=")] = true
  end
  return names
end

-- A task in a queue that nobody serves waits for ever.
local function unserved(definitions, served)
  local warnings = {}
  for _, definition in ipairs(definitions) do
    local queue = definition.options.queue or "default"
    if not served[queue] then
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

local function print_json(definitions, warnings, message)
  local json = require "mooncrew.json"
  local tasks = {}
  for i, definition in ipairs(definitions) do
    tasks[i] = { type = definition.type, queue = definition.options.queue or "default", source = definition.source,
      payload = payload_kind(definition), options = definition.options, description = definition.description }
  end
  output.json { ok = message == nil, error = message, tasks = json.array(tasks),
    cron = cron_json(message and {} or registry.cron), warnings = json.array(warnings) }
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
  local definitions
  definitions, message = loading.load(folder)
  local warnings = {}
  if definitions then
    append(warnings, unserved(definitions, queue_names(resolved.values.queues.text)))
    append(warnings, lint.run(folder))
  end
  if given.json then
    print_json(definitions or {}, warnings, message)
    return { exit_code = message and FAILED or 0 }
  end
  if not definitions then
    return nil, message
  end
  print_table(definitions, folder)
  print_cron(registry.cron)
  for _, warning in ipairs(warnings) do
    output.line("%s", warning)
  end
end

return M
