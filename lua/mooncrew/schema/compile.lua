-- Turns a schema into its validators: writes their Lua source (emitter.lua) and loads it. The fast one is compiled when
-- the schema is first used, and once; the listing one when something is first found wrong.

local int64 = require "mooncrew.json.int64"
local explain = require "mooncrew.schema.explain"
local Emitter = require "mooncrew.schema.emitter"
local runtime = require "mooncrew.schema.runtime"

local load_source = loadstring or load

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
  for i = 1, e.count do
    local body = e.functions[i]
    parts[#parts + 1] = body and ("F[%d] = function(%s)\n%s\nend\n"):format(i, arguments, body)
  end
  parts[#parts + 1] = ("return function(%s)\n%s\nreturn true, v\nend\n"):format(arguments,
    table.concat(e.lines, "\n"))
  return table.concat(parts)
end

-- A validator, the table of the functions that it is made of, and its emitter. Those of the fast validator serve
-- the listing one.
local function build(node, fast_functions, fast_emitter)
  local e = Emitter.new(fast_emitter)
  e:value(node, "v", '""')
  local chunk = assert(load_source(source_of(e), "=schema." .. node.kind))
  local functions = {}
  return chunk(e.constants, functions, fast_functions or functions, runtime), functions, e
end

-- Of an emitter only the numbers are still needed.
local function numbers_of(e)
  return { numbers = e.numbers, count = e.count }
end

---@class mooncrew.schema.Validator
---@field run fun(value: any, decoded: boolean): true|nil, any   the fast validator
local Validator = {}
Validator.__index = Validator

--- What is wrong with a value: steps from the root, and a message.
---@param value any
---@param decoded boolean
---@param most integer  how many errors at most
---@return {steps: string, message: string}[]
function Validator:errors(value, decoded, most)
  if not self.list then
    self.list = build(self.node, self.functions, self.written)
  end
  local errors = explain.list(most)
  self.list(value, decoded and "kept", "", errors)
  return errors
end

--- Compiles a schema.
---@param node table
---@return mooncrew.schema.Validator
return function(node)
  local run, functions, e = build(node)
  return setmetatable({ node = node, run = run, functions = functions, written = numbers_of(e) }, Validator)
end
