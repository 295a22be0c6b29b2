-- What unevaluatedProperties and unevaluatedItems ask: whether a schema, or one that it applies to the same value, has
-- looked at a field or an item. Alternatives count when they fit. Asked at run time, for nothing else can know; which
-- schemas those are is found once for each value, since finding it goes through the whole value.

local M = {}

---@class mooncrew.schema.Evaluators
---@field nodes mooncrew.Schema[]  the schemas that count for a value
---@field seen table<mooncrew.Schema, true>  the same
---@field all_fields boolean  one that is applied looks at all that others have not
---@field all_items boolean
---@field fits fun(node: mooncrew.Schema, value: any): boolean

local add -- forward: schemas apply schemas

local function add_fitting(found, branches, value)
  for _, branch in ipairs(branches or {}) do
    if found.fits(branch, value) then
      add(found, branch, value)
    end
  end
end

local function add_conditional(found, node, value)
  if not node.condition then
    return
  end
  local holds = found.fits(node.condition, value)
  if holds then
    add(found, node.condition, value)
  end
  local chosen = holds and node.yes or not holds and node.no
  if chosen then
    add(found, chosen, value)
  end
end

local function add_dependent(found, node, value)
  for name, branch in next, node.dependent_schemas or {} do
    if value[name] ~= nil then
      add(found, branch, value)
    end
  end
end

local function add_applied(found, node, value)
  if node.ref then
    add(found, node.ref, value)
  end
  for _, branch in ipairs(node.all_of or {}) do
    add(found, branch, value)
  end
  add_fitting(found, node.any_of, value)
  add_fitting(found, node.one_of, value)
  add_conditional(found, node, value)
  add_dependent(found, node, value)
end

add = function(found, node, value)
  if found.seen[node] then
    return
  end
  found.seen[node], found.nodes[#found.nodes + 1] = true, node
  found.all_fields = found.all_fields or node.unevaluated_properties ~= nil
  found.all_items = found.all_items or node.unevaluated_items ~= nil
  add_applied(found, node, value)
end

--- The schemas whose looking counts for a value: this one and those that it applies. Its own unevaluatedProperties and
--- unevaluatedItems are not asked.
---@param node mooncrew.Schema
---@param value table
---@param functions function[]  of the fast validator that asks
---@param numbers table  of its emitter: by schema, the numbers of its functions
---@return mooncrew.schema.Evaluators
function M.find_evaluators(node, value, functions, numbers)
  local found = { nodes = { node }, seen = { [node] = true }, all_fields = false, all_items = false,
    fits = function(branch, part)
      return functions[numbers[branch].whole](part, "kept") ~= nil
    end }
  add_applied(found, node, value)
  return found
end

local function names_field(node, key)
  if node.fields and node.fields[key] or node.additional_properties then
    return true
  end
  for _, regex in ipairs(node.pattern_regexes or {}) do
    if regex:matches(key) then
      return true
    end
  end
  return false
end

--- Whether a field of an object was looked at.
---@param evaluators mooncrew.schema.Evaluators
---@param key string
---@return boolean
function M.is_field_evaluated(evaluators, key)
  if evaluators.all_fields then
    return true
  end
  for _, node in ipairs(evaluators.nodes) do
    if names_field(node, key) then
      return true
    end
  end
  return false
end

--- Whether an item of an array was looked at.
---@param evaluators mooncrew.schema.Evaluators
---@param item any
---@param index integer  from 1
---@return boolean
function M.is_item_evaluated(evaluators, item, index)
  if evaluators.all_items then
    return true
  end
  for _, node in ipairs(evaluators.nodes) do
    if node.rest or node.items and node.items[index] or node.contains and evaluators.fits(node.contains, item) then
      return true
    end
  end
  return false
end

return M
