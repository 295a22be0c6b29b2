-- What type a value has, and what is said of one that has another.

local M = {}

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
function M.test(types, x)
  local tests = {}
  for i, name in ipairs(types) do
    tests[i] = "(" .. TESTS[name]:format(x, 'decoded or "object"') .. ")"
  end
  return table.concat(tests, " or ")
end

-- The type a value must have, where only one is allowed; else nil.
function M.only(node)
  return node.types and #node.types == 1 and node.types[1] or nil
end

-- What is said of a value of another type. Where a number was expected, its value is what is wrong.
function M.wrong(node, x)
  local shown = (node.types.number or node.types.integer) and "number_or_kind" or "kind_of"
  return ('"expected %s, got " .. %s(%s)'):format(table.concat(node.types, " or "), shown, x)
end

-- The number that x is: of an int64_t the nearest double. Nil when it is none.
function M.emit_locals(e, x)
  e:line("local t = type(%s)", x)
  e:line('local n = t == "number" and %s or t == "cdata" and to_number(%s) or nil', x, x)
end

return M
