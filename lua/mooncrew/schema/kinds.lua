-- The kinds of schema: which options each takes, and the Lua source that checks a value.
--
-- emit(e, node, x, where) adds source to the emitter e. In that source the local variable named x holds the value,
-- which is neither nil nor null there; the source may assign to it, and leaves by e:fail(where, message) when the
-- value does not fit. `where` is a Lua expression: the steps from the enclosing function's value to this one.

local number_text = require "mooncrew.json.number"
local path = require "mooncrew.json.path"

local M = {}

local function check_type(e, x, where, lua_type, kind)
  e:line('if type(%s) ~= "%s" then', x, lua_type)
  e:fail(where, '"expected %s, got " .. kind_of(%s)', kind, x)
  e:line("end")
end

local function plural(count, noun)
  return ("%d %s%s"):format(count, noun, count == 1 and "" or "s")
end

-- min and max of a number
local function check_range(e, node, x, where)
  for _, bound in ipairs { { node.min, "<", "at least" }, { node.max, ">", "at most" } } do
    local limit, operator, words = bound[1], bound[2], bound[3]
    if limit then
      e:line("if %s %s %.17g then", x, operator, limit)
      e:fail(where, '"must be %s %s, is " .. number_or_kind(%s)', words, number_text(limit), x)
      e:line("end")
    end
  end
end

-- A text has between a quarter as many characters as bytes and as many: mostly the bytes decide.
local function check_lengths(e, node, x, where)
  local min, max = node.min_length, node.max_length
  if min and min > 0 then
    e:line("if #%s < %d and length(%s) < %d then", x, min * 4, x, min)
    e:fail(where, '"must have at least %s, has " .. length(%s)', plural(min, "character"), x)
    e:line("end")
  end
  if max then
    e:line("if #%s > %d and length(%s) > %d then", x, max, x, max)
    e:fail(where, '"must have at most %s, has " .. length(%s)', plural(max, "character"), x)
    e:line("end")
  end
end

local function check_pattern(e, node, x, where)
  if node.pattern then
    e:line("local matches, problem = %s:matches(%s)", e:constant(node.regex), x)
    e:line("if not matches then")
    e:fail(where, "problem or %q", ("does not match the pattern %s"):format(node.pattern))
    e:line("end")
  end
end

M.string = {
  options = { min_length = "count", max_length = "count", pattern = "pattern" },
  emit = function(e, node, x, where)
    check_type(e, x, where, "string", "string")
    check_lengths(e, node, x, where)
    check_pattern(e, node, x, where)
  end,
}

M.integer = {
  options = { min = "integer", max = "integer" },
  emit = function(e, node, x, where)
    e:line('if type(%s) ~= "number" or %s %% 1 ~= 0 or %s > MAX_EXACT or %s < -MAX_EXACT then', x, x, x, x)
    e:fail(where, '"expected integer, got " .. number_or_kind(%s)', x)
    e:line("end")
    check_range(e, node, x, where)
    e:line("%s = %s + 0", x, x) -- an integer has no minus zero: -0 + 0 is 0
  end,
}

M.number = {
  options = { min = "number", max = "number" },
  emit = function(e, node, x, where)
    e:line('if type(%s) ~= "number" or %s ~= %s or %s == huge or %s == -huge then', x, x, x, x, x)
    e:fail(where, '"expected number, got " .. number_or_kind(%s)', x)
    e:line("end")
    check_range(e, node, x, where)
  end,
}

M.boolean = {
  options = {},
  emit = function(e, _, x, where)
    check_type(e, x, where, "boolean", "boolean")
  end,
}

M.int64 = {
  options = {},
  emit = function(e, _, x, where)
    e:line("local wide = to_int64(%s)", x)
    e:line("if wide == nil then")
    e:fail(where, '"expected int64, got " .. number_or_kind(%s)', x)
    e:line("end")
    e:line("%s = wide", x)
  end,
}

M.any = {
  options = {},
  takes_null = true,
  emit = function() end,
}

M.enum = {
  options = {},
  emit = function(e, node, x, where)
    e:line("if not %s[%s] then", e:constant(node.set), x)
    e:fail(where, "%q", "expected one of " .. node.listed)
    e:line("end")
  end,
}

local function call(e, container, x, where)
  e:line("local result, steps, message = %s(%s, decoded)", container, x)
  e:line("if result == nil then return nil, %s .. steps, message end", where)
  e:line("%s = result", x)
end

local function check_items(e, node)
  local min, max = node.min_items, node.max_items
  if min then
    e:line("if size < %d then", min)
    e:fail('""', '"must have at least %s, has " .. size', plural(min, "item"))
    e:line("end")
  end
  if max then
    e:line("if size > %d then", max)
    e:fail('""', '"must have at most %s, has " .. size', plural(max, "item"))
    e:line("end")
  end
end

local function array_body(e, node)
  check_type(e, "v", '""', "table", "array")
  e:line("local size, problem = count_items(v, decoded)")
  e:line("if not size then")
  e:fail('""', "problem")
  e:line("end")
  check_items(e, node)
  e:line("local out = decoded and v or {}")
  e:line("for i = 1, size do")
  e:line("local x = v[i]")
  e:value(node.item, "x", "step(i - 1)")
  e:line("out[i] = x")
  e:line("end")
  e:line("return setmetatable(out, array_metatable)")
end

M.array = {
  options = { min_items = "count", max_items = "count" },
  emit = function(e, node, x, where)
    call(e, e:container(function() array_body(e, node) end), x, where)
  end,
}

local function check_object(e)
  check_type(e, "v", '""', "table", "object")
  e:line("if getmetatable(v) == array_metatable then")
  e:fail('""', '"expected object, got array"')
  e:line("end")
end

local function refuse_unknown(e, node)
  local known = e:constant(node.fields)
  e:line("for key in next, v do")
  e:line("if not %s[key] then return nil, explain_unknown(%s, v) end", known, known)
  e:line("end")
end

local function sorted_names(fields)
  local names = {}
  for name in pairs(fields) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

local function object_body(e, node)
  check_object(e)
  if not node.allow_unknown then
    refuse_unknown(e, node)
  end
  e:line("local out = decoded and v or %s", node.allow_unknown and "copy_fields(v)" or "{}")
  for _, name in ipairs(sorted_names(node.fields)) do
    e:line("do local x = v[%q]", name)
    e:value(node.fields[name], "x", ("%q"):format(path.step(name)))
    e:line("out[%q] = x end", name)
  end
  e:line("return out")
end

M.object = {
  options = { allow_unknown = "boolean" },
  emit = function(e, node, x, where)
    call(e, e:container(function() object_body(e, node) end), x, where)
  end,
}

local function map_body(e, node)
  check_object(e)
  e:line("local out = decoded and v or {}")
  e:line("for key, x in next, v do")
  e:line('if type(key) ~= "string" then return nil, explain_map_key(key) end')
  e:value(node.value, "x", "step(key)")
  e:line("out[key] = x")
  e:line("end")
  e:line("return out")
end

M.map = {
  options = {},
  emit = function(e, node, x, where)
    call(e, e:container(function() map_body(e, node) end), x, where)
  end,
}

return M
