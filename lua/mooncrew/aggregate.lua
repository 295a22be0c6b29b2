-- crew.aggregate: registers how the tasks of a group become one task.

local duration = require "mooncrew.duration"
local native = require "mooncrew.native"
local place = require "mooncrew.place"
local registry = require "mooncrew.registry"
local unknown = require "mooncrew.unknown"

---@class mooncrew.GroupRule
---@field queue string|nil  nil: in any queue
---@field pattern string  a group's name, or a prefix that ends in "*"
---@field grace_period integer  seconds
---@field max_delay integer|nil  seconds
---@field max_size integer|nil
---@field timeout number  seconds; 0: none
---@field type string|nil  of the folded task, unless the fold function says another one
---@field fold fun(payloads: any[], group: string, tasks: mooncrew.GroupedTask[]): any, table|nil
---@field source string  "file:line"

local DEFAULT_GRACE, DEFAULT_TIMEOUT = "1m", "1m"
local MOST_TASKS = 10000 -- MC_FOLD_TASKS in runtime/protocol/fold.h

-- Readers: value → what the rule keeps (nil where it may be missing) | nil, what is wrong.

local function text(value)
  if type(value) ~= "string" or not value:find("%S") then
    return nil, "must be a string that is not blank"
  elseif value:find("%z") or not native.utf8_valid(value) then
    return nil, "must be valid UTF-8 without NUL"
  end
  return value
end

local function optional_text(value)
  if value == nil then
    return nil
  end
  return text(value)
end

local function pattern(value)
  local read, wrong = text(value)
  if read and read:find("*", 1, true) and not read:find("^[^*]*%*$") then
    return nil, ('"%s": "*" stands for the rest of a name, so it can only end it'):format(read)
  end
  return read, wrong
end

-- Times in a group are whole seconds in Redis.
local function whole_seconds(value)
  local seconds, wrong = duration.seconds(value)
  if seconds and seconds < 1 then
    return nil, ("must be 1 s at least, not %s"):format(tostring(value))
  end
  return seconds and math.ceil(seconds), wrong
end

local function grace(value)
  return whole_seconds(value == nil and DEFAULT_GRACE or value)
end

local function delay(value)
  if value == nil then
    return nil
  end
  return whole_seconds(value)
end

local function size(value)
  if value == nil then
    return nil
  elseif type(value) ~= "number" or value ~= math.floor(value) or value < 1 or value > MOST_TASKS then
    return nil, ("must be a whole number from 1 to %d, not %s"):format(MOST_TASKS, tostring(value))
  end
  return value
end

local function timeout(value)
  return duration.seconds(value == nil and DEFAULT_TIMEOUT or value)
end

local function task_type(value)
  return optional_text(type(value) == "table" and value.type or value)
end

local function fold_function(value)
  if type(value) ~= "function" then
    return nil, ("expected function, got %s"):format(type(value))
  end
  return value
end

-- name given, name kept, reader; in the order in which they are checked
local READERS = {
  { "group", "pattern", pattern }, { "queue", "queue", optional_text }, { "grace_period", "grace_period", grace },
  { "max_delay", "max_delay", delay }, { "max_size", "max_size", size }, { "timeout", "timeout", timeout },
  { "type", "type", task_type }, { "fold", "fold", fold_function },
}

local FIELDS = {}
for _, reader in ipairs(READERS) do
  FIELDS[reader[1]] = true
end

local function build(def)
  for field in pairs(def) do
    if not FIELDS[field] then
      return nil, (unknown("field", field, FIELDS))
    end
  end
  local rule = {}
  for _, reader in ipairs(READERS) do
    local value, wrong = reader[3](def[reader[1]])
    if wrong then
      return nil, ("%s: %s"):format(reader[1], wrong)
    end
    rule[reader[2]] = value
  end
  return rule
end

--- Registers how a group's tasks become one task. A group is due when it has `max_size` tasks, when its oldest task is
--- older than `max_delay`, or when its newest is older than `grace_period` (1 min unless given; 1 s at least). Then up
--- to `max_size` tasks, the oldest first, are given to `fold(payloads, group, tasks)`, which returns the payload of the
--- task that replaces them, and maybe its options (with `type`, if the rule names none). If it fails, the tasks stay in
--- their group and it is tried again, ever more slowly.
---
--- `payloads` are decoded as a handler of each task's type would have them; `tasks` say of each `id`, `type`, `headers`
--- and `raw_payload`. The new task goes to the group's queue. `fold` may wait, up to `timeout` (1 min unless given). It
--- may run again for the same tasks, so it should do nothing but fold.
---
--- Mistakes raise, and so does a pattern that is taken in this queue.
---@param def table  queue group grace_period max_delay max_size timeout type fold
---@return mooncrew.GroupRule
local function aggregate(def)
  if type(def) ~= "table" then
    error(("crew.aggregate: expected table, got %s"):format(type(def)), 2)
  end
  local rule, wrong = build(def)
  if not rule then
    error("crew.aggregate: " .. wrong, 2)
  end
  rule.source = place.of_caller(2)
  local ok, taken = registry.add_rule(rule)
  if not ok then
    error(taken, 2)
  end
  return rule
end

return aggregate
