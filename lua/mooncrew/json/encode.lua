-- Writes canonical JSON. One pass over the value appends to a list of strings; what cannot be written leaves the pass
-- by error() with a Refusal, which encode() turns into nil, message, code.

local native = require "mooncrew.native"
local array = require "mooncrew.json.array"
local int64 = require "mooncrew.json.int64"
local number_text = require "mooncrew.json.number"
local path = require "mooncrew.json.path"
local sort_keys = require "mooncrew.json.sort_keys"

local concat, find, gsub = table.concat, string.find, string.gsub
local getmetatable, type = getmetatable, type
local next = native.next
local utf8_valid = native.utf8_valid

local MAX_DEPTH = native.json_max_depth
local NEEDS_CARE = '[%z\1-\31"\\\128-\255]'
local NEEDS_ESCAPE = '[%z\1-\31"\\]'

local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r",
  ["\t"] = "\\t" }
for byte = 0, 31 do
  local char = string.char(byte)
  escapes[char] = escapes[char] or ("\\u%04x"):format(byte)
end

-- A writer: what is written so far, and where in the value the pass stands.
---@class mooncrew.json.Writer
---@field out string[]
---@field size integer
---@field keys (string|number)[]  the way from the root to the value at hand
---@field tables table[]          the tables on that way
---@field depth integer

local Refusal = {}

local function refuse(writer, message)
  local keys = {}
  for i = 1, writer.depth do
    keys[i] = writer.keys[i]
  end
  error(setmetatable({ steps = path.steps(keys), message = message }, Refusal), 0)
end

local function add(writer, text)
  local size = writer.size + 1
  writer.size = size
  writer.out[size] = text
end

local function quote(writer, text)
  if find(text, NEEDS_CARE) then
    if not utf8_valid(text) then
      refuse(writer, "the string is not valid UTF-8; bytes can be sent as base64, or as a raw payload")
    end
    text = gsub(text, NEEDS_ESCAPE, escapes)
  end
  return '"' .. text .. '"'
end

-- The same keys come again and again: their quoted forms are kept, up to a bound.
local MOST_KEYS_KEPT, LONGEST_KEY_KEPT = 2000, 64
local kept_keys, kept_count = {}, 0

local function quote_key(writer, key)
  local quoted = kept_keys[key]
  if quoted then
    return quoted
  end
  quoted = quote(writer, key) .. ":"
  if #key > LONGEST_KEY_KEPT then
    return quoted
  elseif kept_count == MOST_KEYS_KEPT then
    kept_keys, kept_count = {}, 0
  end
  kept_keys[key], kept_count = quoted, kept_count + 1
  return quoted
end

local write -- forward: values hold values

local function enter(writer, value)
  local depth = writer.depth
  if depth == MAX_DEPTH then
    for i = 1, depth do
      if writer.tables[i] == value then
        refuse(writer, "the table contains itself")
      end
    end
    refuse(writer, ("nested deeper than %d levels"):format(MAX_DEPTH))
  end
  writer.depth = depth + 1
  writer.tables[depth + 1] = value
end

local function write_array(writer, value, size)
  enter(writer, value)
  local depth = writer.depth
  add(writer, "[")
  for i = 1, size do
    if i > 1 then
      add(writer, ",")
    end
    writer.keys[depth] = i - 1
    write(writer, value[i])
  end
  add(writer, "]")
  writer.depth = depth - 1
end

-- The keys in the order of their bytes. The path is complete here but for the key, which may be no string.
local function list_keys(writer, value)
  local keys, count = {}, 0
  for key in next, value do
    if type(key) ~= "string" then
      writer.depth = writer.depth - 1
      refuse(writer, type(key) == "number" and ("the number %s is a key, but the table is not a sequence"):format(key)
        or ("a %s is a key; keys are strings"):format(type(key)))
    end
    count = count + 1
    keys[count] = key
  end
  return sort_keys(keys, count), count
end

local function write_object(writer, value)
  enter(writer, value)
  local depth = writer.depth
  local keys, count = list_keys(writer, value)
  add(writer, "{")
  for i = 1, count do
    local key = keys[i]
    writer.keys[depth] = key
    if i > 1 then
      add(writer, ",")
    end
    add(writer, quote_key(writer, key))
    write(writer, value[key])
  end
  add(writer, "}")
  writer.depth = depth - 1
end

local HOLE = "the array has a hole, or a key that is no index; put crew.null where nothing stands"

-- Refuses a table that has items and is not a sequence.
local function check_sequence(writer, value, size)
  local count = 0
  for key in next, value do
    if type(key) ~= "number" then
      refuse(writer, ("the table has items and the key %s too; an array or an object is needed"):format(
        type(key) == "string" and path.step(key) or type(key)))
    elseif key < 1 or key > size or key % 1 ~= 0 then
      refuse(writer, HOLE)
    end
    count = count + 1
  end
  if count ~= size then
    refuse(writer, HOLE)
  end
end

local function write_table(writer, value)
  local size = #value
  if size == 0 and getmetatable(value) ~= array.metatable then
    return write_object(writer, value)
  end
  check_sequence(writer, value, size)
  return write_array(writer, value, size)
end

local function write_number(writer, value)
  add(writer, number_text(value) or refuse(writer, "JSON has no number for infinity or not-a-number"))
end

local function write_other(writer, value)
  if value == array.null then
    return add(writer, "null")
  end
  add(writer, int64.text(value) or refuse(writer, ("a %s cannot be written as JSON"):format(type(value))))
end

local writers = {
  string = function(writer, value) add(writer, quote(writer, value)) end,
  number = write_number,
  boolean = function(writer, value) add(writer, value and "true" or "false") end,
  table = write_table,
  ["nil"] = function(writer) add(writer, "null") end,
}

write = function(writer, value)
  return (writers[type(value)] or write_other)(writer, value)
end

local function run(writer, value)
  write(writer, value)
  return concat(writer.out, "", 1, writer.size)
end

---@param value any
---@param name string
---@return string|nil text
---@return string? message
---@return string? code
local function encode(value, name)
  local writer = { out = {}, size = 0, keys = {}, tables = {}, depth = 0 }
  local ok, result = pcall(run, writer, value)
  if ok then
    return result
  end
  if getmetatable(result) ~= Refusal then
    error(result, 0)
  end
  return nil, name .. result.steps .. ": " .. result.message, "INVALID_PAYLOAD"
end

return encode
