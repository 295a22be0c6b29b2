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

-- cjson says "Expected comma or object end but found T_END at character 7". In plain words:
local EXPECTED = { ["value"] = "a value", ["object key string"] = "a name in double quotes", ["colon"] = "a colon",
  ["comma or object end"] = "a comma or '}'", ["comma or array end"] = "a comma or ']'", ["the end"] = "nothing more" }
local FOUND = { T_STRING = "a string", T_NUMBER = "a number", T_BOOLEAN = "true or false",
  T_NULL = "null", ["invalid number"] = "a number that JSON does not know" }
local WRONG_STRING = { ["unexpected end of string"] = "a string does not end",
  ["invalid escape code"] = "a string has an escape that JSON does not know",
  ["invalid unicode escape code"] = "a string has a \\u escape that is no character" }

-- What begins at this byte, without showing more of the text than one character: payloads can hold secrets.
local function shown(text, byte)
  if byte > #text then
    return "the end of the text"
  elseif text:find("^[%a_]", byte) then
    return "a word without quotes"
  end
  local character = text:match("^[!-~]", byte)
  return character == "'" and "a single quote" or character and ("'%s'"):format(character)
    or ("the byte 0x%02x"):format(text:byte(byte))
end

local function explain(message, text)
  local expected, found, byte = message:match("^Expected (.-) but found (.-) at character (%d+)$")
  if expected then
    local wrong = WRONG_STRING[found] or ("expected %s, found %s"):format(EXPECTED[expected] or expected,
      FOUND[found] or shown(text, tonumber(byte)))
    return ("not valid JSON at byte %s: %s"):format(byte, wrong)
  end
  byte = message:match("^.*too many nested.* at character (%d+)$")
  return byte and ("nested deeper than %d levels (byte %s)"):format(native.json_max_depth, byte)
    or "not valid JSON: " .. message
end

-- An integer that a number cannot hold: kept exactly where the schema says int64, refused elsewhere.
local function on_wide_integer(schema, keys, text)
  if schema and schema:takes_int64(keys) then
    return int64.parse(text)
  end
  return nil, ("%s is an integer that a number cannot hold exactly; %s"):format(text:sub(1, LONGEST_INTEGER_SHOWN),
    schema and "declare it as schema.int64(), or send it as a string" or "send it as a string")
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
    return nil, name .. ": " .. explain(value, text)
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
