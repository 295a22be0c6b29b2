-- Texts: their length, a regular expression, a format.

local formats = require "mooncrew.schema.formats"
local words = require "mooncrew.schema.words"

local M = {}

-- A text has between a quarter as many characters as bytes and as many: mostly the bytes decide.
local function emit_lengths(e, node, x, where)
  local min, max = node.min_length, node.max_length
  if min and min > 0 then
    if min == 1 then
      e:line('if %s == "" then', x)
    else
      e:line("if #%s < %d and length(%s) < %d then", x, min * 4, x, min)
    end
    e:fail(where, '"must have at least %s, has " .. length(%s)', words.plural(min, "character"), x)
    e:line("end")
  end
  if max then
    e:line("if #%s > %d and length(%s) > %d then", x, max, x, max)
    e:fail(where, '"must have at most %s, has " .. length(%s)', words.plural(max, "character"), x)
    e:line("end")
  end
end

local function emit_pattern(e, node, x, where)
  if node.pattern then
    e:line("local matches, problem = %s:matches(%s)", e:constant(node.regex), x)
    e:line("if not matches then")
    e:fail(where, "problem or %q", ("does not match the pattern %s"):format(node.pattern))
    e:line("end")
  end
end

local function emit_format(e, node, x, where)
  if formats.text[node.format] then
    e:line("if not %s(%s) then", e:constant(formats.text[node.format]), x)
    e:fail(where, "%q", ("is not a valid %s"):format(node.format))
    e:line("end")
  end
end

--- Checks x, which is a text.
function M.emit(e, node, x, where)
  emit_lengths(e, node, x, where)
  emit_format(e, node, x, where)
  emit_pattern(e, node, x, where)
end

M.kinds = {
  string = {
    options = { min_length = "count", max_length = "count", pattern = "pattern", format = "format" },
    emit = function(e, node, x, where)
      e:line('if type(%s) ~= "string" then', x)
      e:mismatch(where, '"expected string, got " .. kind_of(%s)', x)
      e:line("else")
      M.emit(e, node, x, where)
      e:line("end")
    end,
  },
}

return M
