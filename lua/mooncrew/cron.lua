-- crew.cron: tasks that are enqueued again and again, at the ticks of a schedule.
--
-- An entry is checked in two steps: its schedule and its own options where it is declared, its payload and the options
-- of its task once all scripts are loaded, since a task may be defined after the entry that enqueues it.

local distribute = require "mooncrew.distribute"
local duration = require "mooncrew.duration"
local native = require "mooncrew.native"
local options_of = require "mooncrew.options"
local place = require "mooncrew.place"
local registry = require "mooncrew.registry"

local M = {}

---@class mooncrew.CronOptions: mooncrew.Options  those of the task; process_at and deadline make no sense here
---@field timezone string|nil  whose clocks are meant: "Europe/Paris", "Local" (the host's); UTC unless given
---@field missed "skip"|"latest"|nil  what becomes of ticks that nobody could enqueue within 30 s (see below)
---@field id string|nil  the entry's name: letters, digits, "_", "-", "."; made of all the rest unless given

-- `missed`: with "skip" (the default) nothing becomes of them; with "latest" the last one is enqueued late.
--
-- `id`: with a name of its own an entry keeps its history when its task changes, and nodes that run different versions
-- of it during a roll-out enqueue a tick once between them.

---@class mooncrew.CronEntry
---@field spec string  with its time zone
---@field source string  "file:line"
---@field missed "skip"|"latest"
---@field id string|nil
---@field process_in_ms integer|nil
---@field type string|nil  this and the next two: once resolved
---@field payload string|nil
---@field options mooncrew.NormalOptions|nil

-- Readers of an entry's own options: value → normal value | nil, what is wrong.
local OWN = {}

function OWN.timezone(value)
  if type(value) ~= "string" or value == "" then
    return nil, 'expected the name of a time zone, such as "Europe/Paris"'
  end
  return value
end

function OWN.missed(value)
  if value ~= "skip" and value ~= "latest" then
    return nil, ('expected "skip" or "latest", got %s'):format(tostring(value))
  end
  return value
end

function OWN.id(value)
  if type(value) ~= "string" or #value > 64 or not value:find "^[%w_.-]+$" then
    return nil, 'expected a name of up to 64 letters, digits, "_", "-" and "."'
  end
  return value
end

function OWN.process_in(value)
  local seconds, message = duration.seconds(value)
  return seconds and math.floor(seconds * 1000 + 0.5), message
end

function OWN.process_at()
  return nil, "a moment that is the same for all ticks: use process_in"
end

function OWN.deadline()
  return nil, "a moment that is the same for all ticks: use timeout"
end

-- Those that an entry may have: of its own, and of its task.
local KNOWN = options_of.names()
for name in pairs(OWN) do
  KNOWN[name] = true
end
KNOWN.process_at, KNOWN.deadline = nil, nil

local function split_options(options)
  local own, rest = {}, {}
  for name, value in pairs(options or {}) do
    if OWN[name] then
      local read, message = OWN[name](value)
      if read == nil then
        return nil, ("%s: %s"):format(name, message)
      end
      own[name] = read
    elseif not KNOWN[name] then
      return nil, options_of.unknown(name, KNOWN)
    else
      rest[name] = value
    end
  end
  return own, rest
end

local function zoned(spec, timezone)
  if not timezone then
    return spec
  elseif spec:find "^CRON_TZ=" or spec:find "^TZ=" then
    return nil, ("timezone: '%s' names one already: leave one out"):format(spec)
  end
  return ("CRON_TZ=%s %s"):format(timezone, spec)
end

local function check_spec(spec)
  local tick, message = native.cron_next(spec, options_of.now_ms() / 1000)
  if tick == nil then
    return nil, message
  elseif not tick then
    return nil, ("'%s' never comes: there is no such day within five years"):format(spec)
  end
  return true
end

local function build(spec, options)
  local own, rest = split_options(options)
  if not own then
    return nil, rest
  end
  local whole, message = zoned(spec, own.timezone)
  if not whole then
    return nil, message
  end
  local ok
  ok, message = check_spec(whole)
  if not ok then
    return nil, message
  end
  return { spec = whole, missed = own.missed or "skip", id = own.id, process_in_ms = own.process_in }, rest
end

local function is_type(target)
  if type(target) == "table" then
    target = type(target.encode) == "function" and target.type
  end
  return type(target) == "string" and target ~= "" and target:sub(-1) ~= "*"
end

--- Declares that a task is enqueued at every tick of a schedule: once per tick, however many nodes have the entry.
---
--- The schedule is cron's five fields (minute, hour, day of month, month, day of week), "@daily" and such, or
--- "@every 90s", in UTC unless a time zone is given, as the option or before it ("CRON_TZ=Europe/Paris 0 3 * * *"). The
--- ticks of @every are the multiples of the interval since 1970. When clocks are changed, a time of day that is skipped
--- has no tick that day, and one that comes twice has two.
---
--- Mistakes raise; those in the payload are found once all scripts are loaded.
---@param spec string
---@param target string|mooncrew.Definition  what to enqueue: one type, no pattern
---@param payload any
---@param options mooncrew.CronOptions|nil
function M.declare(spec, target, payload, options)
  if type(spec) ~= "string" then
    error(("crew.cron: the schedule must be a string, got %s"):format(type(spec)), 2)
  elseif not is_type(target) then
    error("crew.cron: the second argument must be one task type (a string, no pattern) or a definition", 2)
  elseif options ~= nil and type(options) ~= "table" then
    error(("crew.cron: options: expected table, got %s"):format(type(options)), 2)
  end
  local entry, rest = build(spec, options)
  if not entry then
    error("crew.cron: " .. rest, 2)
  end
  entry.source = place.of_caller(2)
  entry.task = { target = target, payload = payload, options = rest }
  table.insert(registry.cron, entry)
end

local function describe(value)
  if type(value) ~= "table" then
    return type(value) .. #tostring(value) .. ":" .. tostring(value)
  end
  local parts = {}
  for name, inner in pairs(value) do
    parts[#parts + 1] = describe(name) .. describe(inner)
  end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

-- Two entries of the same identity would share their ticks, so that one of them never did anything.
local function identity(entry)
  return entry.id or describe { entry.spec, entry.type, entry.payload, entry.options, entry.process_in_ms or 0 }
end

local function resolve(entry)
  local task = entry.task
  local name, bytes, normal = distribute.prepare(task.target, task.payload, task.options)
  if not name then
    return nil, ("%s: crew.cron: %s"):format(entry.source, bytes)
  end
  entry.type, entry.payload, entry.options, entry.task = name, bytes, normal, nil
  return true
end

--- Checks and encodes what the entries enqueue, now that all tasks are known.
---@return true|nil
---@return string? message  begins with file and line
function M.resolve()
  local places = {}
  for _, entry in ipairs(registry.cron) do
    local ok, message = true, nil
    if entry.task then
      ok, message = resolve(entry)
    end
    if not ok then
      return nil, message
    end
    local key = identity(entry)
    if places[key] then
      return nil, ("%s: crew.cron: the same entry stands at %s: leave one out, or give each an id of its own"):format(
        entry.source, places[key])
    end
    places[key] = entry.source
  end
  return true
end

return M
