-- The configuration file: a Lua file that returns a table.
--
-- It runs in a small environment of its own: the libraries string, table and math, and os.getenv. What it leaves as a
-- global, and any name that does not exist, is an error with its line.

local copy = require "mooncrew.copy"
local pools_text = require "mooncrew.cli.pools_text"
local queues_text = require "mooncrew.cli.queues_text"
local sorted_keys = require "mooncrew.sorted_keys"
local time_limit = require "mooncrew.time_limit"

local M = {}

local BASIC = {
  "assert", "error", "ipairs", "next", "pairs", "pcall", "select", "tonumber", "tostring", "type", "unpack",
}

local function pick(source, names)
  local result = {}
  for _, name in ipairs(names) do
    result[name] = source[name]
  end
  return result
end

local function environment()
  local names = pick(_G, BASIC)
  names.string, names.table, names.math = copy(string), copy(table), copy(math)
  names.os = { getenv = os.getenv }
  return setmetatable(names, {
    __index = function(_, name)
      error(("there is no '%s' here"):format(tostring(name)), 2)
    end,
    __newindex = function(_, name)
      error(("'%s' must stand in the table that the file returns: return { %s = … }"):format(
        tostring(name), tostring(name)), 2)
    end,
  })
end

-- How a Lua value of each type is written as text; a string is taken as it is, whatever the type.
local WRITERS = {
  integer = { number = function(value) return ("%.14g"):format(value) end },
  duration = { number = function(value) return ("%.14g"):format(value) end },
  size = { number = function(value) return ("%.14g"):format(value) end },
  boolean = { boolean = tostring },
  queues = { table = queues_text.write },
  pools = { table = pools_text.write },
}

local WANTED = {
  text = "a text", choice = "a text", integer = "a whole number", boolean = "true or false",
  duration = 'a duration such as "8s", or seconds', size = 'a size such as "256M", or bytes',
  queues = "a table of names and weights",
  pools = "a table of pools such as { cpu = { workers = 2, concurrency = 1 } }",
}

-- A message that begins with a part of the path, as those of pools do, goes on where the option's name ends.
local function join(key, message)
  return key .. (message:find "^[.:]" and "" or ": ") .. message
end

---@param option table? nil for an unknown name, which is refused elsewhere, with a hint
local function to_text(option, value)
  if type(value) == "string" then
    return value
  end
  if not option then
    return tostring(value)
  end
  local write = (WRITERS[option.type] or {})[type(value)]
  if not write then
    return nil, ("must be %s, not a %s"):format(WANTED[option.type], type(value))
  end
  return write(value)
end

-- The first line where the name stands before an equals sign; tables do not remember where a value was written.
local function line_of(source, name)
  local number = 0
  local pattern = "%f[%w_]" .. name:gsub("%W", "%%%0") .. "%f[^%w_]['\"%]]*%s*=[^=]"
  for line in (source .. "\n"):gmatch("(.-)\n") do
    number = number + 1
    if (line .. " "):gsub("%-%-.*", ""):find(pattern) then
      return number
    end
  end
end

local function read(path)
  local file, why = io.open(path, "rb")
  if not file then
    return nil, why
  end
  local source
  source, why = file:read("*a")
  file:close()
  if not source then
    return nil, ("%s: %s"):format(path, why)
  end
  return source
end

local function evaluate(path, source)
  local chunk, why = loadstring(source, "@" .. path)
  if not chunk then
    return nil, why
  end
  local ok, values = pcall(setfenv(chunk, environment()))
  if not ok then
    values = tostring(values)
    return nil, values:find(path, 1, true) == 1 and values or path .. ": " .. values
  end
  if type(values) ~= "table" then
    return nil, ("%s: must return a table: return { workers = 2, … }"):format(path)
  end
  return values
end

local LIMIT_S = 5

local function too_long(path)
  return function(place)
    return ("%s: it takes longer than %d s to read: the file is there to return a table, so it must neither loop "
      .. "without end nor wait"):format(place or path, LIMIT_S)
  end
end

-- The table that the file returns; nil, message. It does not wait for ever.
local function values_of(path)
  local source, message
  local in_time, values = time_limit.call(LIMIT_S, too_long(path), function()
    source, message = read(path)
    if not source then
      return nil
    end
    local made
    made, message = evaluate(path, source)
    return made
  end)
  if not in_time then
    return nil, values
  end
  return values, message, source
end

--- Reads the file as a layer for `mooncrew.cli.settings`.
---@param path string
---@param options table[] the table of options
---@return mooncrew.cli.Entry[]|nil layer
---@return string? message names file and, where it is known, line
function M.load(path, options)
  local values, why, source = values_of(path)
  if not values then
    return nil, why
  end
  local by_name, entries = {}, {}
  for _, option in ipairs(options) do
    by_name[option.name] = option
  end
  for _, key in ipairs(sorted_keys(values)) do
    if type(key) ~= "string" then
      return nil, ("%s: entry [%s] has no name: write name = value"):format(path, tostring(key))
    end
    local line = line_of(source, key)
    local place = line and ("%s:%d"):format(path, line) or path
    local text
    text, why = to_text(by_name[key], values[key])
    if not text then
      return nil, ("%s: %s"):format(place, join(key, why))
    end
    entries[#entries + 1] = { name = key, text = text, source = path, place = place }
  end
  return entries
end

return M
