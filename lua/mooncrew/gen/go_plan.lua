-- What generated Go declares: the names of tasks, enums and structs, and the fields of each struct.

local json = require "mooncrew.json"
local names = require "mooncrew.gen.names"
local runtime = require "mooncrew.gen.go_runtime"

local M = {}

---@class mooncrew.gen.GoField
---@field name string  in Go
---@field field mooncrew.gen.Field
---@field absent boolean  it may be left out, or be null
---@field pointer boolean

---@class mooncrew.gen.GoDeclaration
---@field kind "enum"|"struct"
---@field name string
---@field shape mooncrew.gen.Shape
---@field constants { name: string, value: string }[]|nil  enum
---@field fields mooncrew.gen.GoField[]|nil  struct
---@field payload_of string|nil  struct: the type of the task, quoted

---@class mooncrew.gen.GoPlan
---@field scope mooncrew.gen.Scope
---@field task string|nil  the name of the task whose payload is being declared
---@field list mooncrew.gen.GoDeclaration[]
---@field by_shape table<table, mooncrew.gen.GoDeclaration>  by shape, or by struct
local Plan = {}
Plan.__index = Plan

local FORMS = { "%s", "Distribute%s", "Encode%s", "%sPayload", "Type%s" }

--- The name of a task.
---@param task mooncrew.gen.Task
---@return string
function Plan:name_task(task)
  return self.scope:take(names.exported(task.words, "Task"), FORMS)
end

local function add_enum(self, shape, name)
  local declaration = { kind = "enum", name = self.scope:take(name), shape = shape, constants = {} }
  for i, value in ipairs(shape.values) do
    local words = value:match "^-%d" and { "minus", value:sub(2) } or names.words(value)
    local word = #words > 0 and names.pascal(words) or "Value"
    declaration.constants[i] = { name = self.scope:take(declaration.name .. word), value = value }
  end
  return declaration
end

local function is_nilable(shape)
  return shape.kind == "array" or shape.kind == "map" or shape.kind == "any"
end

local function add_fields(self, declaration, base)
  local scope = names.scope "MarshalJSON UnmarshalJSON"
  for i, field in ipairs(declaration.shape.struct.fields) do
    local shape = field.shape
    local absent = not field.required or shape.nullable or false
    local recursive = shape.kind == "struct" and shape.struct.recursive
    local word = names.exported(names.words(field.name), "Field")
    declaration.fields[i] = { name = scope:take(word), field = field, absent = absent,
      pointer = (absent and not is_nilable(shape)) or recursive or false }
    self:declare(shape, base .. word)
  end
end

--- Declares what a shape needs: enums and structs have names.
---@param shape mooncrew.gen.Shape
---@param name string  the name wanted
---@param base string|nil  what the names of a struct's parts begin with; the name unless given
function Plan:declare(shape, name, base)
  local key = shape.struct or shape
  if self.by_shape[key] then
    return
  elseif shape.kind == "array" or shape.kind == "map" then
    return self:declare(shape.item, name .. (shape.kind == "map" and "Value" or "Item"))
  end
  local declaration
  if shape.kind == "enum" then
    declaration = add_enum(self, shape, name)
  elseif shape.kind == "struct" then
    local own = shape.struct.name and self.task .. names.exported(names.words(shape.struct.name), "Struct")
    declaration = { kind = "struct", name = self.scope:take(own or name), shape = shape, fields = {} }
  end
  if declaration then
    self.by_shape[key] = declaration
    self.list[#self.list + 1] = declaration
  end
  if shape.kind == "struct" then
    add_fields(self, declaration, base or declaration.name)
  end
end

--- Declares a task's payload, of which a struct has the name that was kept for it.
---@param task mooncrew.gen.Task
---@param base string
function Plan:declare_payload(task, base)
  local shape = task.shape
  self.task = base
  self.scope[base .. "Payload"] = nil
  self:declare(shape, base .. "Payload", base)
  if shape.kind == "struct" then
    self.by_shape[shape.struct].payload_of = json.encode(task.is_prefix and task.type .. "*" or task.type)
  end
end

local PLAIN = { string = "string", integer = "int64", number = "float64", boolean = "bool", any = "json.RawMessage" }

--- The Go type of one value. One that may be null is a pointer, unless nil says so already.
---@param shape mooncrew.gen.Shape
---@return string
function Plan:type_of(shape)
  local star = shape.nullable and not is_nilable(shape) and "*" or ""
  if shape.kind == "array" then
    return "[]" .. self:type_of(shape.item)
  elseif shape.kind == "map" then
    return "map[string]" .. self:type_of(shape.item)
  end
  return star .. (PLAIN[shape.kind] or self.by_shape[shape.struct or shape].name)
end

--- The Go type of a value that is there, or (pointer) may not be.
---@param shape mooncrew.gen.Shape
---@param pointer boolean
---@return string
function Plan:field_type(shape, pointer)
  local plain = self:type_of(shape):gsub("^%*", "")
  return pointer and "*" .. plain or plain
end

---@param shape mooncrew.gen.Shape
---@return boolean
M.is_nilable = is_nilable

--- A plan in whose scope the runtime's names are taken.
---@return mooncrew.gen.GoPlan
function M.new()
  return setmetatable({ scope = names.scope(runtime.NAMES), list = {}, by_shape = {} }, Plan)
end

return M
