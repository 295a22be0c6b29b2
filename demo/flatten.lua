-- Reads a JSON value and prints a line "name<TAB>value" for each leaf, sorted: {"a":{"b":1}} becomes "a.b	1".

local cjson = require "cjson"

local lines = {}

local function add(name, value)
  if type(value) ~= "table" then
    lines[#lines + 1] = ("%s\t%s"):format(name, type(value) == "number" and ("%.14g"):format(value) or tostring(value))
    return
  end
  for key, child in pairs(value) do
    add(name == "" and tostring(key) or name .. "." .. tostring(key), child)
  end
end

add("", cjson.decode(io.read("*a")))
table.sort(lines)
print(table.concat(lines, "\n"))
