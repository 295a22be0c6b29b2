-- Turns a schema into a validator, by writing the validator's Lua source and loading it.
--
-- The validator: run(value, decoded) → true, result | nil, steps, message. With `decoded`, value is fresh from the JSON
-- decoder and belongs to nobody else: it is completed in place. Without, value belongs to the caller and is copied.
-- Each array, object and map becomes a function of its own (`F[n]`), so that no function grows beyond Lua's limits;
-- other values are checked where they stand. Messages and paths are put together only when something is wrong.

local int64 = require "mooncrew.json.int64"
local kinds = require "mooncrew.schema.kinds"
local runtime = require "mooncrew.schema.runtime"

local load_source = loadstring or load

local PREAMBLE = [[
local K, F, runtime = ...
local type, next, getmetatable, setmetatable = type, next, getmetatable, setmetatable
local huge, MAX_EXACT = math.huge, ]] .. ("%d"):format(int64.MAX_EXACT) .. "\n"

---@class mooncrew.schema.Emitter
---@field lines string[]     the function that is being written
---@field functions string[] the sources of finished functions
---@field constants any[]    values that the source refers to as K[n]
local Emitter = {}
Emitter.__index = Emitter

-- With arguments the line is a format.
function Emitter:line(line, ...)
  self.lines[#self.lines + 1] = select("#", ...) > 0 and line:format(...) or line
end

--- Leaves the function with an error: both are Lua expressions, the second may be a format.
function Emitter:fail(where, message, ...)
  self:line("do return nil, %s, %s end", where, select("#", ...) > 0 and message:format(...) or message)
end

--- The name of a value that the source cannot spell out.
function Emitter:constant(value)
  self.constants[#self.constants + 1] = value
  return ("K[%d]"):format(#self.constants)
end

--- Writes a function of its own, whose value is v; body adds its lines. Returns the function's name.
function Emitter:container(body)
  local outer = self.lines
  self.lines = {}
  body()
  self.functions[#self.functions + 1] = table.concat(self.lines, "\n")
  self.lines = outer
  return ("F[%d]"):format(#self.functions)
end

-- What becomes of a value that is absent, or null.
local function emit_absent(e, node, x, where)
  if node.has_default then
    e:line("%s = copy(%s)", x, e:constant(node.default_value))
  elseif node.is_optional then
    e:line("%s = nil", x)
  else
    e:fail(where, '%s == nil and "required" or "expected %s, got null"', x, node.kind)
  end
end

--- Writes the check of the local variable x, including whether it is there at all.
function Emitter:value(node, x, where)
  local kind = kinds[node.kind]
  local null_is_absent = not kind.takes_null or node.is_optional
  self:line(null_is_absent and "if %s == nil or %s == null then" or "if %s == nil then", x, x)
  emit_absent(self, node, x, where)
  self:line("else")
  kind.emit(self, node, x, where)
  self:line("end")
end

local function preamble()
  local names = {}
  for name in pairs(runtime) do
    names[#names + 1] = name
  end
  table.sort(names)
  return PREAMBLE .. ("local %s = runtime.%s\n"):format(table.concat(names, ", "), table.concat(names, ", runtime."))
end

local function source_of(e)
  local parts = { preamble() }
  for i, body in ipairs(e.functions) do
    parts[#parts + 1] = ("F[%d] = function(v, decoded)\n%s\nend\n"):format(i, body)
  end
  parts[#parts + 1] = ("return function(v, decoded)\n%s\nreturn true, v\nend\n"):format(table.concat(e.lines, "\n"))
  return table.concat(parts)
end

--- Compiles a schema's validator.
---@param node table
---@return fun(value: any, decoded: boolean): true|nil, any, string?
return function(node)
  local e = setmetatable({ lines = {}, functions = {}, constants = {} }, Emitter)
  e:value(node, "v", '""')
  local chunk = assert(load_source(source_of(e), "=schema." .. node.kind))
  return chunk(e.constants, {}, runtime)
end
