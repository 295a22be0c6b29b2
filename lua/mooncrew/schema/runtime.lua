-- What compiled validators call when they run: tests that are too long to be written out in each of them.

local native = require "mooncrew.native"
local array = require "mooncrew.json.array"
local int64 = require "mooncrew.json.int64"
local number_text = require "mooncrew.json.number"
local path = require "mooncrew.json.path"
local nearest = require "mooncrew.nearest"

local M = {}

M.array_metatable = array.metatable
M.null = array.null
M.step = path.step
M.to_int64 = int64.of

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

local function first_unknown(known, value)
  local first
  for key in next, value do
    if type(key) ~= "string" then
      return key
    elseif not known[key] and (not first or key < first) then
      first = key
    end
  end
  return first
end

local LONGEST_GUESSED = 64 -- a longer name is no slip of the pen, and comparing it would cost

-- The known field that was probably meant.
local function guess(known, key)
  local names = {}
  for name in pairs(known) do
    names[#names + 1] = name
  end
  table.sort(names)
  return #key <= LONGEST_GUESSED and nearest(key, names) or nil
end

--- Where an object has a field that it should not have, and a message. The first by name: the same one every time.
function M.explain_unknown(known, value)
  local key = first_unknown(known, value)
  if type(key) ~= "string" then
    return "", array.is(value) and "expected object, got array" or ("a %s is a key; keys are strings"):format(type(key))
  end
  local meant = guess(known, key)
  return M.step(key), meant and ('unknown field; did you mean "%s"?'):format(meant) or "unknown field"
end

function M.explain_map_key(key)
  return type(key) == "number" and M.step(key) or "", ("a %s is a key; keys are strings"):format(type(key))
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

return M
