-- Objects: fields by name, by a pattern of their names, and all others; and what holds for the object as a whole.

local emit_counts = require "mooncrew.schema.kind.counts"
local path = require "mooncrew.json.path"
local sorted_keys = require "mooncrew.sorted_keys"

local kinds -- required when first needed: they are made of this file too

local M = {}

local HERE = '""'

-- What costs little and tells much goes first: constants, then single values, then what holds others.
local function cost_of(node)
  local kind = kinds[node.kind]
  if node.allowed or node.allowed_once then
    return 0
  end
  return (not kind.body or kind.is_flat and kind.is_flat(node)) and 1 or 2
end

--- The names of fields in the order in which they are checked. Who lists errors wants them sorted. The fast validator
--- wants to fail early: where alternatives that contain themselves differ in a constant, it looks into but one of them.
---@param e mooncrew.schema.Emitter
---@param fields table<string, mooncrew.Schema>
---@return string[]
function M.field_order(e, fields)
  kinds = kinds or require "mooncrew.schema.kinds"
  local names = sorted_keys(fields)
  if e.listing then
    return names
  end
  local costs = {}
  for _, name in ipairs(names) do
    costs[name] = cost_of(fields[name])
  end
  table.sort(names, function(a, b)
    return costs[a] < costs[b] or costs[a] == costs[b] and a < b
  end)
  return names
end

--- The steps to a field, as source.
function M.step_to(name)
  return ("%q"):format(path.step(name))
end

local function emit_size(e, node)
  local min, max = node.min_properties, node.max_properties
  if min or max then
    e:line("local count = count_fields(v)")
    emit_counts(e, "count", min, max, "field")
  end
end

local function emit_names(e, node)
  if node.property_names then
    e:line("for key in next, v do")
    e:line("if T[%d](key, false) == nil then", e:of(node.property_names))
    e:fail("step_to_key(key)", '"the name does not fit: " .. explain_name(F[%d], key)', e:of(node.property_names))
    e:line("end")
    e:line("end")
  end
end

-- Whether v has a field, as source. Null is absence, but not in JSON Schema's own terms.
local function has_field(node, name)
  return node.kind == "shape" and ("v[%q] ~= nil"):format(name) or ("is_there(v[%q])"):format(name)
end

local function emit_dependent_required(e, node)
  for _, name in ipairs(sorted_keys(node.dependent_required or {})) do
    for _, needed in ipairs(node.dependent_required[name]) do
      e:line("if %s and not (%s) then", has_field(node, name), has_field(node, needed))
      e:fail(M.step_to(needed), "%q", ("required, since %s is there"):format(name))
      e:line("end")
    end
  end
end

local function emit_dependent_schemas(e, node)
  for _, name in ipairs(sorted_keys(node.dependent_schemas or {})) do
    e:line("if %s then", has_field(node, name))
    e:call(e:of(node.dependent_schemas[name]), "v", HERE)
    e:line("end")
  end
end

--- Checks what concerns an object as a whole: v.
function M.emit_whole(e, node)
  emit_size(e, node)
  emit_names(e, node)
  emit_dependent_required(e, node)
  emit_dependent_schemas(e, node)
end

-- `is_array` is source: when a table is an array.
local function emit_is_object(e, is_array)
  e:line('if type(v) ~= "table" then')
  e:leave(HERE, '"expected object, got " .. kind_of(v)')
  e:line("end")
  e:line("if getmetatable(v) == array_metatable or %s then", is_array)
  e:leave(HERE, '"expected object, got array"')
  e:line("end")
end

-- Refuses fields that are neither known nor fit a pattern.
local function emit_refuse_unknown(e, node, patterns)
  local known = e:constant(node.fields)
  if e.listing then
    return e:line("if not report_unknown(errors, at, %s, v, %s) then return v end", known, patterns or "nil")
  end
  local is_known = patterns and (" and not matches_any(%s, key)"):format(patterns) or ""
  e:line("for key in next, v do")
  e:line("if not %s[key]%s then", known, is_known)
  e:line("return nil")
  e:line("end")
  e:line("end")
end

-- Before any field is gone into. When listing, each field says so itself.
local function emit_required(e, node)
  for _, name in ipairs(e.listing and {} or sorted_keys(node.fields)) do
    if not node.fields[name].is_optional then
      e:line("if v[%q] == nil then return nil end", name)
    end
  end
end

local function emit_fields(e, node)
  for _, name in ipairs(M.field_order(e, node.fields)) do
    e:line("do local x = v[%q]", name)
    e:value(node.fields[name], "x", M.step_to(name))
    e:line("out[%q] = x end", name)
  end
end

-- Fields by the pattern of their names, and those that neither name nor pattern knows.
local function emit_others(e, node, patterns)
  local list, others = node.pattern_list or {}, node.additional_properties
  if #list == 0 and not others then
    return
  end
  e:line("for key, x in next, v do")
  e:line('if type(key) == "string" then')
  for i, entry in ipairs(list) do
    e:line("if %s[%d]:matches(key) ~= false then", patterns, i) -- nil: the search was given up
    e:value(entry.schema, "x", "step(key)")
    e:line("out[key] = x end")
  end
  if others then
    e:line("if not %s[key]%s then", e:constant(node.fields),
      patterns and (" and not matches_any(%s, key)"):format(patterns) or "")
    e:value(others, "x", "step(key)")
    e:line("out[key] = x end")
  end
  e:line("end end")
end

local function object_body(e, node)
  local patterns = node.pattern_list and e:constant(node.pattern_regexes)
  emit_is_object(e, "v[1] ~= nil")
  local open = node.allow_unknown or node.additional_properties
  if not open then
    emit_refuse_unknown(e, node, patterns)
  end
  emit_required(e, node)
  M.emit_whole(e, node)
  e:line("local out = decoded == true and v or %s", (open or patterns) and "copy_fields(v)" or "{}")
  emit_others(e, node, patterns)
  emit_fields(e, node)
  e:line("return out")
end

local function map_body(e, node)
  emit_is_object(e, "decoded and v[1] ~= nil")
  M.emit_whole(e, node)
  e:line("local out = decoded == true and v or {}")
  e:line("for key, x in next, v do")
  e:line('if type(key) ~= "string" then')
  e:leave("step_to_key(key)", "explain_map_key(key)")
  e:line("end")
  e:value(node.value, "x", "step(key)")
  e:line("out[key] = x")
  e:line("end")
  e:line("return out")
end

local WHOLE = { property_names = "schema", min_properties = "count", max_properties = "count" }

local function options(more)
  for name, kind in pairs(WHOLE) do
    more[name] = kind
  end
  return more
end

M.kinds = {
  object = {
    options = options { allow_unknown = "boolean", additional_properties = "schema", pattern_properties = "patterns",
      dependent_required = "names by name", dependent_schemas = "schemas by name" },
    body = object_body,
  },
  map = { options = options {}, body = map_body },
}

return M
