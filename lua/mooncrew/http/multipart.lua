-- The parts of a multipart body: what a script gives, checked.
--
--   multipart = { title = "Report", file = { file = "/tmp/report.pdf", type = "application/pdf" } }
--   multipart = { { name = "a", content = "1" }, { name = "a", content = "2" } }        -- in this order

local form = require "mooncrew.http.form"
local unknown = require "mooncrew.unknown"

local FIELDS = { name = true, content = true, file = true, filename = true, type = true }

---@class mooncrew.http.Part
---@field name string
---@field content string|nil  its bytes, or:
---@field file string|nil  path of a file, which is read while it is sent
---@field filename string|nil  the file's own name unless given
---@field type string|nil  its content type

local function check_text(name, field, text)
  if text == nil then
    return true
  elseif type(text) ~= "string" then
    return nil, ("%s: %s: expected string, got %s"):format(name, field, type(text))
  elseif field ~= "content" and text:find("[\r\n%z]") then
    return nil, ("%s: %s has a line break or NUL"):format(name, field)
  end
  return true
end

local function check_fields(name, part)
  for field, value in pairs(part) do
    if not FIELDS[field] then
      return nil, ("%s: %s"):format(name, (unknown("field", field, FIELDS)))
    end
    local ok, message = check_text(name, field, value)
    if not ok then
      return nil, message
    end
  end
  return true
end

local function check_part(name, given)
  if type(name) ~= "string" then
    return nil, "each part of a list needs a name"
  end
  local part = {}
  for field, value in pairs(type(given) == "table" and given or { content = form.text(given) }) do
    part[field] = value
  end
  part.name = name
  local ok, message = check_fields(name, part)
  if not ok then
    return nil, message
  elseif (part.content == nil) == (part.file == nil) then
    return nil, name .. ": a part is a string, number or boolean, or a table with either content or file"
  end
  return part
end

local function from_list(list)
  local parts = {}
  for i, given in ipairs(list) do
    local part, message = check_part(type(given) == "table" and given.name or nil, given)
    if not part then
      return nil, message
    end
    parts[i] = part
  end
  return parts
end

local function from_map(map)
  local names, message = form.sorted_names(map)
  if not names then
    return nil, message
  end
  local parts = {}
  for i, name in ipairs(names) do
    parts[i], message = check_part(name, map[name])
    if not parts[i] then
      return nil, message
    end
  end
  return parts
end

--- The parts in the order they are sent.
---@param given table
---@return mooncrew.http.Part[]|nil parts, string|nil message
local function multipart(given)
  if type(given) ~= "table" or next(given) == nil then
    return nil, "expected a table with at least one part"
  end
  return (given[1] ~= nil and from_list or from_map)(given)
end

return multipart
