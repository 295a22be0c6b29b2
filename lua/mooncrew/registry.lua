-- Which definition serves which task type, the middleware around all of them, and the rules for groups.

local registry = {}

local by_name = {} ---@type table<string, mooncrew.Definition>
local prefixes = {} ---@type { prefix: string, definition: mooncrew.Definition }[]  the longest first
local all = {} ---@type mooncrew.Definition[]

local rules = {} ---@type mooncrew.GroupRule[]

--- The functions of crew.use, outermost first.
---@type (fun(payload: any, task: mooncrew.Context, next: fun(payload?: any): any): any)[]
registry.middleware = {}

local function add_prefix(definition, prefix)
  local place = 1
  while prefixes[place] and #prefixes[place].prefix >= #prefix do
    place = place + 1
  end
  table.insert(prefixes, place, { prefix = prefix, definition = definition })
end

--- The entries of crew.cron, in the order they were declared (mooncrew.cron).
---@type mooncrew.CronEntry[]
registry.cron = {}

--- The functions of crew.on_error, crew.on_start and crew.on_stop, in the order they were declared (mooncrew.hooks).
---@type table<string, mooncrew.Hook[]>
registry.hooks = { on_error = {}, on_start = {}, on_stop = {} }

--- What crew.retry said, and where; nil: nothing.
---@type { delay: mooncrew.RetryFunction, source: string }|nil
registry.retry = nil

--- Registers a definition. Its type is a name, or a prefix when it ends in "*".
---@param definition mooncrew.Definition
---@return true|nil, string|nil message  names both places when the type is taken
function registry.add(definition)
  local other = by_name[definition.type]
  if other then
    return nil, ('task "%s" is registered twice: at %s and at %s'):format(definition.type, other.source,
      definition.source)
  end
  by_name[definition.type] = definition
  all[#all + 1] = definition
  local prefix = definition.type:match("^(.*)%*$")
  if prefix then
    add_prefix(definition, prefix)
  end
  return true
end

--- The definition that serves a type: an exact name first, then the longest prefix.
---@param type string
---@return mooncrew.Definition|nil
function registry.find(type)
  local definition = by_name[type]
  if definition then
    return definition
  end
  for _, entry in ipairs(prefixes) do
    if type:sub(1, #entry.prefix) == entry.prefix then
      return entry.definition
    end
  end
end

--- All definitions in the order they were registered.
---@return mooncrew.Definition[]
function registry.all()
  return all
end

--- The rule for groups of this queue ("" for any queue) with this pattern.
---@param queue string
---@param pattern string
---@return mooncrew.GroupRule|nil
function registry.find_rule(queue, pattern)
  for _, rule in ipairs(rules) do
    if (rule.queue or "") == queue and rule.pattern == pattern then
      return rule
    end
  end
end

--- Registers a rule for groups.
---@param rule mooncrew.GroupRule
---@return true|nil, string|nil message  names both places when the pattern is taken in this queue
function registry.add_rule(rule)
  local other = registry.find_rule(rule.queue or "", rule.pattern)
  if other then
    return nil, ('a rule for the group "%s" is registered twice: at %s and at %s'):format(rule.pattern, other.source,
      rule.source)
  end
  rules[#rules + 1] = rule
  return true
end

--- All rules for groups in the order they were registered.
---@return mooncrew.GroupRule[]
function registry.rules()
  return rules
end

--- Forgets everything; for tests.
function registry.reset()
  by_name, prefixes, all, rules = {}, {}, {}, {}
  registry.middleware = {}
  registry.cron = {}
  registry.hooks = { on_error = {}, on_start = {}, on_stop = {} }
  registry.retry = nil
end

return registry
