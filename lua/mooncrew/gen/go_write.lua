-- The functions of generated Go that write a value as canonical JSON.

local json = require "mooncrew.json"
local shape_bounds = require("mooncrew.gen.shape").bounds
local is_nilable = require("mooncrew.gen.go_plan").is_nilable

local M = {}

---@class mooncrew.gen.GoWriter
---@field out mooncrew.gen.Text
---@field plan mooncrew.gen.GoPlan
---@field depth integer  of loops
local Writer = {}
Writer.__index = Writer

--- A text as Go, of which JSON's texts are a part.
---@param text string
---@return string
function M.literal(text)
  return (assert(json.encode(text)):gsub("\127", "\\x7f"))
end

local function size_limit(size)
  return size and ("%d"):format(size) or "-1"
end

local function check_bounds(out, shape, x)
  for _, bound in ipairs(shape_bounds(shape)) do
    local limit, operator, words = bound[1], bound[2], bound[3]
    local digits = assert(json.encode(limit))
    local left = shape.kind == "integer" and not digits:find "^%-?%d+$" and ("float64(%s)"):format(x) or x
    out:block(("if %s %s %s {"):format(left, operator, digits), function()
      out:add('w.fail("must be %s %s")', words, digits)
    end, "}")
  end
end

local function check_multiples(out, shape, x)
  for _, divisor in ipairs(shape.multiples or {}) do
    local digits = assert(json.encode(divisor))
    out:block(("if %s%%%s != 0 {"):format(x, digits), function()
      out:add('w.fail("must be a multiple of %s")', digits)
    end, "}")
  end
end

local values = {}

function values:string(shape, x)
  self.out:add("w.string(%s, %s, %s)", x, shape.min_size or 0, size_limit(shape.max_size))
end

function values:any(_, x)
  self.out:add("w.raw(%s)", x)
end

function values:integer(shape, x)
  check_bounds(self.out, shape, x)
  check_multiples(self.out, shape, x)
  self.out:add("w.integer(%s)", x)
end

function values:number(shape, x)
  check_bounds(self.out, shape, x)
  self.out:add("w.number(%s)", x)
end

function values:boolean(_, x)
  self.out:add("w.boolean(%s)", x)
end

function values:enum(shape, x)
  self.out:block(("if !%s.valid() {"):format(x:find "^%*" and "(" .. x .. ")" or x), function()
    self.out:add('w.fail("expected one of %s")', (table.concat(shape.values, ", "):gsub('[\\"]', "\\%0")
      :gsub("\127", "\\x7f")))
  end, "}")
  if shape.of == "string" then
    self.out:add("w.string(string(%s), 0, -1)", x)
  else
    self.out:add("w.integer(int64(%s))", x)
  end
end

function values:struct(_, x)
  self.out:add("%s.write(w)", (x:gsub("^%*", "")))
end

local function check_count(self, shape, x)
  if shape.min_size or shape.max_size then
    self.out:add("w.count(len(%s), %d, %s)", x, shape.min_size or 0, size_limit(shape.max_size))
  end
end

-- Loops inside of loops have variables of their own.
local function loop(self, head, body)
  self.depth = self.depth + 1
  self.out:block(head, body, "}")
  self.depth = self.depth - 1
end

local function name(self, word)
  return self.depth > 0 and word .. self.depth + 1 or word
end

function values:array(shape, x)
  local out, i, item = self.out, name(self, "i"), name(self, "item")
  check_count(self, shape, x)
  out:block("if w.open('[') {", function()
    local seen = name(self, "seen")
    if shape.unique then
      out:add("%s := map[string]int{}", seen)
    end
    loop(self, ("for %s, %s := range %s {"):format(i, item, x), function()
      out:add("w.item(%s)", i)
      if shape.unique then
        out:add("%s := len(w.bytes)", name(self, "start"))
      end
      self:value(shape.item, item)
      if shape.unique then
        out:add("w.unique(%s, %s, %s)", seen, i, name(self, "start"))
      end
    end)
    out:add("w.close(']')")
  end, "}")
end

function values:map(shape, x)
  local out, key = self.out, name(self, "key")
  check_count(self, shape, x)
  out:block("if w.open('{') {", function()
    loop(self, ("for _, %s := range jsonKeys(%s) {"):format(key, x), function()
      local value = name(self, "value")
      out:add("w.key(%s)", key)
      out:add("%s := %s[%s]", value, x, key)
      self:value(shape.item, value)
    end)
    out:add("w.close('}')")
  end, "}")
end

-- A value that is there, behind a pointer or not.
local function present(self, shape, x, pointer)
  values[shape.kind](self, shape, pointer and "*" .. x or x)
end

--- Writes the value of a Go expression.
---@param shape mooncrew.gen.Shape
---@param x string
function Writer:value(shape, x)
  if not shape.nullable then
    return present(self, shape, x, false)
  end
  local out = self.out
  out:block(("if %s == nil {"):format(x), function()
    out:add('w.text("null")')
  end, "} else {")
  out.depth = out.depth + 1
  present(self, shape, x, not is_nilable(shape))
  out.depth = out.depth - 1
  out:add("}")
end

--- Writes a value that may not be there.
---@param shape mooncrew.gen.Shape
---@param x string
---@param pointer boolean
---@param instead string|nil  JSON, when it is not there; nil: nothing
---@param before fun()  adds what comes before it
function Writer:absent(shape, x, pointer, instead, before)
  local out = self.out
  if instead then
    before()
  end
  out:block(("if %s != nil {"):format(x), function()
    if not instead then
      before()
    end
    present(self, shape, x, pointer)
  end, instead and "} else {" or "}")
  if instead then
    out:add("\tw.text(%s)", M.literal(instead))
    out:add("}")
  end
end

local function add_field(self, field)
  local out, shape, x = self.out, field.field.shape, "p." .. field.name
  local function key()
    out:add("w.key(%s)", M.literal(field.field.name))
  end
  if field.absent then
    return self:absent(shape, x, field.pointer, shape.default or field.field.required and "null" or nil, key)
  end
  key()
  if field.pointer then -- it holds itself, and is required
    out:block(("if %s == nil {"):format(x), function()
      out:add('w.fail("required")')
    end, "} else {")
    out:add("\t%s.write(w)", x)
    out:add("}")
    return
  end
  present(self, shape, x, false)
end

--- Adds the methods of a struct.
---@param declaration mooncrew.gen.GoDeclaration
function Writer:struct(declaration)
  local out = self.out
  out:add("")
  out:add("// MarshalJSON gives canonical JSON, or says what does not fit.")
  out:block(("func (p %s) MarshalJSON() ([]byte, error) {"):format(declaration.name), function()
    out:add("w := &jsonWriter{}")
    out:add("p.write(w)")
    out:add("return w.done()")
  end, "}")
  out:add("")
  out:block(("func (p *%s) write(w *jsonWriter) {"):format(declaration.name), function()
    out:block("if !w.open('{') {", function()
      out:add("return")
    end, "}")
    for _, field in ipairs(declaration.fields) do
      add_field(self, field)
    end
    out:add("w.close('}')")
  end, "}")
end

---@param out mooncrew.gen.Text
---@param plan mooncrew.gen.GoPlan
---@return mooncrew.gen.GoWriter
function M.new(out, plan)
  return setmetatable({ out = out, plan = plan, depth = 0 }, Writer)
end

return M
