-- Turns a schema into its validators: writes their Lua source (emitter.lua) and loads it. The fast one is compiled when
-- the schema is first used, and once; the listing one when something is first found wrong.

local int64 = require "mooncrew.json.int64"
local explain = require "mooncrew.schema.explain"
local Emitter = require "mooncrew.schema.emitter"
local memos = require "mooncrew.schema.memo"
local repeated = require "mooncrew.schema.repeated"
local runtime = require "mooncrew.schema.runtime"
local sorted_keys = require "mooncrew.sorted_keys"

local next = runtime.next

local load_source = loadstring or load

local PREAMBLE = [[
local K, F, T, runtime = ...
local type, getmetatable, setmetatable = type, getmetatable, setmetatable
local huge, MAX_EXACT = math.huge, ]] .. ("%d"):format(int64.MAX_EXACT) .. "\n"

local function preamble()
  local names = sorted_keys(runtime)
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

-- Puts around the functions of the schemas in `found` what `wrap` makes of them.
local function wrap_functions(functions, numbers, found, wrap)
  for node in pairs(found) do
    for _, part in ipairs { "whole", "not null" } do
      local number = numbers[node] and numbers[node][part]
      if number and functions[number] then
        functions[number] = wrap(functions[number])
      end
    end
  end
end

-- A validation that begins with an empty memo, and leaves none. No table is changed in place.
local function with_memo(memo, run)
  return function(value, decoded, ...)
    memo:clear()
    local ok, result = run(value, decoded and "kept", ...)
    memo:clear()
    return ok, result
  end
end

---@class mooncrew.schema.Validator
---@field run fun(value: any, decoded: boolean): true|nil, any   the fast validator
---@field found table<mooncrew.Schema, true>  the schemas whose results are remembered
---@field memo mooncrew.schema.Memo|nil  where there are any
local Validator = {}
Validator.__index = Validator

-- The listing validator, when something is first found wrong.
local function build_list(self)
  local list, functions = build(self.node, self.functions, self.written)
  if not self.memo then
    return list
  end
  wrap_functions(functions, self.written.numbers, self.found, memos.list_once)
  return with_memo(self.memo, list)
end

--- What is wrong with a value: steps from the root, and a message.
---@param value any
---@param decoded boolean
---@param most integer  how many errors at most
---@return {steps: string, message: string}[]
function Validator:errors(value, decoded, most)
  self.list = self.list or build_list(self)
  local errors = explain.list(most)
  self.list(value, decoded and "kept", "", errors)
  return errors
end

local function remember(self)
  self.memo = memos.new()
  wrap_functions(self.functions, self.written.numbers, self.found, function(run)
    return self.memo:remember(run)
  end)
  self.run = with_memo(self.memo, self.run)
end

--- Compiles a schema.
---@param node table
---@return mooncrew.schema.Validator
return function(node)
  local run, functions, e = build(node)
  local self = setmetatable({ node = node, run = run, functions = functions, written = numbers_of(e),
    found = repeated.find(node) }, Validator)
  if next(self.found) then
    remember(self)
  end
  return self
end
