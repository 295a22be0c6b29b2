-- Finds schemas that lead back to themselves and look at what they hold more than once on the way: alternatives,
-- conditions, patterns beside names. Each level of the value would double the work, so their results are remembered
-- (memo.lua). A schema that holds itself in one way only, such as a plain tree, goes through its value once anyway.

local M = {}

local LISTS = { "branches", "all_of", "any_of", "one_of", "items" }
local MAPS = { "fields", "dependent_schemas" }
local SINGLE = { "negated", "condition", "yes", "no", "item", "rest", "contains", "value", "additional_properties",
  "property_names", "unevaluated_items", "unevaluated_properties" }

-- By these a value is looked at for the sake of another look at it.
local TWICE = { "branches", "all_of", "any_of", "one_of", "negated", "condition", "contains", "pattern_list",
  "dependent_schemas", "unevaluated_items", "unevaluated_properties" }

-- What a reference stands for, of a schema that is or has one.
local function target_of(node)
  return node.kind == "ref" and node:target() or node.ref
end

-- The schemas that a schema looks through its value with.
local function parts_of(node)
  local out = { target_of(node) }
  for _, name in ipairs(SINGLE) do
    out[#out + 1] = node[name]
  end
  for _, name in ipairs(LISTS) do
    for _, part in ipairs(node[name] or {}) do
      out[#out + 1] = part
    end
  end
  for _, name in ipairs(MAPS) do
    for _, part in next, node[name] or {} do
      out[#out + 1] = part
    end
  end
  for _, entry in ipairs(node.pattern_list or {}) do
    out[#out + 1] = entry.schema
  end
  return out
end

local function looks_twice(node, parts)
  for _, name in ipairs(TWICE) do
    if node[name] then
      return true
    end
  end
  return node.kind == "shape" and node.ref ~= nil and #parts > 1
end

-- Takes a circle of schemas from the stack: its references, if it looks twice, lead to what is found.
local function take_circle(walk, from)
  local members, twice = {}, false
  for i = from, #walk.stack do
    local node = walk.stack[i]
    members[node], walk.stack[i], walk.left[node] = true, nil, true
    twice = twice or looks_twice(node, walk.parts[node])
  end
  for node in pairs(twice and members or {}) do
    local target = target_of(node)
    if target and members[target] then
      walk.found[target] = true
    end
  end
end

-- Tarjan's walk: schemas that lead to each other stand together on the stack, from the one that was met first. Returns
-- the place on the stack of the first one that the schema leads to.
local function visit(walk, node)
  local place = #walk.stack + 1
  walk.stack[place], walk.places[node], walk.parts[node] = node, place, parts_of(node)
  local lowest = place
  for _, part in ipairs(walk.parts[node]) do
    if not walk.left[part] then
      lowest = math.min(lowest, walk.places[part] or visit(walk, part))
    end
  end
  if lowest == place then
    take_circle(walk, place)
  end
  return lowest
end

--- The schemas, below this one, whose results must be remembered.
---@param node mooncrew.Schema
---@return table<mooncrew.Schema, true>
function M.find(node)
  local walk = { stack = {}, places = {}, left = {}, parts = {}, found = {} }
  visit(walk, node)
  return walk.found
end

return M
