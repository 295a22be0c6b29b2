-- mooncrew gen lua-types: classes for the Lua language server: of payloads and definitions, and crew.task and
-- crew.enqueue as they are for each type. The file is never run.

local json = require "mooncrew.json"
local limits = require "mooncrew.gen.limits"
local names = require "mooncrew.gen.names"
local text = require "mooncrew.gen.text"

local M = { name = "lua-types", summary = "LuaLS annotations: classes of payloads, typed enqueue functions" }

local KEYWORDS = "and break do else elseif end false for function goto if in local nil not or repeat return then true "
  .. "until while"

---@class mooncrew.gen.LuaTypes
---@field scope mooncrew.gen.Scope
---@field names table<table, string>  by struct
---@field task string|nil  the name of the task whose payload is being declared
---@field out mooncrew.gen.Text
local Types = {}
Types.__index = Types

local PLAIN = { string = "string", integer = "integer", number = "number", boolean = "boolean", any = "any" }

function Types:type_of(shape)
  local name
  if shape.kind == "array" then
    local item = self:type_of(shape.item)
    name = (item:find "[|?]" and "(" .. item .. ")" or item) .. "[]"
  elseif shape.kind == "map" then
    name = ("table<string, %s>"):format(self:type_of(shape.item))
  elseif shape.kind == "enum" then
    name = table.concat(shape.values, "|")
  else
    name = PLAIN[shape.kind] or self.names[shape.struct]
  end
  return shape.nullable and shape.kind ~= "any" and name .. "|nil" or name
end

local function remark(shape)
  local parts = { shape.about }
  if shape.kind == "any" and shape.why then
    parts[#parts + 1] = shape.why
  end
  for _, words in ipairs(limits.remarks(shape)) do
    parts[#parts + 1] = words
  end
  if shape.default then
    parts[#parts + 1] = "unless given: " .. shape.default
  end
  return #parts > 0 and "  " .. table.concat(parts, "; "):gsub("%s+", " ") or ""
end

local function field_name(name)
  if name:find "^[%a_][%w_]*$" and not (" " .. KEYWORDS .. " "):find(" " .. name .. " ", 1, true) then
    return name
  end
  return ("[%s]"):format(json.encode(name))
end

-- Names first, so that classes can name one another.
function Types:declare(shape, name, found)
  if shape.kind == "array" or shape.kind == "map" then
    return self:declare(shape.item, name .. (shape.kind == "map" and "Value" or "Item"), found)
  elseif shape.kind ~= "struct" or self.names[shape.struct] then
    return
  end
  local own = shape.struct.name and self.task .. names.exported(names.words(shape.struct.name), "Struct")
  self.names[shape.struct] = self.scope:take(own or name)
  found[#found + 1] = shape
  for _, field in ipairs(shape.struct.fields) do
    self:declare(field.shape, name:gsub("Payload$", "") .. names.pascal(names.words(field.name)), found)
  end
end

function Types:add_class(shape)
  local out = self.out
  out:add("")
  if shape.about then
    out:add("--- %s", (shape.about:gsub("%s+", " ")))
  end
  out:add("---@class %s", self.names[shape.struct])
  for _, field in ipairs(shape.struct.fields) do
    local inner = field.shape
    local optional = not field.required or inner.nullable
    local label = field_name(field.name)
    local type = self:type_of(inner):gsub("|nil$", "")
    out:add("---@field %s %s%s", label .. (optional and label:sub(1, 1) ~= "[" and "?" or ""),
      type .. (optional and label:sub(1, 1) == "[" and "|nil" or ""), remark(inner))
  end
  if shape.struct.open then
    out:add("---@field [string] any")
  end
end

local RETURNS = "mooncrew.Info|nil, string|nil, string|nil"
local OPTIONAL = { "queue? string", "max_retry? integer", "timeout? number|string", "unique? number|string",
  "retention? number|string", "description? string", "payload? mooncrew.Schema|\"raw\"", "retry? any" }

-- What crew.task takes and returns for a type.
local function add_classes(self, task, base, payload)
  local out = self.out
  out:add("")
  out:add("---@class %sDefinition: mooncrew.Definition", base)
  if not task.is_prefix then
    out:add("---@field enqueue fun(self: %sDefinition, payload: %s, options?: mooncrew.Options): %s", base, payload,
      RETURNS)
  end
  out:add("")
  if task.about then
    out:add("--- %s", (task.about:gsub("%s+", " ")))
  end
  out:add("---@class %sTask", base)
  for _, field in ipairs(OPTIONAL) do
    out:add("---@field %s", field)
  end
  out:add("---@field perform fun(payload: %s, task: mooncrew.Context): any", payload)
end

-- There is one function, with an overload for each type but the first, which has the signature itself: one that said
-- less would accept what no type does. Of several functions with one name the language server takes one alone.

local function parameter_names(signature)
  local list = {}
  for i, parameter in ipairs(signature) do
    list[i] = parameter[1]:gsub("%?$", "")
  end
  return table.concat(list, ", ")
end

local function overload(signature, before)
  local list = {}
  for i, parameter in ipairs(signature) do
    list[i] = ("%s: %s"):format(parameter[1], parameter[2])
  end
  return ("fun(%s%s): %s"):format(before or "", table.concat(list, ", "), signature.returns)
end

-- `before` is what stands first in each overload of a method.
local function add_function(self, name, signatures, before)
  local out, first = self.out, signatures[1]
  if not first then
    return
  end
  out:add("")
  for _, parameter in ipairs(first) do
    out:add("---@param %s %s", parameter[1], parameter[2])
  end
  out:add("---@return %s", first.returns)
  for i = 2, #signatures do
    out:add("---@overload %s", overload(signatures[i], before))
  end
  out:add("function %s(%s) end", name, parameter_names(first))
end

local function add_functions(self, tasks, bases, payloads)
  local defines, enqueues = {}, {}
  for i, task in ipairs(tasks) do
    local base, name = bases[i], json.encode(task.is_prefix and task.type .. "*" or task.type)
    defines[i] = { { "type", name }, { "definition", base .. "Task" }, returns = base .. "Definition" }
    if not task.is_prefix then -- its types are known by what they begin with, which no annotation can say
      enqueues[#enqueues + 1] = { { "type", ("%s|%sDefinition"):format(name, base) }, { "payload", payloads[i] },
        { "options?", "mooncrew.Options" }, returns = RETURNS }
    end
  end
  add_function(self, "crew.task", defines)
  add_function(self, "crew.enqueue", enqueues)
  add_function(self, "Context:enqueue", enqueues, "self: mooncrew.Context, ")
end

local function payload_of(self, task)
  if task.raw then
    return "string"
  elseif task.free then
    return "any"
  end
  return self:type_of(task.shape) .. (task.optional and not task.shape.nullable and "|nil" or "")
end

---@param tasks mooncrew.gen.Task[]
---@param options { name: string }
---@return { name: string, text: string }[]
function M.files(tasks, options)
  local self = setmetatable({ scope = names.scope(), names = {}, out = text.new("  ") }, Types)
  local out, bases = self.out, {}
  out:add("---@meta")
  out:add("-- %s", text.NOTICE)
  out:add("")
  out:add("---@class mooncrew")
  out:add("local crew = {}")
  out:add("")
  out:add("---@class mooncrew.Context")
  out:add("local Context = {}")
  for i, task in ipairs(tasks) do
    bases[i] = self.scope:take(names.exported(task.words, "Task"), { "%sPayload", "%sDefinition", "%sTask" })
  end
  local payloads = {}
  for i, task in ipairs(tasks) do
    local found = {}
    if task.shape then
      self.task = bases[i]
      self.scope[bases[i] .. "Payload"] = nil
      self:declare(task.shape, bases[i] .. "Payload", found)
    end
    for _, shape in ipairs(found) do
      self:add_class(shape)
    end
    payloads[i] = payload_of(self, task)
    add_classes(self, task, bases[i], payloads[i])
  end
  add_functions(self, tasks, bases, payloads)
  return { { name = options.name .. ".lua", text = out:done() } }
end

return M
