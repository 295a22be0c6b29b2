-- Values that hold no others, and values as members of one that does.

local keywords = require "mooncrew.schema.kind.shape.keywords"
local numbers = require "mooncrew.schema.kind.numbers"
local text = require "mooncrew.schema.kind.text"
local types = require "mooncrew.schema.kind.shape.types"
local values = require "mooncrew.schema.kind.values"

local has_any = keywords.has_any

local M = {}

local function emit_number(e, node, x, where)
  if node.wide then
    e:line("if n and n % 1 == 0 then")
    numbers.emit_int64(e, node, x, where)
    e:line("end")
  elseif has_any(node, keywords.NUMBER) then
    e:line("if n then")
    numbers.emit(e, node, "n", where)
    e:line("end")
  end
end

function M.emit(e, node, x, where)
  if node.allowed then
    values.emit_allowed(e, node, x, where)
  end
  if node.allowed_once then
    values.emit_allowed(e, { allowed = node.allowed_once }, x, where)
  end
  if has_any(node, keywords.TEXT) then
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

function M.is_flat(node)
  local holds_others = has_any(node, keywords.LIST) or has_any(node, keywords.OBJECT)
    or has_any(node, keywords.IN_PLACE)
  return not holds_others and not node.never and not (node.types and node.types.array)
end

function M.emit_flat(e, node, x, where)
  if types.only(node) == "string" and not has_any(node, keywords.NUMBER) and not node.allowed_once then
    return emit_text_alone(e, node, x, where)
  end
  e:line("do")
  types.emit_locals(e, x)
  if node.types then
    e:line("if not (%s) then", types.test(node.types, x))
    e:mismatch(where, types.wrong(node, x))
    e:line("else")
    M.emit(e, node, x, where)
    e:line("end")
  else
    M.emit(e, node, x, where)
  end
  e:line("end")
end

-- ---- as a member of another ----

local function can_change(node)
  return not M.is_flat(node) or node.wide
end

-- Checks the local x against a schema and puts it back if it became another value; `key` is its place.
function M.emit_member(e, node, key, where)
  if not can_change(node) then
    return e:present(node, "x", where)
  end
  e:line("local was = x")
  e:present(node, "x", where)
  e:line('if x ~= was or type(x) == "cdata" then out = own(out, v, decoded) out[%s] = x end', key)
end

return M
