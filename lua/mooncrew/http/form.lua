-- Names and values as a query or a form: {a = 1, tags = {"x", "y"}} → "a=1&tags=x&tags=y", sorted by name.

local json = require "mooncrew.json"
local url = require "mooncrew.http.url"

local M = {}

local function text_of(value)
  local kind = type(value)
  if kind == "string" then
    return value
  elseif kind == "number" or kind == "boolean" or kind == "cdata" then
    return (json.encode(value))
  end
end

--- A value as the text that is sent: strings, numbers (exact), booleans, 64-bit integers. nil for anything else.
---@type fun(value: any): string|nil
M.text = text_of

local function add(parts, name, value, space)
  local text = text_of(value)
  if not text then
    return nil, ("%s: expected string, number or boolean, got %s"):format(name, type(value))
  end
  parts[#parts + 1] = (url.escape(name) .. "=" .. url.escape(text)):gsub("%%20", space)
  return true
end

local function add_all(parts, name, values, space)
  for _, value in ipairs(values) do
    local ok, message = add(parts, name, value, space)
    if not ok then
      return nil, message
    end
  end
  return true
end

local function sorted_names(fields)
  local names = {}
  for name in pairs(fields) do
    if type(name) ~= "string" then
      return nil, ("names must be strings, not %s"):format(tostring(name))
    end
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

--- The names of a table, sorted; nil and a message when one is no string.
M.sorted_names = sorted_names

---@param fields table<string, any>  an array as a value repeats its name
---@param space "%20"|"+"  what stands for a blank
---@return string|nil text, string|nil message
function M.encode(fields, space)
  if type(fields) ~= "table" then
    return nil, "expected table, got " .. type(fields)
  end
  local names, message = sorted_names(fields)
  if not names then
    return nil, message
  end
  local parts = {}
  for _, name in ipairs(names) do
    local value = fields[name]
    local one_or_all = type(value) == "table" and add_all or add
    local ok, wrong = one_or_all(parts, name, value, space:gsub("%%", "%%%%"))
    if not ok then
      return nil, wrong
    end
  end
  return table.concat(parts, "&")
end

return M
