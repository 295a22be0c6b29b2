-- The types of generated Go, as gofmt lays them out.

local json = require "mooncrew.json"
local limits = require "mooncrew.gen.limits"

local M = {}

--- The lines of a comment.
---@param out mooncrew.gen.Text
---@param text string
function M.comment(out, text)
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    line = line:gsub("%c", " "):gsub("%s+$", "")
    out:add("%s", line == "" and "//" or "// " .. line)
  end
end

-- Lines in columns, each but the last as wide as its widest cell.
local function columns(rows)
  local widths = {}
  for _, row in ipairs(rows) do
    for i = 1, #row - 1 do
      widths[i] = math.max(widths[i] or 0, #row[i])
    end
  end
  for i, row in ipairs(rows) do
    for c = 1, #row - 1 do
      row[c] = row[c] .. (" "):rep(widths[c] - #row[c])
    end
    rows[i] = table.concat(row, " ")
  end
  return rows
end

local UNTAGGED = '`json:"-"`'

-- What a tag cannot say is left to MarshalJSON.
local function tag(field)
  local name = field.field.name
  if name == "" or name:find '[,"`\\%c\'\127]' then
    return UNTAGGED
  end
  local rest = field.absent and not field.field.required and ",omitempty" or name == "-" and "," or ""
  return ('`json:"%s%s"`'):format(name, rest)
end

local function remark(field)
  local shape, parts = field.field.shape, {}
  if tag(field) == UNTAGGED then
    parts[1] = json.encode(field.field.name) .. " in JSON"
  end
  parts[#parts + 1] = shape.about
  if shape.kind == "any" and shape.why then
    parts[#parts + 1] = "JSON text: " .. shape.why
  end
  for _, words in ipairs(limits.remarks(shape)) do
    parts[#parts + 1] = words
  end
  if shape.default then
    parts[#parts + 1] = "Unless given: " .. shape.default
  end
  return #parts > 0 and table.concat(parts, "\n") or nil
end

local function add_struct(out, plan, declaration)
  local rows, remarks = {}, {}
  for i, field in ipairs(declaration.fields) do
    rows[i] = { field.name, plan:field_type(field.field.shape, field.pointer), tag(field) }
    remarks[i] = remark(field)
  end
  if declaration.payload_of then
    M.comment(out, ("%s is the payload of %s."):format(declaration.name, declaration.payload_of))
  end
  if declaration.shape.about then
    M.comment(out, declaration.shape.about)
  end
  if declaration.shape.struct.open then
    M.comment(out, "The schema allows other fields too; they cannot be given here.")
  end
  for _, words in ipairs(limits.remarks(declaration.shape)) do
    M.comment(out, words)
  end
  if #rows == 0 then
    return out:add("type %s struct{}", declaration.name)
  end
  local spaced = next(remarks) ~= nil -- gofmt aligns what no blank line separates
  out:block(("type %s struct {"):format(declaration.name), function()
    for i, line in ipairs(spaced and rows or columns(rows)) do
      if spaced and i > 1 then
        out:add("")
      end
      if remarks[i] then
        M.comment(out, remarks[i])
      end
      out:add("%s", spaced and table.concat(line, " ") or line)
    end
  end, "}")
end

local function add_enum(out, declaration)
  local rows, names = {}, {}
  for i, constant in ipairs(declaration.constants) do
    rows[i] = { constant.name, declaration.name, "= " .. constant.value }
    names[i] = constant.name
  end
  out:add("type %s %s", declaration.name, declaration.shape.of == "string" and "string" or "int64")
  out:add("")
  out:block("const (", function()
    for _, line in ipairs(columns(rows)) do
      out:add("%s", line)
    end
  end, ")")
  out:add("")
  out:block(("func (v %s) valid() bool {"):format(declaration.name), function()
    out:add("switch v {")
    out:add("case %s:", table.concat(names, ", "))
    out:add("\treturn true")
    out:add("}")
    out:add("return false")
  end, "}")
end

--- Adds all types of a plan.
---@param out mooncrew.gen.Text
---@param plan mooncrew.gen.GoPlan
function M.add(out, plan)
  for _, declaration in ipairs(plan.list) do
    out:add("")
    if declaration.kind == "enum" then
      add_enum(out, declaration)
    else
      add_struct(out, plan, declaration)
    end
  end
end

return M
