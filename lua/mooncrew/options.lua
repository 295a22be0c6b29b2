-- The options of a task: from what people write to what the runtime takes. One table of names, each with its reader;
-- nothing else knows the names.

local copy = require "mooncrew.copy"
local duration = require "mooncrew.duration"
local native = require "mooncrew.native"
local unknown = require "mooncrew.unknown"

local pairs = native.pairs

local M = {}

---@class mooncrew.Options
---@field queue string|nil  "default" unless given
---@field max_retry integer|nil  25 unless given
---@field timeout number|string|nil  how long a handler may run; 30 min unless this or a deadline is given; 0: no limit
---@field deadline number|nil  unix seconds; a handler is stopped then
---@field unique number|string|nil  refuses the same type and payload until it is done, or for so long; 1 s at least
---@field process_at number|nil  unix seconds; excludes process_in
---@field process_in number|string|nil  from now
---@field task_id string|nil  a random UUID unless given
---@field retention number|string|nil  how long the finished task and its result are kept; 0: not at all
---@field group string|nil
---@field headers table<string, string>|nil

---@class mooncrew.NormalOptions  what the runtime takes; what is missing is asynq's default
---@field queue string|nil
---@field task_id string|nil
---@field max_retry integer|nil
---@field timeout_ms integer|nil
---@field deadline_s integer|nil
---@field unique_ms integer|nil
---@field process_at_ms integer|nil
---@field retention_ms integer|nil
---@field group string|nil
---@field headers table<string, string>|nil

local MAX_RETRY = 2147483647
local OLDEST_S = 100000000 -- 1973: what is below was meant as a duration
local NEWEST_S = 253402300799 -- the end of the year 9999: what is above was meant as milliseconds

--- The wall clock in unix milliseconds; tests may put another in its place.
M.now_ms = native.wall_ms

-- Readers: (name, value) → normal value | nil, what is wrong.

local function text(_, value)
  if type(value) ~= "string" then
    return nil, ("expected string, got %s"):format(type(value))
  elseif value == "" then
    return nil, "must not be empty"
  end
  return value
end

local function queue_name(name, value)
  local given, message = text(name, value)
  if not given then
    return nil, message
  end
  local usable, rule = native.queue_name_usable(value)
  if not usable then
    return nil, ("%q is no queue name: %s"):format(value, rule)
  end
  return value
end

local function retries(_, value)
  if type(value) ~= "number" then
    return nil, ("expected integer, got %s"):format(type(value))
  elseif not (value >= 0 and value <= MAX_RETRY and value == math.floor(value)) then
    return nil, ("must be a whole number from 0 to %d, not %s"):format(MAX_RETRY, tostring(value))
  end
  return value
end

local function milliseconds(_, value)
  local seconds, message = duration.seconds(value)
  if not seconds then
    return nil, message
  end
  return math.floor(seconds * 1000 + 0.5)
end

local function at_least_a_second(name, value)
  local ms, message = milliseconds(name, value)
  if ms and ms < 1000 then
    return nil, ("must be 1 s at least, not %s"):format(tostring(value))
  end
  return ms, message
end

local function unix_seconds(name, value)
  if type(value) ~= "number" then
    return nil, ("expected number (unix seconds), got %s"):format(type(value))
  elseif value >= 0 and value < OLDEST_S then
    local meant = name == "process_at" and "process_in" or "timeout"
    return nil, ("%s is long ago: it is unix seconds, such as os.time() + 60; did you mean '%s'?"):format(
      tostring(value), meant)
  elseif not (value >= OLDEST_S and value <= NEWEST_S) then
    return nil, ("%s is no unix time in seconds, such as os.time() + 60"):format(tostring(value))
  end
  return value
end

local function whole_unix_seconds(name, value)
  local seconds, message = unix_seconds(name, value)
  return seconds and math.ceil(seconds), message
end

local function from_unix_seconds(name, value)
  local seconds, message = unix_seconds(name, value)
  return seconds and math.ceil(seconds * 1000), message
end

local function from_now(name, value)
  local ms, message = milliseconds(name, value)
  return ms and M.now_ms() + ms, message
end

local function string_map(_, value)
  if type(value) ~= "table" then
    return nil, ("expected table, got %s"):format(type(value))
  end
  local checked = {}
  for name, content in pairs(value) do
    if type(name) ~= "string" or type(content) ~= "string" then
      return nil, ("names and values must be strings, not %s = %s"):format(tostring(name), type(content))
    end
    checked[name] = content
  end
  return checked
end

local READERS = {
  queue = { "queue", queue_name },
  task_id = { "task_id", text },
  max_retry = { "max_retry", retries },
  timeout = { "timeout_ms", milliseconds },
  deadline = { "deadline_s", whole_unix_seconds },
  unique = { "unique_ms", at_least_a_second },
  process_at = { "process_at_ms", from_unix_seconds },
  process_in = { "process_at_ms", from_now },
  retention = { "retention_ms", milliseconds },
  group = { "group", text },
  headers = { "headers", string_map },
}

--- What is said of an option that there is not.
---@param name any
---@param known table<string, any>  the keys are the names
---@return string message
function M.unknown(name, known)
  local message, meant = unknown("option", name, known)
  local names = {}
  for candidate in pairs(known) do
    names[#names + 1] = candidate
  end
  table.sort(names)
  return meant and message or message .. ": known are " .. table.concat(names, ", ")
end

--- The names of the options of a task, as keys of a new table.
---@return table<string, true>
function M.names()
  local names = {}
  for name in pairs(READERS) do
    names[name] = true
  end
  return names
end

--- Checks the options and turns them into what the runtime takes.
---@param options mooncrew.Options|nil
---@return mooncrew.NormalOptions|nil normal, string|nil message, string|nil code
function M.normalize(options)
  if options ~= nil and type(options) ~= "table" then
    error(("options: expected table, got %s"):format(type(options)), 2)
  end
  local normal = {}
  if options and options.process_at ~= nil and options.process_in ~= nil then
    return nil, "process_at and process_in are both given: leave one out", "INVALID_ARGUMENT"
  end
  for name, value in pairs(options or {}) do
    local reader = READERS[name]
    if not reader then
      return nil, M.unknown(name, READERS), "INVALID_ARGUMENT"
    end
    local read, message = reader[2](name, value)
    if read == nil then
      return nil, ("%s: %s"):format(name, message), "INVALID_ARGUMENT"
    end
    normal[reader[1]] = read
  end
  return normal
end

--- The options of a call over those of a definition: the call's win, headers are joined, and a call that says when
--- replaces whatever the definition says about it.
---@param declared mooncrew.Options|nil
---@param given mooncrew.Options|nil
---@return mooncrew.Options
function M.merge(declared, given)
  local merged = copy(declared)
  if given and (given.process_at ~= nil or given.process_in ~= nil) then
    merged.process_at, merged.process_in = nil, nil
  end
  for name, value in pairs(given or {}) do
    if name == "headers" and type(merged.headers) == "table" and type(value) == "table" then
      value = M.merge(merged.headers, value)
    end
    merged[name] = value
  end
  return merged
end

return M
