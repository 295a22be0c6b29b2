-- Members that no other keyword has looked at.

local containers = require "mooncrew.schema.kind.shape.containers"
local scalars = require "mooncrew.schema.kind.shape.scalars"

local M = {}

local function emit_unevaluated_member(e, schema, key, where)
  if schema.never then
    e:fail(where, '"unknown; no schema says what it is"')
  else
    scalars.emit_member(e, schema, key, where)
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
function M.emit(e, node)
  if node.unevaluated_items then
    e:line('if t == "table" and is_list(v, decoded or "object") then')
    containers.call_part(e, node, "unevaluated list", unevaluated_list_part)
    e:line("end")
  end
  if node.unevaluated_properties then
    e:line('if t == "table" and not is_list(v, decoded or "object") then')
    containers.call_part(e, node, "unevaluated object", unevaluated_object_part)
    e:line("end")
  end
end

return M
