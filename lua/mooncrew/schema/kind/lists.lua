-- Arrays: how many items, whether they differ, what each of them is.

local emit_counts = require "mooncrew.schema.kind.counts"
local words = require "mooncrew.schema.words"

local M = {}

local HERE = '""'

local function emit_unique(e, node)
  if node.unique_items then
    e:line("local first, second = find_twice(v, size)")
    e:line("if first then")
    e:fail(HERE, '("items %d and %d are equal, and must differ"):format(first - 1, second - 1)')
    e:line("end")
  end
end

local function emit_contains(e, node)
  if not node.contains then
    return
  end
  local min, max = node.min_contains or 1, node.max_contains
  e:line("local found = count_fitting(T[%d], v, size, decoded)", e:of(node.contains))
  e:line("if found < %d then", min)
  e:fail(HERE, '"must have at least %s that fit `contains`, has " .. found',
    words.plural(min, "item"))
  e:line("end")
  if max then
    e:line("if found > %d then", max)
    e:fail(HERE, '"must have at most %s that fit `contains`, has " .. found',
      words.plural(max, "item"))
    e:line("end")
  end
end

--- Checks what concerns an array as a whole: v, which has `size` items.
function M.emit_whole(e, node)
  emit_counts(e, "size", node.min_items, node.max_items, "item")
  emit_unique(e, node)
  emit_contains(e, node)
end

--- Leaves the function unless v is an array; `size` is how many items it has.
function M.emit_is_array(e)
  e:line('if type(v) ~= "table" then')
  e:leave(HERE, '"expected array, got " .. kind_of(v)')
  e:line("end")
  e:line("local size, problem = count_items(v, decoded)")
  e:line("if not size then")
  e:leave(HERE, "problem")
  e:line("end")
end

local function emit_items(e, item, from)
  e:line("for i = %d, size do", from)
  e:line("local x = v[i]")
  e:value(item, "x", "step(i - 1)")
  e:line("out[i] = x")
  e:line("end")
end

local function array_body(e, node)
  M.emit_is_array(e)
  M.emit_whole(e, node)
  e:line("local out = decoded == true and v or {}")
  emit_items(e, node.item, 1)
  e:line("return setmetatable(out, array_metatable)")
end

local function emit_tuple_size(e, count, rest)
  e:line(rest and "if size < %d then" or "if size ~= %d then", count)
  e:fail(HERE, '"must have %s%s, has " .. size', rest and "at least " or "", words.plural(count, "item"))
  e:line("end")
end

local function tuple_body(e, node)
  M.emit_is_array(e)
  emit_tuple_size(e, #node.items, node.rest)
  M.emit_whole(e, node)
  e:line("local out = decoded == true and v or {}")
  for i, item in ipairs(node.items) do
    e:line("if size >= %d then local x = v[%d]", i, i)
    e:value(item, "x", ('"[%d]"'):format(i - 1))
    e:line("out[%d] = x end", i)
  end
  if node.rest then
    emit_items(e, node.rest, #node.items + 1)
  end
  e:line("return setmetatable(out, array_metatable)")
end

local WHOLE = { min_items = "count", max_items = "count", unique_items = "boolean", contains = "schema",
  min_contains = "count", max_contains = "count" }

local function options(more)
  for name, kind in pairs(WHOLE) do
    more[name] = kind
  end
  return more
end

M.kinds = {
  array = { options = options {}, body = array_body },
  tuple = { options = options { rest = "schema" }, body = tuple_body },
}

return M
