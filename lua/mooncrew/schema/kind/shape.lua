-- What schema.from_json_schema makes: any keywords together, each with the meaning of the standard. Keywords for texts
-- say nothing of numbers; what is absent is not null; nothing is filled in.
--
-- The value stays what it is, with two exceptions: the format int64 gives int64_t, and an empty table that must be an
-- array is marked as one. Containers are copied for that only when they are not ours, and only when there is need.

local choices = require "mooncrew.schema.kind.choices"
local lists = require "mooncrew.schema.kind.lists"
local numbers = require "mooncrew.schema.kind.numbers"
local objects = require "mooncrew.schema.kind.objects"
local text = require "mooncrew.schema.kind.text"
local values = require "mooncrew.schema.kind.values"

local M = {}

local HERE = '""'

-- Options by the type of value to which they apply.
local TEXT = { "min_length", "max_length", "pattern", "format" }
local NUMBER = { "min", "max", "exclusive_min", "exclusive_max", "multiple_of", "wide" }
local LIST = { "min_items", "max_items", "unique_items", "contains", "items", "rest" }
local OBJECT = { "fields", "required", "pattern_list", "additional_properties", "property_names",
  "min_properties", "max_properties", "dependent_required", "dependent_schemas" }
local IN_PLACE = { "ref", "all_of", "any_of", "one_of", "negated", "condition", "unevaluated_items",
  "unevaluated_properties" }

local function has_any(node, options)
  for _, name in ipairs(options) do
    if node[name] ~= nil then
      return true
    end
  end
  return false
end

local TESTS = {
  string = 't == "string"',
  boolean = 't == "boolean"',
  null = "%s == null",
  number = "n and n - n == 0",
  integer = "n and n %% 1 == 0",
  array = 't == "table" and is_list(%s, decoded)',
  object = 't == "table" and not is_list(%s, %s)',
}

-- Whether x has one of the types, as source. A table of the caller's that is empty may be an array or an object.
local function type_test(types, x)
  local tests = {}
  for i, name in ipairs(types) do
    tests[i] = "(" .. TESTS[name]:format(x, 'decoded or "object"') .. ")"
  end
  return table.concat(tests, " or ")
end

local function single_type(node)
  return node.types and #node.types == 1 and node.types[1] or nil
end

-- The number that x is: of an int64_t the nearest double. Nil when it is none.
local function emit_locals(e, x)
  e:line("local t = type(%s)", x)
  e:line('local n = t == "number" and %s or t == "cdata" and to_number(%s) or nil', x, x)
end

local function emit_number(e, node, x, where)
  if node.wide then
    e:line("if n and n % 1 == 0 then")
    numbers.emit_int64(e, node, x, where)
    e:line("end")
  elseif has_any(node, NUMBER) then
    e:line("if n then")
    numbers.emit(e, node, "n", where)
    e:line("end")
  end
end

local function emit_scalars(e, node, x, where)
  if node.allowed then
    values.emit_allowed(e, node, x, where)
  end
  if node.allowed_once then
    values.emit_allowed(e, { allowed = node.allowed_once }, x, where)
  end
  if has_any(node, TEXT) then
    e:line('if t == "string" then')
    text.emit(e, node, x, where)
    e:line("end")
  end
  emit_number(e, node, x, where)
end

-- ---- one text, in the quickest way ----

local function emit_text_alone(e, node, x, where)
  e:line('if type(%s) ~= "string" then', x)
  e:mismatch(where, '"expected string, got " .. kind_of(%s)', x)
  e:line("else")
  text.emit(e, node, x, where)
  if node.allowed then
    values.emit_allowed(e, node, x, where)
  end
  e:line("end")
end

-- ---- values that hold no others ----

local function is_flat(node)
  local holds_others = has_any(node, LIST) or has_any(node, OBJECT) or has_any(node, IN_PLACE)
  return not holds_others and not node.never and not (node.types and node.types.array)
end

-- What is said of a value of another type. Where a number was expected, its value is what is wrong.
local function wrong_type(node, x)
  local shown = (node.types.number or node.types.integer) and "number_or_kind" or "kind_of"
  return ('"expected %s, got " .. %s(%s)'):format(table.concat(node.types, " or "), shown, x)
end

local function emit_flat(e, node, x, where)
  if single_type(node) == "string" and not has_any(node, NUMBER) and not node.allowed_once then
    return emit_text_alone(e, node, x, where)
  end
  e:line("do")
  emit_locals(e, x)
  if node.types then
    e:line("if not (%s) then", type_test(node.types, x))
    e:mismatch(where, wrong_type(node, x))
    e:line("else")
    emit_scalars(e, node, x, where)
    e:line("end")
  else
    emit_scalars(e, node, x, where)
  end
  e:line("end")
end

-- ---- arrays and objects ----

local function can_change(node)
  return not is_flat(node) or node.wide
end

-- Checks the local x against a schema and puts it back if it became another value; `key` is its place.
local function emit_member(e, node, key, where)
  if not can_change(node) then
    return e:present(node, "x", where)
  end
  e:line("local was = x")
  e:present(node, "x", where)
  e:line('if x ~= was or type(x) == "cdata" then out = own(out, v, decoded) out[%s] = x end', key)
end

local function emit_rest_of_items(e, rest, from)
  if rest.never then
    e:line("if size >= %d then", from)
    e:fail(HERE, ('"must have at most %s, has " .. size'):format(from == 2 and "1 item" or from - 1 .. " items"))
    e:line("end")
    return
  end
  e:line("for i = %d, size do", from)
  e:line("local x = v[i]")
  emit_member(e, rest, "i", "step(i - 1)")
  e:line("end")
end

local function list_part(e, node)
  e:line("local size, problem = count_items(v, decoded)")
  e:line("if not size then")
  e:leave(HERE, "problem")
  e:line("end")
  lists.emit_whole(e, node)
  e:line("local out = v")
  for i, item in ipairs(node.items or {}) do
    e:line("if size >= %d then local x = v[%d]", i, i)
    emit_member(e, item, i, ('"[%d]"'):format(i - 1))
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
    emit_member(e, field, ("%q"):format(name), objects.step_to(name))
    e:line("end end")
  end
end

local function emit_patterns(e, node, patterns)
  for i, entry in ipairs(node.pattern_list or {}) do
    e:line("if %s[%d]:matches(key) ~= false then", patterns, i) -- nil: the search was given up
    emit_member(e, entry.schema, "key", "step(key)")
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
    emit_member(e, others, "key", "step(key)")
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

local function object_part(e, node)
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
local function call_part(e, node, name, write)
  e:call(e:part(node, name, function()
    write(e, node)
    e:line("return v")
  end), "v", HERE)
end

local function emit_containers(e, node)
  local has_list = has_any(node, LIST) or node.types and node.types.array
  local has_object = has_any(node, OBJECT)
  if not has_list and not has_object then
    return
  end
  e:line('if t == "table" then')
  e:line('if is_list(v, %s) then', node.types and node.types.array and not node.types.object and "decoded"
    or 'decoded or "object"')
  if has_list then
    call_part(e, node, "list", list_part)
  end
  e:line("else")
  if has_object then
    call_part(e, node, "object", object_part)
  end
  e:line("end end")
end

local CHOICES = { { "any_of", choices.emit_any }, { "one_of", choices.emit_one }, { "negated", choices.emit_not } }

local function emit_in_place(e, node)
  if node.ref then
    e:line("do")
    e:call(e:of(node.ref), "v", HERE)
    e:line("end")
  end
  choices.emit_all(e, node.all_of or {}, "v", HERE)
  for _, choice in ipairs(CHOICES) do
    local name, emit = choice[1], choice[2]
    if node[name] then
      e:line("do")
      emit(e, node[name], "v", HERE)
      e:line("end")
    end
  end
  if node.condition then
    choices.emit_when(e, node.condition, node.yes, node.no, "v", HERE)
  end
end

local function emit_unevaluated_member(e, schema, key, where)
  if schema.never then
    e:fail(where, '"unknown; no schema says what it is"')
  else
    emit_member(e, schema, key, where)
  end
end

local function unevaluated_list_part(e, node)
  e:line("local out = v")
  e:line("local evaluators = find_evaluators(%s, v, T, %s)", e:constant(node), e:constant(e.numbers))
  e:line("for i = 1, #v do")
  e:line("local x = v[i]")
  e:line("if not is_item_evaluated(evaluators, x, i) then")
  emit_unevaluated_member(e, node.unevaluated_items, "i", "step(i - 1)")
  e:line("end end")
  e:line("v = out")
end

local function unevaluated_object_part(e, node)
  e:line("local out = v")
  e:line("local evaluators = find_evaluators(%s, v, T, %s)", e:constant(node), e:constant(e.numbers))
  e:line("for key, x in next, v do")
  e:line('if type(key) == "string" and not is_field_evaluated(evaluators, key) then')
  emit_unevaluated_member(e, node.unevaluated_properties, "key", "step(key)")
  e:line("end end")
  e:line("v = out")
end

-- What nothing else has looked at: last, since all else must be known.
local function emit_unevaluated(e, node)
  if node.unevaluated_items then
    e:line('if t == "table" and is_list(v, decoded or "object") then')
    call_part(e, node, "unevaluated list", unevaluated_list_part)
    e:line("end")
  end
  if node.unevaluated_properties then
    e:line('if t == "table" and not is_list(v, decoded or "object") then')
    call_part(e, node, "unevaluated object", unevaluated_object_part)
    e:line("end")
  end
end

local function emit_types(e, node)
  if node.never then
    e:leave(HERE, '"nothing fits here; it must be absent"')
  elseif node.types then
    e:line("if not (%s) then", type_test(node.types, "v"))
    e:leave(HERE, wrong_type(node, "v"))
    e:line("end")
  end
end

local function mixed_body(e, node)
  emit_locals(e, "v")
  emit_types(e, node)
  if not node.never then
    emit_scalars(e, node, "v", HERE)
    emit_containers(e, node)
    emit_in_place(e, node)
    emit_unevaluated(e, node)
  end
  e:line("return v")
end

-- ---- one kind of container, in the quickest way ----

local function object_body(e, node)
  e:line("if type(v) ~= 'table' or v[1] ~= nil or getmetatable(v) == array_metatable then")
  e:leave(HERE, '"expected object, got " .. kind_of(v)')
  e:line("end")
  object_part(e, node)
  e:line("return v")
end

local function array_body(e, node)
  e:line("if type(v) ~= 'table' then")
  e:leave(HERE, '"expected array, got " .. kind_of(v)')
  e:line("end")
  list_part(e, node)
  e:line("return v")
end

local ALONE = { object = object_body, array = array_body }

local function body(e, node)
  local plain = not node.never and not node.allowed and not node.allowed_once and not has_any(node, IN_PLACE)
  local alone = plain and ALONE[single_type(node)]
  return (alone or mixed_body)(e, node)
end

M.kinds = {
  shape = { options = {}, takes_null = true, is_flat = is_flat, emit = emit_flat, body = body },
}

return M
