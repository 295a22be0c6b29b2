-- The queues to serve as text, "critical=6,tenant:*=1/archive_max_age=7d": made of what stands in a configuration file,
-- and read again. What is wrong in a text is refused by the runtime (runtime/config/queues.h), not here.

local M = {}

-- { weight = 6, archive_max_age = "7d" } → 6, "/archive_max_age=7d"; 6 → 6, ""
local function queue_settings(name, value)
  if type(value) ~= "table" then
    return value, ""
  end
  local names, parts = {}, {}
  for key, setting in pairs(value) do
    if type(key) ~= "string" or (type(setting) ~= "string" and type(setting) ~= "number") then
      return nil, ("queue '%s' must be a weight or a table such as { weight = 6, archive_max_age = \"7d\" }"):format(
        name)
    end
    names[#names + 1] = key ~= "weight" and key or nil
  end
  table.sort(names)
  for i, key in ipairs(names) do
    parts[i] = ("/%s=%s"):format(key, type(value[key]) == "number" and ("%.14g"):format(value[key]) or value[key])
  end
  return value.weight or 1, table.concat(parts)
end

--- { critical = 6, default = 3 } or { "critical", "default" } → "critical=6,default=3", the heaviest first.
---@param value table
---@return string|nil text
---@return string? message
function M.write(value)
  local queues = {}
  for key, weight in pairs(value) do
    if type(key) == "number" then
      key, weight = weight, 1
    end
    if type(key) ~= "string" then
      return nil, 'must be a table such as { critical = 6, default = 3 } or { "critical", "default" }'
    end
    local rest
    weight, rest = queue_settings(key, weight)
    if not weight then
      return nil, rest
    end
    if type(weight) ~= "number" then
      return nil, ("the weight of queue '%s' must be a whole number"):format(key)
    end
    queues[#queues + 1] = { name = key, weight = weight, rest = rest }
  end
  table.sort(queues, function(a, b)
    return a.weight > b.weight or (a.weight == b.weight and a.name < b.name)
  end)
  local parts = {}
  for i, queue in ipairs(queues) do
    parts[i] = ("%s=%.14g%s"):format(queue.name, queue.weight, queue.rest)
  end
  if #parts == 0 then
    return nil, "must name at least one queue"
  end
  return table.concat(parts, ",")
end

local function trim(text)
  return text:match("^%s*(.-)%s*$")
end

--- What each queue of a text is: its weight, or, with settings of its own, { weight = 6, archive_max_age = "7d" }.
---@param text string
---@return table<string, number|table>
function M.read(text)
  local queues = {}
  for part in text:gmatch("[^,]+") do
    local name, rest = part:match("^([^=]*)=(.*)$")
    local weight = rest and rest:match("^%s*(%d+)")
    local settings, any = { weight = tonumber(weight) or 1 }, false
    for key, value in (rest or ""):gmatch("/([^=/]+)=([^/]*)") do
      settings[trim(key)], any = trim(value), true
    end
    queues[trim(name or part)] = any and settings or settings.weight
  end
  return queues
end

--- Whether one of the queues of a text, or a pattern there, has this name.
---@param queues table<string, any> what read gave
---@param name string
function M.serves(queues, name)
  for served in pairs(queues) do
    if served == name or (served:sub(-1) == "*" and name:sub(1, #served - 1) == served:sub(1, -2)) then
      return true
    end
  end
  return false
end

return M
