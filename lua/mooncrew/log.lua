-- Log lines of handlers and scripts: an event and its fields, written at once.

local host = require "mooncrew.host"
local json = require "mooncrew.json"

---@class mooncrew.Logger
---@field task mooncrew.Context|nil  whose id and type stand in every line
local Logger = {}
Logger.__index = Logger

local log = {}

-- Every line carries these already.
local RESERVED = { time = true, level = true, event = true, worker = true, task_id = true, type = true }

local function write(logger, level, message, fields)
  if type(message) ~= "string" then
    error(("log:%s: the message must be a string, got %s"):format(level, type(message)), 3)
  elseif fields ~= nil and type(fields) ~= "table" then
    error(("log:%s: the fields must be a table, got %s"):format(level, type(fields)), 3)
  end
  host.log(level, message, fields, logger.task)
end

---@param message string  what happened, in a few fixed words; what varies belongs in the fields
---@param fields table|nil
function Logger:debug(message, fields)
  write(self, "debug", message, fields)
end

---@param message string
---@param fields table|nil
function Logger:info(message, fields)
  write(self, "info", message, fields)
end

---@param message string
---@param fields table|nil
function Logger:warn(message, fields)
  write(self, "warn", message, fields)
end

---@param message string
---@param fields table|nil
function Logger:error(message, fields)
  write(self, "error", message, fields)
end

--- A logger, for a task or (nil) for none.
---@param task mooncrew.Context|nil
---@return mooncrew.Logger
function log.new(task)
  return setmetatable({ task = task }, Logger)
end

-- A key that cannot break the line it stands in, and that is not one of ours.
local function clean_key(key)
  key = tostring(key):gsub("[^%w_.-]", "_")
  return RESERVED[key] and key .. "_" or key
end

--- The message without control characters: one event is one line.
---@param message string
---@return string
function log.event(message)
  return (message:gsub("%c", " "))
end

--- The fields in the order of their keys, as add_text(key, text) for strings and add_json(key, json) for the rest.
---@param fields table|nil
---@param add_text fun(key: string, text: string)
---@param add_json fun(key: string, json: string)
function log.each_field(fields, add_text, add_json)
  local keys, values = {}, {}
  for key, value in pairs(fields or {}) do
    key = clean_key(key)
    keys[#keys + 1] = key
    values[key] = value
  end
  table.sort(keys)
  for _, key in ipairs(keys) do
    local value = values[key]
    local text = type(value) ~= "string" and json.encode(value)
    if text then
      add_json(key, text)
    else
      add_text(key, tostring(value))
    end
  end
end

return log
