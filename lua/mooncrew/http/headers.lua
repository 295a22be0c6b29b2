-- Header fields: what a script gives, checked; what goes out, as lines; what came in, as a table.
--
-- Inside, names are in lower case, and a value is a string or, where the field stands several times, a list of them.

local form = require "mooncrew.http.form"

local M = {}

-- What libcurl writes itself, by the body: another value would let a request be taken for two.
local OWN = { ["content-length"] = true, ["transfer-encoding"] = true }

--- Whether a text can be a header's name or a method (a token of RFC 9110).
---@param text any
---@return boolean
function M.is_token(text)
  return type(text) == "string" and text:find("^[%w!#$%%&'*+.^_`|~-]+$") ~= nil
end

--- A header's value, or what is wrong with it.
---@param name string
---@param value any
---@return string|nil value, string|nil message
function M.check_value(name, value)
  if type(value) ~= "string" then
    value = type(value) == "number" and form.text(value)
  end
  if not value then
    return nil, name .. ": expected string or finite number"
  end
  if value:find("[\r\n%z]") then
    return nil, ("%s: its value has a line break or NUL, which would begin another header"):format(name)
  end
  return value
end

local function check_values(name, values)
  local checked = {}
  for i, value in ipairs(values) do
    local text, message = M.check_value(name, value)
    if not text then
      return nil, message
    end
    checked[i] = text
  end
  return checked
end

--- A script's headers with their names in lower case.
---@param given table<string, string|number|string[]>
---@return table|nil headers, string|nil message
function M.check(given)
  if type(given) ~= "table" then
    return nil, "expected table, got " .. type(given)
  end
  local headers = {}
  for name, value in pairs(given) do
    if not M.is_token(name) then
      return nil, ("%q is no name of a header"):format(tostring(name))
    elseif OWN[name:lower()] then
      return nil, name .. " follows from the body and cannot be set"
    elseif headers[name:lower()] then
      return nil, name .. " is given twice, in different case: of a header that stands several times give a list"
    end
    local check = type(value) == "table" and check_values or M.check_value
    local checked, message = check(name, value)
    if not checked then
      return nil, message
    end
    headers[name:lower()] = checked
  end
  return headers
end

-- "content-type" → "Content-Type"
local function spell(name)
  return (name:gsub("%f[%w]%l", string.upper))
end

-- curl leaves a header without a value out, unless it ends in a semicolon.
local function line(name, value)
  return value:find("%S") and ("%s: %s"):format(spell(name), value) or spell(name) .. ";"
end

--- The lines that curl takes, sorted by name.
---@param headers table<string, string|string[]>
---@return string[]
function M.lines(headers)
  local lines = {}
  for name, value in pairs(headers) do
    for _, one in ipairs(type(value) == "table" and value or { value }) do
      lines[#lines + 1] = line(name, one)
    end
  end
  table.sort(lines)
  return lines
end

local function add(headers, name, value)
  local before = headers[name]
  if before == nil then
    headers[name] = value
  elseif type(before) == "table" then
    before[#before + 1] = value
  else
    headers[name] = { before, value }
  end
end

--- What came in, from the text of a whole head. A line that begins with a blank goes on with the one before.
---@param head string
---@return table<string, string|string[]>
function M.parse(head)
  local headers = {}
  for text in head:gsub("\r?\n[ \t]+", " "):gmatch("[^\r\n]+") do
    local name, value = text:match("^([^:%s]+):[ \t]*(.-)[ \t]*$")
    if name then
      add(headers, name:lower(), value)
    end
  end
  return headers
end

return M
