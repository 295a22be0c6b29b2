-- Arrays and objects: what is said of them as a whole, and of each member by its place or name.

local keywords = require "mooncrew.schema.kind.shape.keywords"
local lists = require "mooncrew.schema.kind.lists"
local objects = require "mooncrew.schema.kind.objects"
local scalars = require "mooncrew.schema.kind.shape.scalars"

local M = {}

local HERE = '""'

local function emit_rest_of_items(e, rest, from)
  if rest.never then
    e:line("if size >= %d then", from)
    e:fail(HERE, ('"must have at most %s, has " .. size'):format(from == 2 and "1 item" or from - 1 .. " items"))
    e:line("end")
    return
  end
  e:line("for i = %d, size do", from)
  e:line("local x = v[i]")
  scalars.emit_member(e, rest, "i", "step(i - 1)")
  e:line("end")
end

function M.list_part(e, node)
  e:line("local size, problem = count_items(v, decoded)")
  e:line("if not size then")
  e:leave(HERE, "problem")
  e:line("end")
  lists.emit_whole(e, node)
  e:line("local out = v")
  for i, item in ipairs(node.items or {}) do
    e:line("if size >= %d then local x = v[%d]", i, i)
    scalars.emit_member(e, item, i, ('"[%d]"'):format(i - 1))
    e:line("end")
  end
  if node.rest then
    emit_rest_of_items(e, node.rest, #(node.items or {}) + 1)
  end
  e:line("v = mark_array(out, decoded)")
end

local function emit_required(e, node)
  for _, name in ipairs(node.required or {}) do
    e:line("if v[%q] == nil then", name)
    e:fail(objects.step_to(name), '"required"')
    e:line("end")
  end
end

local function emit_properties(e, node)
  local fields = node.fields or {}
  for _, name in ipairs(objects.field_order(e, fields)) do
    local field = fields[name]
    e:line("do local x = v[%q]", name)
    e:line("if x ~= nil then")
    scalars.emit_member(e, field, ("%q"):format(name), objects.step_to(name))
    e:line("end end")
  end
end

local function emit_patterns(e, node, patterns)
  for i, entry in ipairs(node.pattern_list or {}) do
    e:line("if %s[%d]:matches(key) ~= false then", patterns, i) -- nil: the search was given up
    scalars.emit_member(e, entry.schema, "key", "step(key)")
    e:line("end")
  end
end

-- The others, which neither a name nor a pattern knows.
local function emit_additional(e, node, patterns)
  local others = node.additional_properties
  if not others or others.never and e.listing then
    return
  end
  local known = e:constant(node.fields or {})
  e:line("if not %s[key]%s then", known,
    patterns and (" and not matches_any(%s, key)"):format(patterns) or "")
  if others.never then
    e:line("do return nil end")
  else
    scalars.emit_member(e, others, "key", "step(key)")
  end
  e:line("end")
end

local function emit_by_key(e, node)
  local patterns = node.pattern_list and e:constant(node.pattern_regexes)
  if not patterns and not node.additional_properties then
    return
  end
  e:line("for key, x in next, v do")
  e:line('if type(key) ~= "string" then')
  e:leave("step_to_key(key)", "explain_map_key(key)")
  e:line("end")
  emit_patterns(e, node, patterns)
  emit_additional(e, node, patterns)
  e:line("end")
end

-- All at once and sorted; the fast validator sees to it in emit_additional.
local function emit_unknown(e, node)
  if e.listing and node.additional_properties and node.additional_properties.never then
    local patterns = node.pattern_list and e:constant(node.pattern_regexes)
    e:line("report_unknown(errors, at, %s, v, %s)", e:constant(node.fields or {}), patterns or "nil")
  end
end

function M.object_part(e, node)
  emit_unknown(e, node)
  if e.listing then
    objects.emit_whole(e, node)
    emit_required(e, node)
  else
    emit_required(e, node)
    objects.emit_whole(e, node)
  end
  e:line("local out = v")
  emit_properties(e, node)
  emit_by_key(e, node)
  e:line("v = out")
end

-- Calls a part that is a function of its own: jumps in Lua are short, and a part can be long.
function M.call_part(e, node, name, write)
  e:call(e:part(node, name, function()
    write(e, node)
    e:line("return v")
  end), "v", HERE)
end

function M.emit(e, node)
  local has_list = keywords.has_any(node, keywords.LIST) or node.types and node.types.array
  local has_object = keywords.has_any(node, keywords.OBJECT)
  if not has_list and not has_object then
    return
  end
  e:line('if t == "table" then')
  e:line('if is_list(v, %s) then', node.types and node.types.array and not node.types.object and "decoded"
    or 'decoded or "object"')
  if has_list then
    M.call_part(e, node, "list", M.list_part)
  end
  e:line("else")
  if has_object then
    M.call_part(e, node, "object", M.object_part)
  end
  e:line("end end")
end

return M
