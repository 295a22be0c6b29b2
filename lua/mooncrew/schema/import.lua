-- Reads a JSON Schema (draft 2020-12) into a schema of kind "shape" (kind/shape.lua). All of it is looked at when it is
-- loaded, so what is wrong or not supported is said then, with the JSON pointer to it.

local array = require "mooncrew.json.array"
local compile = require "mooncrew.schema.compile"
local depth = require "mooncrew.schema.depth"
local ecma = require "mooncrew.schema.ecma"
local endless = require "mooncrew.schema.endless"
local formats = require "mooncrew.schema.formats"
local int64 = require "mooncrew.json.int64"
local keywords = require "mooncrew.schema.keywords"
local native = require "mooncrew.native"
local references = require "mooncrew.schema.references"
local runtime = require "mooncrew.schema.runtime"
local unknown = require "mooncrew.unknown"
local values_of = require "mooncrew.schema.values"

local Schema = require "mooncrew.schema.node"

local DIALECT = "https://json-schema.org/draft/2020-12/schema"
local TYPES = { string = true, number = true, integer = true, boolean = true, null = true, array = true, object = true }

-- What a keyword is called in a node, where it is not the same in snake case.
local NAMES = {
  type = "types",
  minimum = "min", maximum = "max", exclusiveMinimum = "exclusive_min", exclusiveMaximum = "exclusive_max",
  items = "rest", prefixItems = "items", properties = "fields", ["not"] = "negated",
  ["if"] = "condition", ["then"] = "yes", ["else"] = "no", ["$ref"] = "ref", const = "allowed_once", enum = "allowed",
}

local function name_of(keyword)
  return NAMES[keyword] or (keyword:gsub("%u", function(letter) return "_" .. letter:lower() end))
end

---@class mooncrew.schema.Reader
---@field references mooncrew.schema.References
---@field nodes table<table, mooncrew.Schema>  by description: each is read once, so circles close
---@field pending table[]                      references, to be looked at when all is read

local Refusal = {}

-- Leaves the reading, wherever it is; from_json_schema() turns it into nil and a message.
local function refuse(pointer, message)
  error(setmetatable({ text = ("#%s: %s"):format(pointer, message) }, Refusal), 0)
end

local function step(pointer, key)
  key = type(key) == "number" and ("%d"):format(key - 1) or tostring(key)
  return pointer .. "/" .. key:gsub("~", "~0"):gsub("/", "~1")
end

local function kind_of(value)
  return type(value) == "number" and tostring(value) or runtime.kind_of(value)
end

local function is_object(value)
  return type(value) == "table" and not array.is(value)
end

local function is_number(value)
  return type(value) == "number" and value - value == 0 or int64.of(value) ~= nil
end

local function is_whole(value)
  return type(value) == "number" and value % 1 == 0 and value >= 0
end

local read -- forward: descriptions hold descriptions

-- ---- the values of keywords ----

-- By the type that keywords.lua gives: makes a keyword's value what the node holds, or refuses it.
local readers = {}

local function simple(test, wanted)
  return function(_, value, pointer)
    if not test(value) then
      refuse(pointer, ("expected %s, got %s"):format(wanted, kind_of(value)))
    end
    return value
  end
end

local read_whole = simple(is_whole, "a whole number, 0 or more")

-- Nothing has as many items as a double counts exactly; what is larger need not be told apart.
function readers.count(_, value, pointer)
  return math.min(read_whole(nil, value, pointer), int64.MAX_EXACT)
end

readers.number = simple(is_number, "a number")
readers.positive = simple(function(value) return is_number(value) and value > 0 end, "a number above 0")
readers.boolean = simple(function(value) return type(value) == "boolean" end, "true or false")
readers.text = simple(function(value) return type(value) == "string" end, "a text")
readers.pattern = readers.text
readers.reference = readers.text
readers.format = readers.text

function readers.value(_, value, pointer)
  local allowed, message = values_of.allowed { runtime.copy(value) }
  return allowed or refuse(pointer, message)
end

local function check_list(value, pointer, what)
  if type(value) ~= "table" or #value == 0 and next(value) ~= nil then
    refuse(pointer, ("expected a list of %s, got %s"):format(what, kind_of(value)))
  end
end

local function check_map(value, pointer, what)
  if not is_object(value) then
    refuse(pointer, ("expected an object of %s, got %s"):format(what, kind_of(value)))
  end
  for key in next, value do
    if type(key) ~= "string" then
      refuse(pointer, ("a %s is a key; keys are strings"):format(type(key)))
    end
  end
end

function readers.values(_, value, pointer)
  check_list(value, pointer, "values")
  local allowed, message = values_of.allowed(runtime.copy(value))
  return allowed or refuse(pointer, message)
end

function readers.names(_, value, pointer)
  check_list(value, pointer, "names")
  for i, name in ipairs(value) do
    readers.text(nil, name, step(pointer, i))
  end
  return value
end

readers["names by name"] = function(reader, value, pointer)
  check_map(value, pointer, "lists of names")
  for name, names in next, value do
    readers.names(reader, names, step(pointer, name))
  end
  return value
end

function readers.schema(reader, value, pointer)
  return read(reader, value, pointer)
end

function readers.schemas(reader, value, pointer)
  check_list(value, pointer, "schemas")
  if #value == 0 then
    refuse(pointer, "expected at least one schema")
  end
  local out = {}
  for i, one in ipairs(value) do
    out[i] = read(reader, one, step(pointer, i))
  end
  return out
end

readers["schemas by name"] = function(reader, value, pointer)
  check_map(value, pointer, "schemas")
  local out = {}
  for name, one in next, value do
    out[name] = read(reader, one, step(pointer, name))
  end
  return out
end

function readers.types(_, value, pointer)
  local list = type(value) == "table" and value or { value }
  local out = {}
  for i, name in ipairs(list) do
    if not TYPES[name] then
      refuse(pointer, type(name) == "string" and (unknown("type", name, TYPES))
        or ("expected the name of a type, got %s"):format(kind_of(name)))
    end
    out[i], out[name] = name, true
  end
  if #out == 0 then
    refuse(pointer, "expected at least one type")
  end
  return out
end

-- ---- what keywords mean together ----

local function compile_pattern(pattern, pointer)
  local regex, message = native.regex(ecma.translate(pattern))
  return regex or refuse(pointer, message)
end

local finish = {}

local LOWEST = int64.parse "-9223372036854775808" or -int64.MAX_EXACT
local HIGHEST = int64.parse "9223372036854775807" or int64.MAX_EXACT

function finish.pattern(node, pointer)
  node.regex = compile_pattern(node.pattern, pointer .. "/pattern")
end

function finish.format(node, pointer)
  if node.format == "int64" then
    node.wide = true
  elseif not formats.text[node.format] then
    local known = { int64 = true }
    for name in pairs(formats.text) do
      known[name] = true
    end
    refuse(pointer .. "/format", (unknown("format", node.format, known)))
  end
end

function finish.pattern_properties(node, pointer)
  local list, regexes = {}, {}
  for pattern, schema in next, node.pattern_properties do
    list[#list + 1] = { pattern = pattern, schema = schema }
  end
  table.sort(list, function(a, b) return a.pattern < b.pattern end)
  for i, entry in ipairs(list) do
    regexes[i] = compile_pattern(entry.pattern, step(pointer .. "/patternProperties", entry.pattern))
  end
  node.pattern_list, node.pattern_regexes = #list > 0 and list or nil, #list > 0 and regexes or nil
end

-- Where both limits of a side are given, the closer one stands.
local function tighten(node, name, limit, is_low)
  local other = node[name] and int64.of(node[name])
  if not other or is_low == (limit > other) then
    node[name] = limit
  end
end

-- Makes a limit of 64-bit integers one of them: the nearest inside of it.
local function narrow(node, name)
  local limit = node[name]
  if not limit or int64.of(limit) then
    return
  end
  local is_low = name == "min" or name == "exclusive_min"
  local inside = int64.parse(("%.0f"):format(is_low and math.ceil(limit) or math.floor(limit)))
  local is_exclusive = name:find "^exclusive" and limit % 1 == 0
  node[name] = nil
  if inside then
    tighten(node, (is_exclusive and "exclusive_" or "") .. (is_low and "min" or "max"), inside, is_low)
  elseif is_low == (limit > 0) then -- beyond all of them
    node[is_low and "exclusive_min" or "exclusive_max"] = is_low and HIGHEST or LOWEST
  end
end

-- 64-bit integers are compared as such.
function finish.wide(node, pointer)
  for _, name in ipairs { "min", "max", "exclusive_min", "exclusive_max" } do
    narrow(node, name)
  end
  local factor = node.multiple_of
  if factor and int64.of(factor) == nil then
    if (1 / factor) % 1 ~= 0 then
      refuse(pointer .. "/multipleOf", "expected a whole number of 64 bits, since the format is int64")
    end
    node.multiple_of = nil -- such as 0.5: all integers are
  end
end

local function finish_dialect(node, pointer)
  local dialect = node["$schema"]
  if dialect and dialect:gsub("#$", "") ~= DIALECT then
    refuse(pointer .. "/$schema", ("'%s' is another dialect than %s"):format(dialect, DIALECT))
  end
end

local function read_keyword(reader, node, keyword, value, pointer)
  local place = step(pointer, keyword)
  local kind = keywords.supported[keyword]
  if kind then
    node[name_of(keyword)] = readers[kind](reader, value, place)
  elseif keywords.unsupported[keyword] then
    refuse(place, ("the keyword '%s' is not supported: %s"):format(keyword, keywords.unsupported[keyword]))
  elseif not keywords.remarks[keyword] and not keyword:find("^x%-") then
    refuse(place, (unknown("keyword", keyword, keywords.supported)))
  end
end

local function sorted_keywords(description, pointer)
  local out = {}
  for keyword in next, description do
    if type(keyword) ~= "string" then
      refuse(pointer, "expected an object or a boolean, got array")
    end
    out[#out + 1] = keyword
  end
  table.sort(out)
  return out
end

local function read_keywords(reader, node, description, pointer)
  for _, keyword in ipairs(sorted_keywords(description, pointer)) do
    read_keyword(reader, node, keyword, description[keyword], pointer)
  end
  finish_dialect(node, pointer)
  for _, name in ipairs { "pattern", "format", "pattern_properties", "wide" } do
    if node[name] then
      finish[name](node, pointer)
    end
  end
  node.about = type(description.description) == "string" and description.description
    or type(description.title) == "string" and description.title or nil
  if node.ref then
    reader.pending[#reader.pending + 1] = { node = node, description = description, pointer = pointer }
  end
end

read = function(reader, description, pointer)
  if type(description) == "boolean" then
    return Schema.new { kind = "shape", source = description, never = not description or nil }
  elseif type(description) ~= "table" or getmetatable(description) == array.metatable then
    refuse(pointer, ("expected an object or a boolean, got %s"):format(kind_of(description)))
  end
  local node = reader.nodes[description]
  if not node then
    node = Schema.new { kind = "shape", source = description }
    reader.nodes[description] = node
    read_keywords(reader, node, description, pointer)
  end
  return node
end

-- ---- references ----

local function resolve(reader)
  for _, one in ipairs(reader.pending) do
    local place = one.pointer .. "/$ref"
    local found, message = reader.references:find(one.description, one.node.ref)
    if found == nil then
      refuse(place, message)
    end
    one.node.ref = type(found) == "boolean" and read(reader, found, place) or reader.nodes[found]
  end
end

local function build(description)
  local reader = { nodes = {}, pending = {} }
  if type(description) == "table" then
    reader.references = references.new(description)
  end
  local node = read(reader, description, "")
  resolve(reader)
  local state = {}
  for _, one in ipairs(reader.pending) do
    if endless.is(one.node, state) then
      refuse(one.pointer .. "/$ref", "the reference leads back to itself")
    end
  end
  node.validator = compile(node)
  return node
end

--- Reads a JSON Schema.
---@param description table|boolean
---@return mooncrew.Schema|nil
---@return string? message  begins with the JSON pointer, as in "#/properties/a/minLength: …"
return function(description)
  if type(description) ~= "table" and type(description) ~= "boolean" then
    return nil, ("expected a table or a boolean, got %s"):format(type(description))
  end
  if type(description) == "table" and depth.check(description) then
    return nil, select(2, depth.check(description))
  end
  local ok, result = pcall(build, runtime.copy(description))
  if ok then
    return result
  elseif getmetatable(result) == Refusal then
    return nil, result.text
  end
  error(result, 0)
end
