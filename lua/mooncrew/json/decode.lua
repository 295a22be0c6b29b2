-- Reads JSON: lua-cjson decodes, then a scan in C refuses what cjson lets through and restores what it loses
-- (runtime/lualib/json_scan.h), then the schema, if there is one, validates.

local cjson = require "cjson"
local native = require "mooncrew.native"
local array = require "mooncrew.json.array"
local int64 = require "mooncrew.json.int64"
local path = require "mooncrew.json.path"

local strict = cjson.new()
strict.decode_invalid_numbers(false)
strict.decode_max_depth(native.json_max_depth)

local parse = strict.decode
local scan, utf8_valid = native.json_scan, native.utf8_valid
local array_metatable = array.metatable

local LONGEST_INTEGER_SHOWN = 40

-- "Expected value but found invalid token at character 2" → "not valid JSON at byte 2: expected value but …"
local function explain(message)
  local what, byte = message:match("^(.-) at character (%d+)$")
  if not what then
    return "not valid JSON: " .. message
  end
  if what:find("too many nested", 1, true) then
    return ("nested deeper than %d levels (byte %s)"):format(native.json_max_depth, byte)
  end
  return ("not valid JSON at byte %s: %s"):format(byte, what:sub(1, 1):lower() .. what:sub(2))
end

-- An integer that a number cannot hold: kept exactly where the schema says int64, refused elsewhere.
local function on_wide_integer(schema, keys, text)
  local node = schema and schema:find(keys)
  if node and node.kind == "int64" then
    return int64.parse(text)
  end
  return nil, ("%s is an integer that a number cannot hold exactly; declare it as schema.int64()"):format(
    text:sub(1, LONGEST_INTEGER_SHOWN))
end

---@param text string
---@param schema table?
---@param name string
---@return true|nil ok
---@return any value_or_message
local function decode(text, schema, name)
  local valid, byte = utf8_valid(text)
  if not valid then
    return nil, ("%s: not valid UTF-8 at byte %d"):format(name, byte)
  end
  local parsed, value = pcall(parse, text)
  if not parsed then
    return nil, name .. ": " .. explain(value)
  end
  local ok, result, message = scan(text, value, array_metatable, on_wide_integer, schema)
  if not ok then
    return nil, name .. path.steps(result) .. ": " .. message
  end
  if schema then
    return schema:check_decoded(result, name)
  end
  return true, result
end

return decode
