-- The parameters of a query as PostgreSQL reads them, and what its results hold as JSON.

local array = require "mooncrew.json.array"
local int64 = require "mooncrew.json.int64"
local json = require "mooncrew.json"

local M = {}

local null = array.null
local Bytes = { __name = "mooncrew.postgres.bytes" }
local Array = { __name = "mooncrew.postgres.array" }

--- Marks a string as bytes (bytea), which may hold any, NUL too.
function M.bytes(text)
  return setmetatable({ text }, Bytes)
end

--- Marks a list as an array of PostgreSQL; tables are JSON otherwise.
function M.array(items)
  return setmetatable({ items }, Array)
end

local function number_text(value)
  if value ~= value then
    return "NaN"
  elseif value == math.huge or value == -math.huge then
    return value > 0 and "Infinity" or "-Infinity"
  elseif value % 1 == 0 and value >= -2 ^ 63 and value < 2 ^ 63 then
    return ("%.0f"):format(value)
  end
  local short = ("%.15g"):format(value)
  return ((tonumber(short) == value and short or ("%.17g"):format(value)):gsub(",", "."))
end

local encode

local function quote(text)
  return '"' .. text:gsub('["\\]', "\\%0") .. '"'
end

local function array_item(item)
  if item == nil or item == null then
    return "NULL"
  elseif type(item) == "table" and getmetatable(item) == Array then
    return encode(item)
  end
  local text, message, binary = encode(item)
  if binary then
    return nil, "bytes in an array are not supported"
  end
  return text and quote(text), message
end

local function array_text(items)
  local texts = {}
  for i = 1, table.maxn(items) do
    local text, message = array_item(items[i])
    if not text then
      return nil, ("array item %d: %s"):format(i, message)
    end
    texts[i] = text
  end
  return "{" .. table.concat(texts, ",") .. "}"
end

local function string_text(value)
  if value:find("\0", 1, true) then
    return nil, "the text holds a NUL byte, which PostgreSQL does not take; for bytea use crew.postgres.bytes(text)"
  end
  return value
end

local function table_text(value)
  local metatable = getmetatable(value)
  if metatable == Bytes then
    return value[1], nil, true
  elseif metatable == Array then
    return array_text(value[1])
  end
  local text, message = json.encode(value, "value")
  return text, message
end

local encoders = {
  string = string_text,
  number = number_text,
  boolean = function(value)
    return value and "t" or "f"
  end,
  table = table_text,
  cdata = function(value)
    local text = int64.text(value)
    return text, not text and "a cdata that is no 64-bit integer" or nil
  end,
}

-- The text of a value that is not nil; nil and a message; true as third for bytes.
function encode(value)
  local encoder = encoders[type(value)]
  if not encoder then
    return nil, ("a %s cannot be a parameter"):format(type(value))
  end
  return encoder(value)
end

---@class mooncrew.postgres.Wire  the parameters as text
---@field n integer
---@field binary table<integer, boolean>|nil  those that are bytes

--- The parameters as PostgreSQL reads them; nil and a message when one cannot be a parameter.
---@param values table  with n
---@return mooncrew.postgres.Wire|nil
---@return string? message
function M.wire(values)
  local wire = { n = values.n }
  for i = 1, values.n do
    local value = values[i]
    if value ~= nil and value ~= null then
      local text, message, binary = encode(value)
      if not text then
        return nil, ("parameter $%d: %s"):format(i, message)
      end
      wire[i] = text
      if binary then
        wire.binary = wire.binary or {}
        wire.binary[i] = true
      end
    end
  end
  return wire
end

--- Decodes the columns that are JSON. What mooncrew.json refuses (an integer that a number would round) stays text.
---@param result table  of mooncrew.native_postgres
---@return table result
function M.decode(result)
  for _, name in ipairs(result.json or {}) do
    for _, row in ipairs(result.rows) do
      local ok, value = json.decode(row[name] or "")
      if ok then
        row[name] = value
      end
    end
  end
  result.json = nil
  return result
end

return M
