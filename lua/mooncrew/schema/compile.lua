-- Turns a schema into its validators: writes their Lua source (emitter.lua) and loads it. The fast one is compiled when
-- the schema is first used, and once; the listing one when something is first found wrong.

local int64 = require "mooncrew.json.int64"
local Emitter = require "mooncrew.schema.emitter"
local runtime = require "mooncrew.schema.runtime"

local load_source = loadstring or load

local MOST_ERRORS = 100

local PREAMBLE = [[
local K, F, T, runtime = ...
local type, next, getmetatable, setmetatable = type, next, getmetatable, setmetatable
local huge, MAX_EXACT = math.huge, ]] .. ("%d"):format(int64.MAX_EXACT) .. "\n"

local function preamble()
  local names = {}
  for name in pairs(runtime) do
    names[#names + 1] = name
  end
  table.sort(names)
  return PREAMBLE .. ("local %s = runtime.%s\n"):format(table.concat(names, ", "), table.concat(names, ", runtime."))
end

local ARGUMENTS = { [false] = "v, decoded", [true] = "v, decoded, at, errors" }

local function source_of(e)
  local arguments = ARGUMENTS[e.listing]
  local parts = { preamble() }
  for i, body in ipairs(e.functions) do
    parts[#parts + 1] = ("F[%d] = function(%s)\n%s\nend\n"):format(i, arguments, body)
  end
  parts[#parts + 1] = ("return function(%s)\n%s\nreturn true, v\nend\n"):format(arguments,
    table.concat(e.lines, "\n"))
  return table.concat(parts)
end

-- The function, and the table of the functions that it is made of. Those of the fast validator serve the listing one.
local function build(node, fast)
  local e = Emitter.new(fast ~= nil)
  e:value(node, "v", '""')
  local chunk = assert(load_source(source_of(e), "=schema." .. node.kind))
  local functions = {}
  return chunk(e.constants, functions, fast or functions, runtime), functions
end

---@class mooncrew.schema.Validator
---@field run fun(value: any, decoded: boolean): true|nil, any   the fast validator
local Validator = {}
Validator.__index = Validator

--- All that is wrong with a value, the first hundred at most: steps from the root, and a message.
---@param value any
---@param decoded boolean
---@return {steps: string, message: string}[]
function Validator:errors(value, decoded)
  if not self.list then
    self.list = build(self.node, self.functions)
  end
  local errors = { limit = MOST_ERRORS }
  self.list(value, decoded and "kept", "", errors)
  return errors
end

--- Compiles a schema.
---@param node table
---@return mooncrew.schema.Validator
return function(node)
  local run, functions = build(node)
  return setmetatable({ node = node, run = run, functions = functions }, Validator)
end
