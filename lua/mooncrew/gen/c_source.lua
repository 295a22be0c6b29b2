-- The source of generated C: a static put_… function for each struct, list and map, which writes it as canonical JSON,
-- and the functions of each task.

local header = require "mooncrew.gen.c_header"
local json = require "mooncrew.json"
local shape_bounds = require("mooncrew.gen.shape").bounds
local quote = require "mooncrew.gen.c_quote"
local runtime = require "mooncrew.gen.c_runtime"
local text = require "mooncrew.gen.text"

local M = {}

---@class mooncrew.gen.CSource
---@field plan mooncrew.gen.CPlan
---@field out mooncrew.gen.Text  the put functions
---@field used table<string, boolean>  chunks of the runtime
local Source = {}
Source.__index = Source

local function size_limit(size)
  return size and ("%d"):format(size) or "SIZE_MAX"
end

-- ---- values ----

-- A bound as C, and whether it is an integer.
local function bound_literal(bound)
  local digits = assert(json.encode(bound))
  if not digits:find "^%-?%d+$" then
    return digits, false
  elseif digits == "-9223372036854775808" then
    return "INT64_MIN", true
  end
  return ("INT64_C(%s)"):format(digits), true
end

local function check_bounds(out, shape, x, at)
  for _, bound in ipairs(shape_bounds(shape)) do
    local limit, operator, words = bound[1], bound[2], bound[3]
    local literal, whole = bound_literal(limit)
    local value = x
    if shape.kind == "number" then
      literal = whole and json.encode(limit) .. ".0" or literal
    elseif not whole then
      value = "(double)" .. x
    end
    out:add("if (%s %s %s)", value, operator, literal)
    out:add('  json_fail(w, %s, "must be %s %s");', at, words, json.encode(limit))
  end
end

local function check_multiples(out, shape, x, at)
  for _, divisor in ipairs(shape.multiples or {}) do
    out:add("if (%s %% %s)", x, (bound_literal(divisor)))
    out:add('  json_fail(w, %s, "must be a multiple of %s");', at, json.encode(divisor))
  end
end

-- Whether writing the value can fail, or fail inside of it, so that its place is needed.
local function can_fail(shape)
  return not (shape.kind == "boolean" or shape.kind == "integer" and #shape_bounds(shape) == 0 and not shape.multiples)
end

local values = {}

function values:string(shape, x, at)
  self.used.string = true
  self.out:add("json_string(w, %s, %s, %d, %s);", at, x, shape.min_size or 0, size_limit(shape.max_size))
end

function values:any(_, x, at)
  self.used.raw = true
  self.out:add("json_raw(w, %s, %s);", at, x)
end

function values:integer(shape, x, at)
  self.used.integer = true
  check_bounds(self.out, shape, x, at)
  check_multiples(self.out, shape, x, at)
  self.out:add("json_integer(w, %s);", x)
end

function values:number(shape, x, at)
  self.used.number = true
  check_bounds(self.out, shape, x, at)
  self.out:add("json_number(w, %s, %s);", at, x)
end

function values:boolean(_, x)
  self.out:add('json_text(w, %s ? "true" : "false");', x)
end

function values:enum(shape, x, at)
  self.used.enum = true
  local name = self.plan.by_shape[shape].name
  self.out:add("json_enum(w, %s, (int)%s, texts_of_%s, %d);", at, x, name, #shape.values)
end

function values:struct(shape, x, at)
  self.out:add("put_%s(w, %s, &%s);", self.plan.by_shape[shape.struct].name, at, x)
end

function values:array(shape, x, at)
  self.out:add("put_%s(w, %s, %s.items, %s.count);", self.plan.by_shape[shape].name, at, x, x)
end
values.map = values.array

-- Writes the value of the C expression x, which stands at the path `at`.
local function put_value(self, shape, x, at)
  if shape.nullable and (shape.kind == "string" or shape.kind == "any") then
    self.out:add("if (!%s)", x)
    self.out:add('  json_text(w, "null");')
    self.out:add("else")
    self.out.depth = self.out.depth + 1
    values[shape.kind](self, shape, x, at)
    self.out.depth = self.out.depth - 1
    return
  end
  values[shape.kind](self, shape, x, at)
end

-- ---- members ----

-- A member that is there.
local function put_present(self, member, at)
  local shape, x = member.field.shape, "v->" .. member.name
  if shape.kind == "array" or shape.kind == "map" then
    self.out:add("put_%s(w, %s, %s, %s_count);", self.plan.by_shape[shape].name, at, x, x)
  elseif member.pointer then
    self.out:add("put_%s(w, %s, %s);", self.plan.by_shape[shape.struct].name, at, x)
  else
    values[shape.kind](self, shape, x, at)
  end
end

local function put_key(self, member, is_value)
  if not is_value then
    self.used.key = true
    self.out:add("json_key(w, %s);", quote.literal(json.encode(member.field.name) .. ":"))
  end
end

-- What is written for a member that is not there: nil when it is left out.
local function absent_text(member)
  return member.field.shape.default or (member.field.required and "null" or nil)
end

local function put_absent_member(self, member, at, is_value)
  local out = self.out
  local instead = absent_text(member)
  if instead then
    put_key(self, member, is_value)
  end
  out:block(("if (v->%s) {"):format(member.flag or member.name), function()
    if not instead then
      put_key(self, member, is_value)
    end
    put_present(self, member, at)
  end, instead and "} else {" or "}")
  if instead then
    out:add("  json_text(w, %s);", quote.literal(instead))
    out:add("}")
  end
end

local function put_member(self, member, is_value)
  local at = is_value and "at" or "&here"
  if not is_value and can_fail(member.field.shape) then
    self.out:add("here.name = %s;", quote.literal(member.field.name))
  end
  if member.absent then
    put_absent_member(self, member, at, is_value)
  else
    put_key(self, member, is_value)
    if member.pointer then -- it holds itself, and is required
      self.out:add("if (!v->%s)", member.name)
      self.out:add('  json_fail(w, %s, "required");', at)
      self.out:add("else")
      self.out:add("  put_%s(w, %s, v->%s);", self.plan.by_shape[member.field.shape.struct].name, at, member.name)
      return
    end
    put_present(self, member, at)
  end
end

-- ---- functions ----

local puts = {}

local function put_head(declaration)
  return ("static void put_%s(json_writer *w, const json_path *at, const %s *v)"):format(declaration.name,
    declaration.name)
end

-- Whether the place of one of the struct's members is needed.
local function has_places(declaration)
  for _, member in ipairs(declaration.members) do
    if can_fail(member.field.shape) then
      return true
    end
  end
  return false
end

function puts:struct(declaration)
  local out, is_value, places = self.out, declaration.is_value, has_places(declaration)
  out:block(put_head(declaration) .. " {", function()
    if places and not is_value then
      out:add("json_path here = {at, NULL, 0};")
    end
    if not places and not declaration.recursive then
      out:add("(void)at;")
    end
    if #declaration.members == 0 then
      out:add("(void)v;")
    end
    if declaration.recursive then
      self.used.depth = true
      out:add("if (json_too_deep(w, at))")
      out:add("  return;")
    end
    if not is_value then
      out:add('json_text(w, "{");')
    end
    for _, member in ipairs(declaration.members) do
      put_member(self, member, is_value)
    end
    if not is_value then
      out:add('json_text(w, "}");')
    end
  end, "}")
  out:add("")
end

function puts:enum(declaration)
  local texts = {}
  for i, constant in ipairs(declaration.constants) do
    texts[i] = quote.literal(constant.value)
  end
  self.out:add("static const char *const texts_of_%s[] = {%s};", declaration.name, table.concat(texts, ", "))
  self.out:add("")
end

local function put_count(self, shape)
  self.used.list = true
  self.out:add("if (!json_count(w, at, items, count, %d, %s))", shape.min_size or 0, size_limit(shape.max_size))
  self.out:add("  return;")
end

function puts:array(declaration)
  local out, shape = self.out, declaration.shape
  local of = self.plan:type_of(shape.item)
  of = of == "const char *" and "const char *const " or "const " .. of
  out:block(("static void put_%s(json_writer *w, const json_path *at, %s*items, size_t count) {"):format(
    declaration.name, of), function()
      local fallible = can_fail(shape.item)
      if fallible then
        out:add("json_path here = {at, NULL, 0};")
      end
      if shape.unique then
        self.used.unique = true
        out:add("json_written *written;")
      end
      put_count(self, shape)
      if shape.unique then
        out:add("written = json_list_written(count);")
      end
      out:add('json_text(w, "[");')
      out:block("for (size_t i = 0; i < count && !w->failed; i++) {", function()
        if fallible then
          out:add("here.index = i;")
        end
        out:add("if (i)")
        out:add('  json_text(w, ",");')
        if shape.unique then
          out:add("written[i].start = w->size;")
        end
        put_value(self, shape.item, "items[i]", fallible and "&here" or "at")
        if shape.unique then
          out:add("written[i].size = w->size - written[i].start;")
        end
      end, "}")
      if shape.unique then
        out:add("json_unique(w, at, written, count);")
      end
      out:add('json_text(w, "]");')
    end, "}")
  out:add("")
end

function puts:map(declaration)
  local out, shape, entry = self.out, declaration.shape, declaration.name .. "_entry"
  self.used.map = true
  out:block(("static void put_%s(json_writer *w, const json_path *at, const %s *items, size_t count) {"):format(
    declaration.name, entry), function()
      local fallible = can_fail(shape.item)
      if fallible then
        out:add("json_path here = {at, NULL, 0};")
      end
      out:add("const void **sorted;")
      put_count(self, shape)
      out:add("sorted = json_sort(w, at, items, count, sizeof *items);")
      out:add('json_text(w, "{");')
      out:block("for (size_t i = 0; sorted && i < count && !w->failed; i++) {", function()
        out:add("const %s *item = (const %s *)sorted[i];", entry, entry)
        if fallible then
          out:add("here.name = item->key;")
        end
        out:add("json_map_key(w, item->key);")
        put_value(self, shape.item, "item->value", "&here")
      end, "}")
      out:add('json_text(w, "}");')
      out:add("free((void *)sorted);")
    end, "}")
  out:add("")
end

local function encode_function(self, task, base)
  local out = self.out
  self.used.writer = true
  out:block(header.encode_head(base) .. " {", function()
    out:add("json_writer w = {NULL, 0, 0, 0, error};")
    out:add('json_path at = {NULL, "payload", 0};')
    out:add("if (payload)")
    out:add("  put_%s(&w, &at, payload);", self.plan.by_shape[task].name)
    if task.optional then
      if task.shape.default then
        out:add("else")
        out:add("  json_text(&w, %s);", quote.literal(task.shape.default))
      end
    else
      out:add("else")
      out:add('  json_fail(&w, &at, "required");')
    end
    out:add("return json_finish(&w, out, out_size);")
  end, "}")
  out:add("")
end

local OPTIONS = { "max_retry", "timeout_ms", "unique_ms", "retention_ms" }

local function declare_options(out, task)
  out:add("mooncrew_options declared = MOONCREW_OPTIONS_INIT;")
  if task.options.queue then
    out:add("declared.queue = %s;", quote.literal(task.options.queue))
  end
  for _, name in ipairs(OPTIONS) do
    if task.options[name] then
      out:add("declared.%s = %s;", name, (json.encode(task.options[name])))
    end
  end
end

local function send(self, task, payload, size)
  local type = quote.literal(task.type)
  if not task.is_prefix then
    self.out:add("code = task_send(client, %s, %s, %s, options, &declared, result, error);", type, payload, size)
    return
  end
  self.used.suffix = true
  self.out:add("type = task_type(%s, rest);", type)
  self.out:add("code = task_send(client, type, %s, %s, options, &declared, result, error);", payload, size)
  self.out:add("free(type);")
end

local function enqueue_function(self, task, base)
  local out = self.out
  self.used.send = true
  out:block(header.enqueue_head(task, base) .. " {", function()
    declare_options(out, task)
    out:add("int code;")
    if task.is_prefix then
      out:add("char *type;")
    end
    if not task.shape then
      local payload = task.raw and "payload" or "json"
      send(self, task, payload, task.raw and "payload_size" or "json ? strlen(json) : 0")
    else
      self.used.refuse = true
      out:add("char *text;")
      out:add("size_t size;")
      out:add("code = %s_encode(payload, &text, &size, error);", base)
      out:add("if (code)")
      out:add("  return task_refuse(code, result, error);")
      send(self, task, "text", "size")
      out:add("free(text);")
    end
    out:add("return code;")
  end, "}")
  out:add("")
end

local function add_prototypes(self)
  local any = false
  for _, declaration in ipairs(self.plan.list) do
    if declaration.recursive then
      self.out:add("%s;", put_head(declaration))
      any = true
    end
  end
  if any then
    self.out:add("")
  end
end

--- The source's text.
---@param tasks mooncrew.gen.Task[]
---@param bases string[]  the name of each
---@param plan mooncrew.gen.CPlan
---@param file string  the header's name, without folder
---@return string
function M.text(tasks, bases, plan, file)
  local self = setmetatable({ plan = plan, out = text.new("  "), used = {} }, Source)
  add_prototypes(self)
  for _, declaration in ipairs(plan.list) do
    puts[declaration.kind](self, declaration)
  end
  for i, task in ipairs(tasks) do
    if task.shape then
      encode_function(self, task, bases[i])
    end
    enqueue_function(self, task, bases[i])
  end
  table.remove(self.out.lines)
  local head = text.new("  ")
  head:add("/* %s */", text.NOTICE)
  head:add("#include %s", '"' .. file .. '"')
  head:add("")
  for _, name in ipairs { "inttypes", "stdio", "stdlib", "string" } do
    head:add("#include <%s.h>", name)
  end
  head:add("")
  local functions = self.out:done()
  return head:done() .. runtime.text(self.used) .. "\n" .. functions
end

return M
