-- Which rule of crew.aggregate serves a group: as in the runtime (group_rules.h), an exact name goes before the longest
-- prefix, and of two alike the one that names the queue. Where a test names no queue, rules of any queue may be meant.

local registry = require "mooncrew.registry"

-- How closely a rule names a group; nil: not at all.
local function rank(rule, queue, group)
  local names_queue = rule.queue ~= nil and 1 or 0
  if queue and rule.queue and rule.queue ~= queue then
    return nil
  elseif rule.pattern == group then
    return 2 * (#group + 2) + names_queue
  end
  local prefix = rule.pattern:match("^(.*)%*$")
  if prefix and group:sub(1, #prefix) == prefix then
    return 2 * #rule.pattern + names_queue
  end
end

local function places(rules)
  local sources = {}
  for i, rule in ipairs(rules) do
    sources[i] = rule.source
  end
  return table.concat(sources, " and ")
end

--- The rule for a group among those that are registered.
---@param group string
---@param queue string|nil
---@return mooncrew.GroupRule|nil
---@return string|nil message
local function rule_of(group, queue)
  local best, closest = {}, 0
  for _, rule in ipairs(registry.rules()) do
    local own = rank(rule, queue, group) or 0
    if own > closest then
      best, closest = { rule }, own
    elseif own == closest and own > 0 then
      best[#best + 1] = rule
    end
  end
  if #best == 0 then
    return nil, ('no script that is loaded has a rule for the group "%s"%s: load it with testing.load or '
      .. "testing.load_all"):format(group, queue and (' in the queue "%s"'):format(queue) or "")
  elseif #best > 1 then
    return nil, ('the group "%s" has a rule in several queues, at %s: say which with { queue = "…" }'):format(group,
      places(best))
  end
  return best[1]
end

return rule_of
