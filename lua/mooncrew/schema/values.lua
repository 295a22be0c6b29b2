-- JSON values: whether two are equal, whether a list holds one twice, and the lists of enum and const.
--
-- Numbers are equal by value, 1 and 1.0 alike; objects whatever the order of their fields.

local array = require "mooncrew.json.array"
local int64 = require "mooncrew.json.int64"
local json = require "mooncrew.json"
local native = require "mooncrew.native"
local words = require "mooncrew.schema.words"

local next = native.next

local M = {}

local equal -- forward: tables hold values

local function equal_tables(a, b)
  if array.is(a) ~= array.is(b) then
    return false
  end
  for key, value in next, a do
    local other = b[key]
    if other == nil or not equal(value, other) then
      return false
    end
  end
  for key in next, b do
    if a[key] == nil then
      return false
    end
  end
  return true
end

equal = function(a, b)
  local kind = type(a)
  if kind == "table" and type(b) == "table" then
    return a == b or equal_tables(a, b)
  elseif kind == "cdata" or type(b) == "cdata" then -- comparing those with a text raises
    local x, y = int64.of(a), int64.of(b)
    return x ~= nil and y ~= nil and x == y
  end
  return a == b
end

--- Whether two values are the same JSON.
M.equal = equal

local key_of -- forward: tables hold values

local function key_of_table(value)
  local parts = {}
  if array.is(value) then
    for i = 1, #value do
      parts[i] = key_of(value[i])
    end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  for key, field in next, value do
    parts[#parts + 1] = ("%q=%s"):format(tostring(key), key_of(field))
  end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

-- A text that two values share when they are equal, and only then.
key_of = function(value)
  local kind = type(value)
  if kind == "table" then
    return key_of_table(value)
  elseif kind == "number" then
    return ("%.17g"):format(value + 0) -- -0 + 0 is 0
  elseif kind == "string" then
    return ("%q"):format(value)
  end
  return int64.text(value) or tostring(value)
end

--- Where a list holds a value twice: both places, from 1.
---@param items any[]
---@param size integer
---@return integer|nil first, integer|nil second
function M.find_twice(items, size)
  local seen = {}
  for i = 1, size do
    local item = items[i]
    local key = item
    if type(item) == "string" then
      key = "s" .. item
    elseif type(item) ~= "boolean" then
      key = "v" .. key_of(item)
    end
    if seen[key] then
      return seen[key], i
    end
    seen[key] = i
  end
end

local function is_scalar(value)
  local kind = type(value)
  return kind == "string" or kind == "boolean" or kind == "number" or value == array.null
end

---@class mooncrew.schema.Allowed
---@field values any[]
---@field set table<any, true>  the texts, numbers, booleans and null of them
---@field compound any[]|nil    the other values
---@field listed string         all of them, for messages

--- What enum and const need to know of their values; nil and what is wrong when one of them is no JSON.
---@param values any[]
---@return mooncrew.schema.Allowed|nil
---@return string? message
function M.allowed(values)
  local out, shown = { values = values, set = {} }, {}
  for i, value in ipairs(values) do
    local text, message = json.encode(value, "value " .. i)
    if not text then
      return nil, message
    elseif is_scalar(value) then
      out.set[value] = true
    else
      out.compound = out.compound or {}
      out.compound[#out.compound + 1] = value
    end
    shown[i] = text
  end
  out.listed = words.list(shown)
  return out
end

--- Whether a value is one of those.
function M.is_allowed(allowed, value)
  if value == nil then
    return false
  elseif type(value) ~= "table" and allowed.set[value] then
    return true
  end
  for _, other in ipairs(allowed.compound or {}) do
    if equal(other, value) then
      return true
    end
  end
  return type(value) == "cdata" and (allowed.set[tonumber(value) or false] or false)
end

return M
