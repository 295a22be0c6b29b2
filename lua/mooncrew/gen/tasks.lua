-- What the generators know of each registered task.

local names = require "mooncrew.gen.names"
local options = require "mooncrew.options"
local read_shape = require("mooncrew.gen.shape").read

---@class mooncrew.gen.Task
---@field type string  the task type, or what it begins with
---@field is_prefix boolean
---@field words string[]  of its name
---@field about string|nil
---@field options mooncrew.NormalOptions  that the definition declares
---@field raw boolean  the payload is bytes
---@field free boolean  there is no schema: any JSON, or nothing
---@field optional boolean  the payload may be missing altogether
---@field shape mooncrew.gen.Shape|nil  nil: raw or free
---@field schema table|nil  JSON Schema
---@field source string  "file:line"

local function task_of(definition)
  local is_prefix = definition.type:sub(-1) == "*"
  local words = names.words(definition.type)
  if is_prefix or #words == 0 then
    words[#words + 1] = is_prefix and "any" or "task"
  end
  local schema = definition.payload and definition:json_schema()
  local shape = schema and read_shape(schema, definition.payload.kind ~= "shape")
  return {
    type = is_prefix and definition.type:sub(1, -2) or definition.type, is_prefix = is_prefix, words = words,
    about = definition.description, options = assert(options.normalize(definition.options)),
    raw = definition.payload == "raw", free = definition.payload == nil, shape = shape, schema = schema,
    optional = shape ~= nil and definition.payload.is_optional == true, source = definition.source,
  }
end

--- One for each definition, in their order.
---@param definitions mooncrew.Definition[]
---@return mooncrew.gen.Task[]
return function(definitions)
  local tasks = {}
  for i, definition in ipairs(definitions) do
    tasks[i] = task_of(definition)
  end
  return tasks
end
