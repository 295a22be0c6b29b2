-- Checks the options that a schema is defined with, such as { min_length = 1 }.

local native = require "mooncrew.native"
local int64 = require "mooncrew.json.int64"
local kinds = require "mooncrew.schema.kinds"
local unknown = require "mooncrew.unknown"

local function is_finite(value)
  return type(value) == "number" and value == value and value ~= math.huge and value ~= -math.huge
end

local function is_integer(value)
  return is_finite(value) and value % 1 == 0 and math.abs(value) <= int64.MAX_EXACT
end

-- By the type that kinds.lua gives an option: whether a value will do, and what to say when not.
local TYPES = {
  count = { function(value) return is_integer(value) and value >= 0 end, "a whole number, 0 or more" },
  integer = { is_integer, "an integer" },
  number = { is_finite, "a number" },
  boolean = { function(value) return type(value) == "boolean" end, "true or false" },
  pattern = { function(value) return type(value) == "string" end, "a regular expression" },
}

local ORDERED = { { "min", "max" }, { "min_length", "max_length" }, { "min_items", "max_items" } }

local function check_option(known, name, value)
  local wanted = TYPES[known[name]]
  if not wanted then
    return (unknown("option", name, known))
  end
  if not wanted[1](value) then
    return ("option %s: expected %s, got %s"):format(name, wanted[2],
      type(value) == "number" and tostring(value) or type(value))
  end
end

local function check_order(options)
  for _, pair in ipairs(ORDERED) do
    local low, high = options[pair[1]], options[pair[2]]
    if low and high and low > high then
      return ("%s is larger than %s"):format(pair[1], pair[2])
    end
  end
end

--- Puts checked options into a node.
---@param node table
---@param options table?
---@return string|nil message  what is wrong with them
return function(node, options)
  if options == nil then
    return nil
  elseif type(options) ~= "table" then
    return "options are a table, got " .. type(options)
  end
  for name, value in pairs(options) do
    local message = check_option(kinds[node.kind].options, name, value)
    if message then
      return message
    end
    node[name] = value
  end
  if node.pattern then
    local regex, message = native.regex(node.pattern)
    node.regex = regex
    if not regex then
      return message
    end
  end
  return check_order(options)
end
