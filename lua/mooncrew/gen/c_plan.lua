-- What generated C declares: a name for each enum, struct, list and map of the payloads, in the order in which C must
-- see them, and the members of each struct.

local names = require "mooncrew.gen.names"
local runtime = require "mooncrew.gen.c_runtime"

-- Of C and C++, and what the headers define as macros.
local KEYWORDS = "alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl const "
  .. "constexpr const_cast continue decltype default delete do double dynamic_cast else enum errno explicit export "
  .. "extern false float for friend goto if inline int linux long mutable namespace new noexcept not not_eq nullptr "
  .. "operator or or_eq private protected public register reinterpret_cast restrict return short signed sizeof static "
  .. "static_assert "
  .. "static_cast stderr stdin stdout struct switch template this thread_local throw true try typedef typeid typename "
  .. "typeof union unix unsigned using virtual void volatile wchar_t while xor xor_eq"

-- Names at file scope that a task could have by chance.
local TYPES = "blkcnt_t blksize_t clock_t dev_t gid_t id_t ino_t intmax_t int8_t int16_t int32_t int64_t intptr_t "
  .. "mode_t nlink_t off_t pid_t ptrdiff_t size_t ssize_t time_t uid_t uint8_t uint16_t uint32_t uint64_t uintmax_t "
  .. "uintptr_t"

local M = {}

---@class mooncrew.gen.CMember
---@field name string  in C
---@field field mooncrew.gen.Field
---@field absent boolean  it may be left out, or be null
---@field pointer boolean  a struct behind a pointer, of which NULL is absent
---@field flag string|nil  the member that says whether it is there

---@class mooncrew.gen.CDeclaration
---@field kind "enum"|"struct"|"array"|"map"
---@field name string  of the type
---@field shape mooncrew.gen.Shape
---@field constants { name: string, value: string }[]|nil  enum
---@field members mooncrew.gen.CMember[]|nil  struct
---@field recursive boolean|nil  struct
---@field is_item boolean|nil  array, map: there is a struct of items and count, since it stands where one value stands

---@class mooncrew.gen.CPlan
---@field scope mooncrew.gen.Scope
---@field task string|nil  the name of the task whose payload is being declared
---@field list mooncrew.gen.CDeclaration[]
---@field by_shape table<table, mooncrew.gen.CDeclaration>  by shape, or by struct
local Plan = {}
Plan.__index = Plan

local function word_of(text, otherwise)
  local name = names.snake(names.words(text))
  return name ~= "" and name or otherwise
end

local function constant_word(value)
  local number = value:match "^-(%d+)$"
  return number and "minus_" .. number or word_of(value, "value")
end

function Plan:add_enum(shape, name)
  local declaration = { kind = "enum", name = self.scope:take(name), shape = shape, constants = {} }
  for i, value in ipairs(shape.values) do
    local wanted = ("%s_%s"):format(declaration.name, constant_word(value)):upper()
    declaration.constants[i] = { name = self.scope:take(wanted), value = value }
  end
  return declaration
end

-- A C pointer, of which NULL is absent, is enough for these.
local function has_null(shape)
  return shape.kind == "string" or shape.kind == "any"
end

local function member_of(scope, field, is_union_pointer)
  local shape = field.shape
  local absent = not field.required or shape.nullable or false
  local flagged = absent and not has_null(shape) and not is_union_pointer
  local forms = { "%s" }
  if shape.kind == "array" or shape.kind == "map" then
    forms[#forms + 1] = "%s_count"
  end
  if flagged then
    forms[#forms + 1] = "has_%s"
  end
  local name = scope:take(word_of(field.name, "field"), forms)
  return { name = name, field = field, absent = absent, flag = flagged and "has_" .. name or nil }
end

-- What may be null where no flag can say so is JSON text.
local function as_item(shape)
  if shape.nullable and not has_null(shape) then
    return { kind = "any", why = "an item that may be null", nullable = true, about = shape.about }
  end
  return shape
end

function Plan:add_members(declaration, fields, base)
  local scope = names.scope(KEYWORDS)
  for i, field in ipairs(fields) do
    local is_struct = field.shape.kind == "struct"
    local pointer = is_struct
      and (not field.required or field.shape.nullable or field.shape.struct.recursive) or false
    local member = member_of(scope, field, is_struct)
    member.pointer = pointer
    declaration.members[i] = member
    self:declare(field.shape, ("%s_%s"):format(base, word_of(field.name, "field")))
  end
end

--- Declares what a shape needs: at its end itself, if it needs a name.
---@param shape mooncrew.gen.Shape
---@param name string  the name wanted
---@param base string|nil  what the names of a struct's parts begin with; the name unless given
function Plan:declare(shape, name, base)
  local key = shape.struct or shape
  local declaration = self.by_shape[key]
  if declaration then
    return declaration
  elseif shape.kind == "enum" then
    declaration = self:add_enum(shape, name)
  elseif shape.kind == "struct" then
    local own = shape.struct.name and ("%s_%s"):format(self.task, word_of(shape.struct.name, "struct"))
    declaration = { kind = "struct", name = self.scope:take(own or name), shape = shape, members = {},
      recursive = shape.struct.recursive }
    self.by_shape[key] = declaration
    self:add_members(declaration, shape.struct.fields, base or declaration.name)
  elseif shape.kind == "array" or shape.kind == "map" then
    declaration = { kind = shape.kind, name = self.scope:take(name, { "%s", "%s_entry" }), shape = shape }
    self.by_shape[key] = declaration
    shape.item = as_item(shape.item)
    local item = self:declare(shape.item, name .. (shape.kind == "map" and "_value" or "_item"))
    if item and (item.kind == "array" or item.kind == "map") then
      item.is_item = true
    end
  end
  if declaration then
    self.by_shape[key] = declaration
    self.list[#self.list + 1] = declaration
  end
  return declaration
end

--- Declares a task's payload struct. One that is no object is its only member, "value".
---@param shape mooncrew.gen.Shape
---@param base string
---@param optional boolean
---@return mooncrew.gen.CDeclaration
function Plan:declare_payload(shape, base, optional)
  self.task = base
  if shape.kind == "struct" then
    self.scope[base .. "_payload"] = nil -- it was kept for this
    shape.struct.name = nil -- whatever the schema calls it
    return self:declare(shape, base .. "_payload", base)
  end
  local declaration = { kind = "struct", name = base .. "_payload", shape = shape, members = {}, is_value = true }
  self:add_members(declaration, { { name = "value", shape = shape, required = not optional } }, base)
  self.list[#self.list + 1] = declaration
  return declaration
end

--- The C type of one value, with what stands between it and a name.
---@param shape mooncrew.gen.Shape
---@return string
function Plan:type_of(shape)
  local plain = { string = "const char *", any = "const char *", integer = "int64_t ", number = "double ",
    boolean = "bool " }
  return plain[shape.kind] or self.by_shape[shape.struct or shape].name .. " "
end

--- A plan in whose scope the names of the static functions are taken.
---@return mooncrew.gen.CPlan
function M.new()
  local scope = names.scope(("%s %s %s"):format(KEYWORDS, TYPES, runtime.NAMES))
  return setmetatable({ scope = scope, list = {}, by_shape = {} }, Plan)
end

return M
