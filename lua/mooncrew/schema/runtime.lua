-- What compiled validators call when they run: tests that are too long to be written out in each of them.

local native = require "mooncrew.native"
local array = require "mooncrew.json.array"
local int64 = require "mooncrew.json.int64"
local number_text = require "mooncrew.json.number"
local path = require "mooncrew.json.path"
local evaluated = require "mooncrew.schema.evaluated"
local is_multiple = require "mooncrew.schema.multiple"
local values = require "mooncrew.schema.values"

local next = native.next

local M = {}

M.next = next
M.array_metatable = array.metatable
M.null = array.null
M.step = path.step
M.to_int64 = int64.of
M.is_multiple = is_multiple
M.is_allowed = values.is_allowed
M.find_twice = values.find_twice
M.find_evaluators = evaluated.find_evaluators
M.is_field_evaluated = evaluated.is_field_evaluated
M.is_item_evaluated = evaluated.is_item_evaluated

--- What a value is in the words of JSON: "string", "null", "array", … or a Lua type that JSON does not have.
function M.kind_of(value)
  if value == array.null then
    return "null"
  elseif type(value) == "table" then
    return array.is(value) and "array" or "object"
  elseif type(value) == "cdata" then
    return int64.text(value) and "int64" or "cdata"
  end
  return type(value) == "nil" and "null" or type(value)
end

--- The same, but a number shows itself: where a number was expected, its value is what is wrong.
function M.number_or_kind(value)
  if type(value) ~= "number" then
    return M.kind_of(value)
  end
  return number_text(value) or (value == value and "infinity" or "not-a-number")
end

--- A number or a 64-bit integer by its digits.
function M.shown_number(value)
  return int64.text(value) or M.number_or_kind(value)
end

--- Characters of a text; its bytes where it is not UTF-8, which encoding then refuses.
function M.length(text)
  return native.utf8_length(text) or #text
end

--- How many items an array has; nil and a message when the table is none. What was decoded is known to have no holes,
--- and there an empty table without a mark is an object.
function M.count_items(value, decoded)
  local size = #value
  if size == 0 then
    local is_array = getmetatable(value) == array.metatable or not decoded
    if next(value) ~= nil or not is_array then
      return nil, "expected array, got object"
    end
  elseif not decoded then
    local count = 0
    for key in next, value do
      if type(key) ~= "number" then
        return nil, ("expected array, got a table with items and the key %s"):format(M.step(tostring(key)))
      end
      count = count + 1
    end
    if count ~= size then
      return nil, "expected array, got a table with holes"
    end
  end
  return size
end

--- What is wrong with a key that is no string.
function M.explain_map_key(key)
  return ("a %s is a key; keys are strings"):format(type(key))
end

--- The step to a key that may be no string.
function M.step_to_key(key)
  local kind = type(key)
  return (kind == "string" or kind == "number") and path.step(key) or ""
end

--- A copy of the table's own fields; what they hold is shared.
function M.copy_fields(value)
  local out = {}
  for key, field in next, value do
    out[key] = field
  end
  return out
end

--- A deep copy that keeps the marks of arrays.
function M.copy(value)
  if type(value) ~= "table" then
    return value
  end
  local out = {}
  for key, field in next, value do
    out[key] = M.copy(field)
  end
  return getmetatable(value) == array.metatable and setmetatable(out, array.metatable) or out
end

--- Whether a value is there, and not null.
function M.is_there(value)
  return value ~= nil and value ~= array.null
end

--- The double nearest to a 64-bit integer; nil for other cdata.
function M.to_number(value)
  return int64.text(value) and tonumber(value) or nil
end

--- How many fields an object has.
function M.count_fields(value)
  local count = 0
  for _ in next, value do
    count = count + 1
  end
  return count
end

--- Whether a table is an array. An empty one of the caller's may be either; `decoded` or "object" say that it is not.
function M.is_list(value, decoded)
  return value[1] ~= nil or getmetatable(value) == array.metatable or (not decoded and next(value) == nil)
end

--- The table to change in place of `value`: itself when it is ours, else a copy, made once.
function M.own(out, value, decoded)
  if out ~= value or decoded == true then
    return out
  end
  return setmetatable(M.copy_fields(value), getmetatable(value))
end

--- An array that is written as one even when it is empty.
function M.mark_array(value, decoded)
  if getmetatable(value) == array.metatable then
    return value
  elseif decoded == true then
    return setmetatable(value, array.metatable)
  end
  return next(value) == nil and setmetatable({}, array.metatable) or value
end

--- Whether one of the regular expressions finds something in the key.
function M.matches_any(regexes, key)
  for i = 1, #regexes do
    if regexes[i]:matches(key) then
      return true
    end
  end
  return false
end

--- How many items a fast validator accepts.
function M.count_fitting(run, items, size, decoded)
  local count = 0
  for i = 1, size do
    if run(items[i], decoded and "kept") ~= nil then
      count = count + 1
    end
  end
  return count
end

--- What the first of the alternatives makes of the value; nil when none fits.
function M.first_fit(functions, numbers, value, decoded)
  for i = 1, #numbers do
    local result = functions[numbers[i]](value, decoded)
    if result ~= nil then
      return result
    end
  end
end

--- The same, and, where more than one fits, the places of the first two in words.
function M.only_fit(functions, numbers, value, decoded)
  local result, place
  for i = 1, #numbers do
    local other = functions[numbers[i]](value, decoded)
    if other ~= nil then
      if place then
        return result, ("%d and %d"):format(place, i)
      end
      result, place = other, i
    end
  end
  return result
end

for name, explain in pairs(require "mooncrew.schema.explain") do
  M[name] = explain
end

return M
