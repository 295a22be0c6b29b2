-- Folding a group in a test: mooncrew.fold, in the world of a clock of its own.

local async = require "mooncrew.async"
local clocks = require "mooncrew.testing.clock"
local fold = require "mooncrew.fold"
local json = require "mooncrew.json"
local options_of = require "mooncrew.testing.options"
local registry = require "mooncrew.registry"
local rule_of = require "mooncrew.testing.rule_of"
local runs = require "mooncrew.testing.run"
local session = require "mooncrew.testing.session"
local world = require "mooncrew.testing.world"

local OPTIONS = { group = "string", queue = "string", type = "string", now = "number" }

local function bytes_of(definition, payload)
  if definition and definition.payload == "raw" then
    return type(payload) == "string" and payload or nil, "expected string (raw bytes), got " .. type(payload)
  end
  return json.encode(payload)
end

-- The tasks, or nil and what is wrong with their payloads.
local function grouped_tasks(payloads, of)
  if type(payloads) ~= "table" then
    return nil, "expected a list of payloads, got " .. type(payloads)
  end
  local tasks = {}
  for i, payload in ipairs(payloads) do
    local bytes, wrong = bytes_of(registry.find(of), payload)
    if not bytes then
      return nil, ("payload %d: %s"):format(i, wrong)
    end
    tasks[i] = { id = ("grouped-%d"):format(i), type = of, raw_payload = bytes, headers = {} }
  end
  return tasks
end

local function fill(run, kind, first, second, options)
  run.outcome, run.now = kind:lower(), run.clock.now
  if kind == "FOLDED" then
    local ok, payload = json.decode(second)
    run.type, run.raw_payload, run.options = first, second, options
    run.payload = ok and payload or second
  elseif kind == "UNFIT" then
    run.unfit = first
  else
    run.error, run.trace = first, second
  end
end

-- The rule that is meant, and the group.
local function resolve(rule, options)
  if type(rule) == "string" then
    local found, wrong = rule_of(rule, options.queue)
    return found, rule, options.group and "the group is said twice" or wrong
  elseif type(rule) ~= "table" or type(rule.fold) ~= "function" then
    return nil, nil, ("expected a group or what crew.aggregate returned, got %s"):format(type(rule))
  end
  return rule, options.group or (rule.pattern:gsub("%*$", "some"))
end

local function begin(run, rule, queue, group, tasks)
  local fiber = runs.fiber_for(run, function(fiber)
    fill(run, fold.run(rule, queue, group, tasks, fiber))
  end, function(fiber, message)
    fill(run, runs.lost_as(run, fiber), message)
  end)
  if rule.timeout > 0 then
    run.clock:timer_start(rule.timeout, function()
      async.stop(fiber, "TIMED_OUT")
    end, true)
  end
  async.step(fiber)
  runs.to_end(run)
end

---@class mooncrew.testing.Fold
---@field outcome "folded"|"unfit"|"failed"|"timed_out"|"killed"
---@field type string|nil  of the new task
---@field payload any  of the new task, as its JSON says, or its bytes
---@field raw_payload string|nil
---@field options table|nil  of the new task, normalized
---@field unfit integer[]|nil  the places of payloads that do not fit the definition of their type
---@field error string|nil
---@field trace string|nil
---@field enqueued mooncrew.testing.Task[]
---@field logs table[]
---@field now number  the clock at the end, unix seconds

--- Folds as a worker would. Waiting takes no time.
---@param rule mooncrew.GroupRule|string  what crew.aggregate returned, or a group that a loaded script has a rule for
---@param payloads any[]  of the group's tasks
---@param options table|nil  group and queue ("default"), type of the grouped tasks ("grouped"), now
---@return mooncrew.testing.Fold
return function(rule, payloads, options)
  options = options_of.check(options, OPTIONS, "fold", 2)
  local group, wrong
  rule, group, wrong = resolve(rule, options)
  local tasks
  if not wrong then
    tasks, wrong = grouped_tasks(payloads, options.type or "grouped")
  end
  if wrong then
    error("testing.fold: " .. wrong, 2)
  end
  local queue = options.queue or rule.queue or "default"
  local run = runs.new(clocks.new(options.now))
  session.last = run
  local ok, message = world.enter(run.clock, function()
    begin(run, rule, queue, group, tasks)
  end)
  if not ok then
    error(message, 2)
  end
  return run
end
