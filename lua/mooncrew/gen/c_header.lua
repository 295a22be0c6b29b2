-- The header of generated C: the types of the payloads and the functions of each task.

local json = require "mooncrew.json"
local limits = require "mooncrew.gen.limits"
local quote = require "mooncrew.gen.c_quote"
local text = require "mooncrew.gen.text"

local M = {}

local function remark(parts)
  return #parts > 0 and (" /* %s */"):format(quote.comment(table.concat(parts, "; "))) or ""
end

local function add_limits(shape, parts)
  local unit = shape.kind == "string" and "characters" or "items"
  local bound = shape.min_size or shape.max_size
  if shape.min_size and shape.max_size then
    parts[#parts + 1] = ("%d to %d %s"):format(shape.min_size, shape.max_size, unit)
  elseif bound then
    parts[#parts + 1] = ("at %s %d %s"):format(shape.min_size and "least" or "most", bound,
      bound == 1 and unit:sub(1, -2) or unit)
  end
  if shape.unique then
    parts[#parts + 1] = "no two are equal"
  end
  for _, words in ipairs(limits.remarks(shape)) do
    parts[#parts + 1] = words
  end
end

local function remarks_of(member)
  local shape, parts = member.field.shape, {}
  if member.name ~= member.field.name then
    parts[1] = json.encode(member.field.name) .. " in JSON"
  end
  if shape.about then
    parts[#parts + 1] = shape.about
  end
  if shape.kind == "any" then
    parts[#parts + 1] = "JSON text" .. (shape.why and ": " .. shape.why or "")
  end
  add_limits(shape, parts)
  if member.absent and not member.flag then
    parts[#parts + 1] = shape.default and "NULL: " .. shape.default or "NULL: none"
  elseif member.absent and shape.default then
    parts[#parts + 1] = "unless given: " .. shape.default
  end
  return parts
end

local function add_member(out, plan, member)
  local shape, name = member.field.shape, member.name
  local note = remark(remarks_of(member))
  if member.flag then
    out:add("bool %s;", member.flag)
  end
  if shape.kind == "array" then
    out:add("const %s*%s;%s", (plan:type_of(shape.item):gsub("^const char %*$", "char *const ")), name, note)
    out:add("size_t %s_count;", name)
  elseif shape.kind == "map" then
    out:add("const %s_entry *%s;%s", plan.by_shape[shape].name, name, note)
    out:add("size_t %s_count;", name)
  elseif member.pointer then
    out:add("const %s*%s;%s", plan:type_of(shape), name, note)
  else
    out:add("%s%s;%s", plan:type_of(shape), name, note)
  end
end

local writers = {}

function writers.enum(out, _, declaration)
  out:block(("typedef enum %s {"):format(declaration.name), function()
    for i, constant in ipairs(declaration.constants) do
      out:add("%s%s, /* %s */", constant.name, i == 1 and " = 1" or "", quote.comment(constant.value))
    end
  end, ("} %s; /* 0: not set */"):format(declaration.name))
end

function writers.struct(out, plan, declaration)
  if declaration.shape.struct and declaration.shape.struct.open then
    out:add("/* The schema allows other fields too; they cannot be given here. */")
  end
  for _, words in ipairs(declaration.shape.struct and limits.remarks(declaration.shape) or {}) do
    out:add("/* %s */", quote.comment(words))
  end
  out:block(("struct %s {"):format(declaration.name), function()
    for _, member in ipairs(declaration.members) do
      add_member(out, plan, member)
    end
    if #declaration.members == 0 then
      out:add("char unused; /* C has no empty structs */")
    end
  end, "};")
end

local function add_item_struct(out, declaration, of)
  if declaration.is_item then
    out:block(("typedef struct %s {"):format(declaration.name), function()
      out:add("%s*items;", of)
      out:add("size_t count;")
    end, ("} %s;"):format(declaration.name))
  end
end

function writers.array(out, plan, declaration)
  local of = plan:type_of(declaration.shape.item)
  add_item_struct(out, declaration, of == "const char *" and "const char *const " or "const " .. of)
  return declaration.is_item
end

local function add_entry(out, plan, declaration)
  local item = declaration.shape.item
  out:block(("struct %s_entry {"):format(declaration.name), function()
    out:add("const char *key;")
    out:add("%svalue;%s", plan:type_of(item), item.kind == "any" and " /* JSON text */" or "")
  end, "};")
end

-- An entry whose value is a struct comes last: the struct may hold the map.
local function is_late(declaration)
  return declaration.kind == "map" and declaration.shape.item.kind == "struct"
end

function writers.map(out, plan, declaration)
  if not is_late(declaration) then
    add_entry(out, plan, declaration)
  end
  add_item_struct(out, declaration, ("const %s_entry "):format(declaration.name))
end

local function add_types(out, plan)
  for _, declaration in ipairs(plan.list) do
    if declaration.kind == "struct" then
      out:add("typedef struct %s %s;", declaration.name, declaration.name)
    elseif declaration.kind == "map" then
      out:add("typedef struct %s_entry %s_entry;", declaration.name, declaration.name)
    end
  end
  for _, declaration in ipairs(plan.list) do
    if declaration.is_item or declaration.kind ~= "array" and not is_late(declaration) then
      out:add("")
      writers[declaration.kind](out, plan, declaration)
    end
  end
  for _, declaration in ipairs(plan.list) do
    if is_late(declaration) then
      out:add("")
      add_entry(out, plan, declaration)
    end
  end
end

local WIDTH = 118

-- A function's head, in lines.
local function wrap(head)
  local lines, line = {}, ""
  for part in (head .. " "):gmatch "(.-[,)]) " do
    if #line + #part > WIDTH and line ~= "" then
      lines[#lines + 1] = line
      line = "   "
    end
    line = line == "" and part or line .. " " .. part
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

--- The arguments of a task's enqueue function that say what is enqueued.
---@param task mooncrew.gen.Task
---@param base string
---@return string
function M.arguments(task, base)
  local rest = task.is_prefix and "const char *rest, " or ""
  if task.raw then
    return rest .. "const void *payload, size_t payload_size"
  elseif task.free then
    return rest .. "const char *json"
  end
  return ("%sconst %s_payload *payload"):format(rest, base)
end

--- The head of the enqueue function.
---@param task mooncrew.gen.Task
---@param base string
---@return string
function M.enqueue_head(task, base)
  return wrap(("int %s_enqueue(mooncrew_client *client, %s, const mooncrew_options *options, mooncrew_result *result, "
    .. "mooncrew_error *error)"):format(base, M.arguments(task, base)))
end

--- The head of the encode function.
---@param base string
---@return string
function M.encode_head(base)
  return wrap(("int %s_encode(const %s_payload *payload, char **out, size_t *out_size, mooncrew_error *error)"):format(
    base, base))
end

local function add_functions(out, task, base)
  out:add("")
  out:add("/* %s%s%s */", quote.comment(task.type), task.is_prefix and "*, rest is what stands for the *" or "",
    task.about and ": " .. quote.comment(task.about) or "")
  if task.raw then
    out:add("/* The payload is bytes. */")
  elseif task.free then
    out:add("/* The payload is JSON text; NULL: none. */")
  else
    out:add("%s;", M.encode_head(base))
  end
  out:add("%s;", M.enqueue_head(task, base))
end

local ESSAY = [[
/* %s
 *
 * Payloads of tasks, and how they are enqueued through libmooncrew.
 *
 * X_encode writes a payload as the canonical JSON that mooncrew itself writes: equal payloads have equal bytes, so
 * that unique tasks are recognised whoever enqueues them. Returns 0 and the text, which the caller frees, or
 * MOONCREW_EINVALID, and error (may be NULL) names the place.
 *
 * X_enqueue does the same and enqueues a task, like mooncrew_enqueue. options may be NULL; in what is given, a field
 * that is as MOONCREW_OPTIONS_INIT has it takes what the script declares for this task.
 *
 * A struct begins as {0}. has_x says that x is given; enums begin at 1. Texts are UTF-8 and end with a NUL. */]]

--- The header's text.
---@param tasks mooncrew.gen.Task[]
---@param bases string[]  the name of each
---@param plan mooncrew.gen.CPlan
---@param file string  its name, without folder
---@return string
function M.text(tasks, bases, plan, file)
  local out = text.new("  ")
  local guard = file:upper():gsub("[^%w]", "_"):gsub("^%d", "X%0")
  out:add("%s", ESSAY:format(text.NOTICE))
  out:add("#ifndef %s", guard)
  out:add("#define %s", guard)
  out:add("")
  out:add("#include <mooncrew.h>")
  out:add("#include <stdbool.h>")
  out:add("#include <stddef.h>")
  out:add("#include <stdint.h>")
  out:add("")
  out:add("#ifdef __cplusplus")
  out:add('extern "C" {')
  out:add("#endif")
  out:add("")
  add_types(out, plan)
  for i, task in ipairs(tasks) do
    add_functions(out, task, bases[i])
  end
  out:add("")
  out:add("#ifdef __cplusplus")
  out:add("}")
  out:add("#endif")
  out:add("")
  out:add("#endif")
  return out:done()
end

return M
