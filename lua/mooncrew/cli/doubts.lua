-- What scripts that load may have wrong all the same: tasks that would wait for ever.

local nearest = require "mooncrew.nearest"
local output = require "mooncrew.cli.output"
local queues_text = require "mooncrew.cli.queues_text"
local registry = require "mooncrew.registry"

local M = {}

-- "default", as tasks do that name no queue.
local function queue_of(options)
  return options.queue or "default"
end

---@class mooncrew.cli.TaskSource what enqueues tasks
---@field place string
---@field name string
---@field verb string "goes to": what it has to do with the queue
---@field type string|nil of its tasks, unless they are of its own
---@field queue string|nil

local function sources(definitions)
  local list = {}
  for _, rule in ipairs(registry.rules()) do
    list[#list + 1] = { place = rule.source, name = "the rule for groups " .. output.quoted(rule.pattern),
      verb = "is for", type = rule.type, queue = rule.queue }
  end
  for _, definition in ipairs(definitions) do
    list[#list + 1] = { place = definition.source, name = "task " .. output.quoted(definition.type), verb = "goes to",
      queue = queue_of(definition.options) }
  end
  for _, entry in ipairs(registry.cron) do
    list[#list + 1] = { place = entry.source, name = "the cron entry " .. output.quoted(entry.spec), verb = "goes to",
      type = entry.type, queue = queue_of(entry.options) }
  end
  return list
end

local function unregistered(source, types)
  local meant = nearest(source.type, types)
  return ("%s: warning: %s enqueues %s, which no script registers%s"):format(source.place, source.name,
    output.quoted(source.type), meant and ("; did you mean %s?"):format(output.quoted(meant)) or "")
end

local function unserved(source)
  return ("%s: warning: %s %s queue %s, which is not among the configured queues"):format(source.place, source.name,
    source.verb, output.quoted(source.queue))
end

--- A line for each, beginning with file and line.
---@param definitions mooncrew.Definition[]
---@param served table<string, any> the queues and patterns of the configuration
---@return string[] warnings
function M.find(definitions, served)
  local warnings, types = {}, {}
  for i, definition in ipairs(definitions) do
    types[i] = definition.type
  end
  for _, source in ipairs(sources(definitions)) do
    if source.type and not registry.find(source.type) then
      warnings[#warnings + 1] = unregistered(source, types)
    end
    if source.queue and not queues_text.serves(served, source.queue) then
      warnings[#warnings + 1] = unserved(source)
    end
  end
  return warnings
end

return M
