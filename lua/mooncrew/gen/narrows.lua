-- Whether a schema only narrows down what another one says of the same value, so that the other one's type can still
-- hold every value that fits both. One that names fields which the other does not would need fields of its own.

-- As in mooncrew.gen.shape: this recursion is not to be compiled.
local jit = rawget(_G, "jit")
if jit then
  jit.off(true, true)
end

local narrows -- forward: schemas hold schemas

local function names_only(names, properties)
  for _, name in ipairs(names) do
    if properties[name] == nil then
      return false
    end
  end
  return true
end

local function fields_narrow(schema, known)
  local properties = known.properties or {}
  for name, field in pairs(schema.properties or {}) do
    if properties[name] == nil or not narrows(field, properties[name]) then
      return false
    end
  end
  return names_only(schema.required or {}, properties)
end

local function all_narrow(list, known)
  for _, schema in pairs(list or {}) do
    if not narrows(schema, known) then
      return false
    end
  end
  return true
end

-- "if" and "not" only ask, and add nothing.
local SAME_PLACE = { "then", "else" }
local LISTS = { "allOf", "anyOf", "oneOf", "dependentSchemas" }

--- Whether what hangs below these keywords of a schema narrows down `known`.
---@param schema table
---@param known table
---@return boolean
local function parts_narrow(schema, known)
  for _, keyword in ipairs(SAME_PLACE) do
    if schema[keyword] ~= nil and not narrows(schema[keyword], known) then
      return false
    end
  end
  for _, keyword in ipairs(LISTS) do
    if not all_narrow(schema[keyword], known) then
      return false
    end
  end
  return true
end

narrows = function(schema, known)
  if type(schema) ~= "table" then
    return true
  end
  known = type(known) == "table" and known or {}
  return schema["$ref"] == nil and fields_narrow(schema, known) and parts_narrow(schema, known)
    and (schema.items == nil or narrows(schema.items, known.items)) and schema.prefixItems == nil
end

return { narrows = narrows, parts_narrow = parts_narrow }
