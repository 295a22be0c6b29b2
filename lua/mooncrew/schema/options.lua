-- Checks the options that a schema is defined with, such as { min_length = 1 }.

local formats = require "mooncrew.schema.formats"
local int64 = require "mooncrew.json.int64"
local kinds = require "mooncrew.schema.kinds"
local native = require "mooncrew.native"
local unknown = require "mooncrew.unknown"

local Schema = require "mooncrew.schema.node"

local function is_finite(value)
  return type(value) == "number" and value == value and value ~= math.huge and value ~= -math.huge
end

local function is_integer(value)
  return is_finite(value) and value % 1 == 0 and math.abs(value) <= int64.MAX_EXACT
end

local function is_count(value)
  return is_integer(value) and value >= 0
end

local function is_int64(value)
  return int64.of(value) ~= nil
end

local function is_present_schema(value)
  return Schema.is(value) and not value.is_optional
end

-- A table from texts to what `test` accepts.
local function by_name(test)
  return function(value)
    if type(value) ~= "table" or Schema.is(value) then
      return false
    end
    for name, one in pairs(value) do
      if type(name) ~= "string" or not test(one) then
        return false
      end
    end
    return true
  end
end

local function is_list_of_names(value)
  if type(value) ~= "table" then
    return false
  end
  for _, name in pairs(value) do
    if type(name) ~= "string" then
      return false
    end
  end
  return true
end

-- By the type that a kind gives an option: whether a value will do, and what to say when not.
local TYPES = {
  count = { is_count, "a whole number, 0 or more" },
  integer = { is_integer, "an integer" },
  number = { is_finite, "a number" },
  int64 = { is_int64, "an integer of 64 bits" },
  positive = { function(value) return is_finite(value) and value > 0 end, "a number above 0" },
  ["positive integer"] = { function(value) return is_integer(value) and value > 0 end, "an integer above 0" },
  ["positive int64"] = { function(value) return is_int64(value) and value > 0 end, "an integer above 0" },
  boolean = { function(value) return type(value) == "boolean" end, "true or false" },
  pattern = { function(value) return type(value) == "string" end, "a regular expression" },
  format = { function(value) return type(value) == "string" end, "the name of a format" },
  schema = { is_present_schema, "a schema that is not optional" },
  patterns = { by_name(Schema.is), "a table of schemas by regular expression" },
  ["schemas by name"] = { by_name(is_present_schema), "a table of schemas by field, none of them optional" },
  ["names by name"] = { by_name(is_list_of_names), "a table of lists of fields by field" },
}

local ORDERED = { { "min", "max" }, { "min_length", "max_length" }, { "min_items", "max_items" },
  { "min_contains", "max_contains" }, { "min_properties", "max_properties" } }

local function check_option(known, name, value)
  local wanted = TYPES[known[name]]
  if not wanted then
    return (unknown("option", name, known))
  end
  if not wanted[1](value) then
    return ("option %s: expected %s, got %s"):format(name, wanted[2],
      type(value) == "number" and tostring(value) or Schema.is(value) and "an optional one" or type(value))
  end
end

local function check_together(options)
  for _, pair in ipairs(ORDERED) do
    local low, high = options[pair[1]], options[pair[2]]
    if low and high and low > high then
      return ("%s is larger than %s"):format(pair[1], pair[2])
    end
  end
  if (options.min_contains or options.max_contains) and not options.contains then
    return "min_contains and max_contains need contains"
  elseif options.allow_unknown == false and options.additional_properties then
    return "additional_properties allows what allow_unknown = false refuses"
  end
end

-- ---- what is made of options ----

local prepare = {}

function prepare.pattern(node)
  local message
  node.regex, message = native.regex(node.pattern)
  return message
end

function prepare.format(node)
  if not formats.text[node.format] then
    return (unknown("format", node.format, formats.text))
  end
end

-- The patterns as a list, sorted so that the first error is the same every time.
function prepare.pattern_properties(node)
  local list, regexes = {}, {}
  for pattern, schema in pairs(node.pattern_properties) do
    list[#list + 1] = { pattern = pattern, schema = schema }
  end
  table.sort(list, function(a, b) return a.pattern < b.pattern end)
  for i, entry in ipairs(list) do
    local regex, message = native.regex(entry.pattern)
    if not regex then
      return message
    end
    regexes[i] = regex
  end
  node.pattern_list, node.pattern_regexes = list, regexes
end

--- Puts checked options into a node.
---@param node table
---@param options table?
---@return string|nil message  what is wrong with them
return function(node, options)
  if options == nil then
    return nil
  elseif type(options) ~= "table" or Schema.is(options) then
    return "options are a table, got " .. (Schema.is(options) and "a schema" or type(options))
  end
  for name, value in pairs(options) do
    local message = check_option(kinds[node.kind].options, name, value)
    if message then
      return message
    end
    node[name] = value
  end
  for name, make in pairs(prepare) do
    local message = node[name] ~= nil and make(node)
    if message then
      return message
    end
  end
  return check_together(options)
end
