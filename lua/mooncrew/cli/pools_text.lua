-- Named pools as text, "io: concurrency=500 cpu: workers=2 queues=image=1": made of what stands in a configuration
-- file, and read again. What is wrong in a text is refused by the runtime (runtime/config/pools.h), not here.

local queues_text = require "mooncrew.cli.queues_text"
local sorted_keys = require "mooncrew.sorted_keys"

local M = {}

-- A value as one word, as the text has it.
local function word(key, value)
  if key == "queues" and type(value) == "table" then
    local text, why = queues_text.write(value)
    return text and text:gsub("%s", ""), why
  end
  if type(value) == "number" then
    return ("%.14g"):format(value)
  end
  if type(value) == "string" or type(value) == "boolean" then
    return (tostring(value):gsub("%s", ""))
  end
  return "(" .. type(value) .. ")" -- refused by the runtime, with the key's path
end

local function write_pool(name, values)
  local parts = { name .. ":" }
  for _, key in ipairs(sorted_keys(values)) do
    if type(key) ~= "string" or key:find "[%s=:]" or key == "" then
      return nil, (".%s: [%s] has no name: write name = value"):format(name, tostring(key))
    end
    local text, why = word(key, values[key])
    if not text then
      return nil, (".%s.%s: %s"):format(name, key, why)
    end
    parts[#parts + 1] = key .. "=" .. text
  end
  return table.concat(parts, " ")
end

--- { io = { concurrency = 500 }, cpu = { workers = 2 } } → "cpu: workers=2 io: concurrency=500".
---@param value table
---@return string|nil text
---@return string? message begins with the rest of the path: ".cpu: must be …"
function M.write(value)
  local pools = {}
  for _, name in ipairs(sorted_keys(value)) do
    if type(name) ~= "string" or not name:find "^[%w_-]+$" then
      return nil, (": '%s' is no name of a pool: write pools = { cpu = { workers = 2 } }, in a-z 0-9 _ -"):format(
        tostring(name))
    end
    if type(value[name]) ~= "table" then
      return nil, (".%s: must be a table such as { workers = 2, concurrency = 1 }, not a %s"):format(name,
        type(value[name]))
    end
    local text, why = write_pool(name, value[name])
    if not text then
      return nil, why
    end
    pools[#pools + 1] = text
  end
  if #pools == 0 then
    return nil, ": must name at least one pool: { cpu = { workers = 2, concurrency = 1 } }"
  end
  return table.concat(pools, " ")
end

local READERS = {
  queues = queues_text.read,
  strict = function(text) return text == "true" end,
}

--- What each pool of a text was given: { cpu = { workers = 2, queues = { image = 1 } } }.
---@param text string
---@return table<string, table>
function M.read(text)
  local pools, name = {}, nil
  for part in text:gmatch "%S+" do
    local key, value = part:match "^([^=]*)=(.*)$"
    if not key then
      name = part:sub(1, -2)
      pools[name] = {}
    else
      pools[name][key] = (READERS[key] or tonumber)(value)
    end
  end
  return pools
end

--- The queues that any pool serves.
---@param pools string a text
---@param queues string what pools without queues of their own serve
---@return table<string, number|table>
function M.served(pools, queues)
  local served = {}
  for _, pool in pairs(M.read(pools)) do
    for name, weight in pairs(pool.queues or queues_text.read(queues)) do
      served[name] = weight
    end
  end
  return next(served) and served or queues_text.read(queues)
end

--- How many worker processes run.
---@param pools string a text
---@param workers integer of a pool that does not say
function M.workers(pools, workers)
  local total, any = 0, false
  for _, pool in pairs(M.read(pools)) do
    total, any = total + (pool.workers or workers), true
  end
  return any and total or workers
end

return M
