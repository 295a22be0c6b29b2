-- Numbers: their limits, multiples, 64-bit integers.

local number_text = require "mooncrew.json.number"
local int64 = require "mooncrew.json.int64"

local M = {}

-- option, when it is broken, what is said
local BOUNDS = {
  { "min", "<", "at least" }, { "max", ">", "at most" },
  { "exclusive_min", "<=", "more than" }, { "exclusive_max", ">=", "less than" },
}

local function text_of(number)
  return int64.text(number) or number_text(number)
end

--- Checks the limits of x. `spell` turns a limit into source that compares with x.
local function emit_bounds(e, node, x, where, spell)
  for _, bound in ipairs(BOUNDS) do
    local limit, operator, words = node[bound[1]], bound[2], bound[3]
    if limit then
      e:line("if %s %s %s then", x, operator, spell(limit))
      e:fail(where, '"must be %s %s, is " .. shown_number(%s)', words, text_of(limit), x)
      e:line("end")
    end
  end
end

local function emit_multiple(e, node, x, where, limit)
  if node.multiple_of then
    e:line("if not is_multiple(%s, %s) then", x, limit)
    e:fail(where, '"must be a multiple of %s, is " .. shown_number(%s)', text_of(node.multiple_of), x)
    e:line("end")
  end
end

local function literal(number)
  return ("%.17g"):format(tonumber(number))
end

--- Checks x, which is a number.
function M.emit(e, node, x, where)
  emit_bounds(e, node, x, where, literal)
  emit_multiple(e, node, x, where, node.multiple_of and literal(node.multiple_of))
end

--- Checks and converts x, which is a number or an int64_t.
function M.emit_int64(e, node, x, where)
  e:line("local wide = to_int64(%s)", x)
  e:line("if wide == nil then")
  e:mismatch(where, '"expected int64, got " .. number_or_kind(%s)', x)
  e:line("else")
  e:line("%s = wide", x)
  emit_bounds(e, node, x, where, function(limit)
    return e:constant(int64.of(limit))
  end)
  emit_multiple(e, node, x, where, node.multiple_of and e:constant(int64.of(node.multiple_of)))
  e:line("end")
end

local function options(kind)
  local multiple = kind == "number" and "positive" or kind == "int64" and "positive int64" or "positive integer"
  return { min = kind, max = kind, exclusive_min = kind, exclusive_max = kind, multiple_of = multiple }
end

M.kinds = {
  integer = {
    options = options("integer"),
    emit = function(e, node, x, where)
      e:line('if type(%s) ~= "number" or %s %% 1 ~= 0 or %s > MAX_EXACT or %s < -MAX_EXACT then', x, x, x, x)
      e:mismatch(where, '"expected integer, got " .. number_or_kind(%s)', x)
      e:line("else")
      M.emit(e, node, x, where)
      e:line("%s = %s + 0", x, x) -- an integer has no minus zero: -0 + 0 is 0
      e:line("end")
    end,
  },
  number = {
    options = options("number"),
    emit = function(e, node, x, where)
      e:line('if type(%s) ~= "number" or %s ~= %s or %s == huge or %s == -huge then', x, x, x, x, x)
      e:mismatch(where, '"expected number, got " .. number_or_kind(%s)', x)
      e:line("else")
      M.emit(e, node, x, where)
      e:line("end")
    end,
  },
  int64 = { options = options("int64"), emit = M.emit_int64 },
}

return M
