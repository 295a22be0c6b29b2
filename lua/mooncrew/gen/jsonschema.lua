-- mooncrew gen jsonschema: a file per task type with the JSON Schema (draft 2020-12) of its payload.

local copy = require "mooncrew.copy"
local json = require "mooncrew.json"
local names = require "mooncrew.gen.names"
local sort_keys = require "mooncrew.json.sort_keys"
local text = require "mooncrew.gen.text"

local M = { name = "jsonschema", summary = "JSON Schema files: the payload of each task type" }

local pretty -- forward: values hold values

local function pretty_items(value, indent)
  local parts = {}
  for i, item in ipairs(value) do
    parts[i] = indent .. "  " .. pretty(item, indent .. "  ")
  end
  return ("[\n%s\n%s]"):format(table.concat(parts, ",\n"), indent)
end

local function pretty_fields(value, indent)
  local keys = {}
  for key in pairs(value) do
    keys[#keys + 1] = key
  end
  for i, key in ipairs(sort_keys(keys, #keys)) do
    keys[i] = ("%s  %s: %s"):format(indent, json.encode(key), pretty(value[key], indent .. "  "))
  end
  return ("{\n%s\n%s}"):format(table.concat(keys, ",\n"), indent)
end

-- In lines; what holds no table stays on one.
pretty = function(value, indent)
  if type(value) ~= "table" then
    return assert(json.encode(value))
  elseif next(value) == nil then
    return json.is_array(value) and "[]" or "{}"
  elseif not json.is_array(value) then
    return pretty_fields(value, indent)
  end
  for _, item in ipairs(value) do
    if type(item) == "table" then
      return pretty_items(value, indent)
    end
  end
  return assert(json.encode(value))
end

local function schema_of(task)
  local schema = copy(task.schema or { ["$schema"] = "https://json-schema.org/draft/2020-12/schema" })
  schema.title = task.is_prefix and task.type .. "*" or task.type
  schema.description = schema.description or task.about
  schema["$comment"] = text.NOTICE
  return schema
end

--- Whether a file that lies there was written by this generator, perhaps for a task that is no more.
---@param name string  without folder
---@param content string
---@return boolean
function M.is_own(name, content)
  if not name:find "%.schema%.json$" then
    return false
  end
  local ok, schema = json.decode(content)
  return ok and type(schema) == "table" and schema["$comment"] == text.NOTICE
end

--- One for each type whose payload is JSON.
---@param tasks mooncrew.gen.Task[]
---@return { name: string, text: string }[]
function M.files(tasks)
  local files, scope = {}, names.scope()
  for _, task in ipairs(tasks) do
    if not task.raw then
      local name = scope:take(names.snake(task.words))
      files[#files + 1] = { name = name .. ".schema.json", text = pretty(schema_of(task), "") .. "\n" }
    end
  end
  return files
end

return M
