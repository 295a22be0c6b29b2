-- What a schema demands of a value beside its shape: the limits that a producer can check cheaply and exactly go into
-- the shape; of the rest, which the worker alone checks, it keeps the words, so that comments can name them.

local sorted_keys = require "mooncrew.sorted_keys"

local M = {}

-- JSON has larger integers, which a worker refuses unless the schema says "int64": a Lua number would round them.
local MOST_EXACT = 2 ^ 53 - 1

local function higher(a, b)
  return a and a > b and a or b
end

local function lower(a, b)
  return a and a < b and a or b
end

local function with(list, value)
  list = list or {}
  list[#list + 1] = value
  return list
end

-- Keyword → the field of the shape that it narrows, and how.
local OF_SIZES = { min = { "min_size", higher }, max = { "max_size", lower } }
local OF_NUMBERS = {
  minimum = { "min", higher }, exclusiveMinimum = { "above", higher }, maximum = { "max", lower },
  exclusiveMaximum = { "below", lower },
}

local CHECKED = {
  string = { minLength = OF_SIZES.min, maxLength = OF_SIZES.max },
  array = { minItems = OF_SIZES.min, maxItems = OF_SIZES.max },
  map = { minProperties = OF_SIZES.min, maxProperties = OF_SIZES.max },
  integer = OF_NUMBERS, number = OF_NUMBERS,
}

-- What the shape itself says, and remarks.
local UNDERSTOOD = {}
for keyword in ([[$ref $defs definitions $id $anchor $schema $comment type title description default examples deprecated
  readOnly writeOnly properties required items additionalProperties]]):gmatch "%S+" do
  UNDERSTOOD[keyword] = true
end

-- Keywords that say nothing of values of another kind.
local APPLIES = {}
for kinds, keywords in pairs {
  ["string"] = "minLength maxLength pattern format",
  ["integer number"] = "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf",
  ["array"] = "minItems maxItems uniqueItems contains minContains maxContains prefixItems unevaluatedItems",
  ["map struct"] = "minProperties maxProperties propertyNames patternProperties dependentRequired dependentSchemas "
    .. "unevaluatedProperties",
} do
  for keyword in keywords:gmatch "%S+" do
    APPLIES[keyword] = " " .. kinds .. " "
  end
end

local function applies(keyword, shape)
  return not APPLIES[keyword] or shape.kind == "any" or shape.kind == "enum"
    or APPLIES[keyword]:find(" " .. shape.kind .. " ", 1, true) ~= nil
end

local special = {}

function special.uniqueItems(shape, value)
  shape.unique = shape.kind == "array" and value or shape.unique
  return shape.kind == "array"
end

-- Of doubles only the worker knows what is a multiple: it goes by the digits.
function special.multipleOf(shape, value)
  local whole = type(value) == "cdata" or value % 1 == 0 and value <= MOST_EXACT
  if shape.kind ~= "integer" or not whole then
    return false
  end
  shape.multiples = with(shape.multiples, value)
  return true
end

-- A struct has no other fields anyway.
function special.unevaluatedProperties(shape, value)
  return shape.kind == "struct" and value == false
end

function special.format(shape, value)
  return shape.kind == "integer" and value == "int64"
end

-- Whether the keyword has become a limit of the shape.
local function take(shape, keyword, value)
  local rule = CHECKED[shape.kind] and CHECKED[shape.kind][keyword]
  if rule then
    shape[rule[1]] = rule[2](shape[rule[1]], value)
  end
  return rule ~= nil or special[keyword] ~= nil and special[keyword](shape, value)
end

local SAID_IN_FULL = { pattern = true, format = true }

-- Whether only the worker sees to a keyword.
local function is_left(shape, keyword, value)
  return not (UNDERSTOOD[keyword] or keyword:find "^x%-") and applies(keyword, shape)
    and not take(shape, keyword, value)
end

--- Narrows a shape by what a schema says of it. What is not checked by producers is added to its notes ("format: uri")
--- and to its `unchecked` keywords.
---@param shape mooncrew.gen.Shape
---@param node table  JSON Schema
---@param read string|nil  the keyword out of which the shape was read
function M.narrow(shape, node, read)
  for _, keyword in ipairs(sorted_keys(node)) do
    if keyword ~= read and is_left(shape, keyword, node[keyword]) then
      if SAID_IN_FULL[keyword] then
        shape.notes = with(shape.notes, ("%s: %s"):format(keyword, tostring(node[keyword])))
      else
        shape.unchecked = with(shape.unchecked, keyword)
      end
    end
  end
end

--- Bounds an integer of which the schema does not say that it has 64 bits.
---@param shape mooncrew.gen.Shape
---@param node table
function M.bound_integer(shape, node)
  if node.format ~= "int64" then
    shape.min, shape.max = higher(shape.min, -MOST_EXACT), lower(shape.max, MOST_EXACT)
  end
end

--- What a comment says of a shape, beside what it is about: what else must hold, of which the producer checks nothing.
---@param shape mooncrew.gen.Shape
---@return string[]
function M.remarks(shape)
  local list = { unpack(shape.notes or {}) }
  if shape.unchecked then
    list[#list + 1] = "checked where the task runs: " .. table.concat(shape.unchecked, ", ")
  end
  return list
end

return M
