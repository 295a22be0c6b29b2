-- What a schema says of a place inside a value. Alternatives make it several schemas at once.

local M = {}

local in_place = require("mooncrew.schema.endless").in_place

-- Adds the schema and all that look at the same value.
local function gather(node, found, seen)
  if seen[node] then
    return
  end
  seen[node] = true
  found[#found + 1] = node
  for _, other in ipairs(in_place(node)) do
    gather(other, found, seen)
  end
end

local function field_schemas(node, key)
  local out = { node.fields and node.fields[key] }
  for i, entry in ipairs(node.pattern_list or {}) do
    out[#out + 1] = node.pattern_regexes[i]:matches(key) and entry.schema or nil
  end
  if #out == 0 then
    out[1] = node.additional_properties or node.unevaluated_properties or node.value
  end
  return out
end

local function item_schemas(node, index)
  return { (node.items and node.items[index + 1]) or node.rest or node.unevaluated_items or node.item }
end

local function below(nodes, key)
  local found, seen = {}, {}
  for _, node in ipairs(nodes) do
    for _, inner in pairs((type(key) == "number" and item_schemas or field_schemas)(node, key)) do
      gather(inner, found, seen)
    end
  end
  return found
end

--- Whether 64-bit integers fit at the place to which keys lead (0-based numbers for items).
---@param node mooncrew.Schema
---@param keys (string|number)[]
---@return boolean
function M.take_int64(node, keys)
  local nodes = {}
  gather(node, nodes, {})
  for _, key in ipairs(keys) do
    nodes = below(nodes, key)
  end
  for _, found in ipairs(nodes) do
    if found.kind == "int64" or found.wide then
      return true
    end
  end
  return false
end

return M
