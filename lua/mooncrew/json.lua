-- JSON as payloads and results need it: strict in what it reads, canonical in what it writes.
--
-- Reading refuses what RFC 8259 does not allow, keys that stand twice, integers that a number would round, and more
-- than 128 levels. Writing gives one text for one value: keys sorted by their bytes, no spaces, integers exact, other
-- numbers in the fewest digits that read back as the same number; so that equal payloads have equal bytes.

require "mooncrew.traces" -- before anything is walked
local array = require "mooncrew.json.array"
local decode = require "mooncrew.json.decode"
local encode = require "mooncrew.json.encode"

local M = {}

--- JSON's null, where a table must hold it. A field that is nil is absent.
M.null = array.null

--- Marks a table as an array, so that it is written as one even when it is empty. Changes and returns the table.
---@generic T
---@param items T[]?  a sequence; a new empty table when left out
---@return T[]
function M.array(items)
  if items ~= nil and type(items) ~= "table" then
    error("json.array: expected a table, got " .. type(items), 2)
  end
  local marked, message = array.mark(items or {})
  if not marked then
    error("json.array: " .. message, 2)
  end
  return marked
end

--- Whether encode would write the value as an array: a marked table, or a table whose first item is set.
---@param value any
---@return boolean
function M.is_array(value)
  return array.is(value)
end

--- Reads a JSON text. Null is json.null inside of tables, and an empty array stays an array.
---@param text string
---@param schema? table   a schema of mooncrew.schema: validates too, and gives what it declares
---@param name? string    what a message calls the value; "payload" when left out
---@return true|nil ok
---@return any value      or, after nil, a message that begins with the path
function M.decode(text, schema, name)
  if type(text) ~= "string" then
    error("json.decode: expected a string, got " .. type(text), 2)
  end
  return decode(text, schema, name or "payload")
end

--- Writes a value as canonical JSON.
---@param value any
---@param name? string    what a message calls the value; "payload" when left out
---@return string|nil text
---@return string? message  begins with the path
---@return string? code     "INVALID_PAYLOAD"
function M.encode(value, name)
  return encode(value, name or "payload")
end

return M
