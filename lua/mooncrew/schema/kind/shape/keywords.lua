-- The keywords of a shape by what they say something of.

local M = {}

-- Options by the type of value to which they apply.
M.TEXT = { "min_length", "max_length", "pattern", "format" }
M.NUMBER = { "min", "max", "exclusive_min", "exclusive_max", "multiple_of", "wide" }
M.LIST = { "min_items", "max_items", "unique_items", "contains", "items", "rest" }
M.OBJECT = { "fields", "required", "pattern_list", "additional_properties", "property_names",
  "min_properties", "max_properties", "dependent_required", "dependent_schemas" }
M.IN_PLACE = { "ref", "all_of", "any_of", "one_of", "negated", "condition", "unevaluated_items",
  "unevaluated_properties" }

---@param node table  a shape
---@param options string[]  one of the lists above
---@return boolean
function M.has_any(node, options)
  for _, name in ipairs(options) do
    if node[name] ~= nil then
      return true
    end
  end
  return false
end

return M
