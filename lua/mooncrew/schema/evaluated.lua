-- What unevaluatedProperties and unevaluatedItems ask: whether a schema, or one that it applies to the same value, has
-- looked at a field or an item. Alternatives count when they fit. Asked at run time, for nothing else can know.

local M = {}

local function fits(node, value)
  return node:fits(value)
end

-- By how a schema applies others to the same value: calls visit(other) for each that counts, until one gives true.
local function any_applied(node, value, visit)
  if node.ref and visit(node.ref) then
    return true
  end
  for _, branch in ipairs(node.all_of or {}) do
    if visit(branch) then
      return true
    end
  end
  for _, list in ipairs { node.any_of or {}, node.one_of or {} } do
    for _, branch in ipairs(list) do
      if fits(branch, value) and visit(branch) then
        return true
      end
    end
  end
  if node.condition then
    local holds = fits(node.condition, value)
    local chosen = holds and node.yes or not holds and node.no
    return holds and visit(node.condition) or chosen and visit(chosen) or false
  end
  return false
end

local function any_dependent(node, value, visit)
  for name, branch in next, node.dependent_schemas or {} do
    if value[name] ~= nil and visit(branch) then
      return true
    end
  end
  return false
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

--- Whether a field of an object was looked at. The schema's own unevaluatedProperties is not asked.
---@param node mooncrew.Schema
---@param value table
---@param key string
---@return boolean
function M.is_field_evaluated(node, value, key)
  local function visit(other)
    return other.unevaluated_properties ~= nil or M.is_field_evaluated(other, value, key)
  end
  return names_field(node, key) or any_applied(node, value, visit) or any_dependent(node, value, visit)
end

--- Whether an item of an array was looked at. The schema's own unevaluatedItems is not asked.
---@param node mooncrew.Schema
---@param value any[]
---@param index integer  from 1
---@return boolean
function M.is_item_evaluated(node, value, index)
  if node.rest or node.items and node.items[index] or node.contains and fits(node.contains, value[index]) then
    return true
  end
  return any_applied(node, value, function(other)
    return other.unevaluated_items ~= nil or M.is_item_evaluated(other, value, index)
  end)
end

return M
