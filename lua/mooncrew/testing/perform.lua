-- Performing a task: what the test asks for, checked, and made into a run (mooncrew.testing.run).

local clocks = require "mooncrew.testing.clock"
local context = require "mooncrew.context"
local duration = require "mooncrew.duration"
local json = require "mooncrew.json"
local options_of = require "mooncrew.testing.options"
local patience = require "mooncrew.testing.patience"
local registry = require "mooncrew.registry"
local runs = require "mooncrew.testing.run"
local session = require "mooncrew.testing.session"
local stubs = require "mooncrew.testing.stubs"
local world = require "mooncrew.testing.world"

local M = {}

local OPTIONS = { id = "string", type = "string", queue = "string", retried = "count", max_retry = "count",
  headers = "strings", now = "number", raw_payload = "string", timeout = "duration", cancel_after = "duration",
  give_up_after = "limit", clock = "any" }
for _, name in ipairs(stubs.names()) do
  OPTIONS[name] = "any"
end

-- The definition, and the type that is to be performed.
local function resolve(definition, options, caller, level)
  if type(definition) == "table" and type(definition.perform) == "function" then
    return definition, options.type or definition.type
  elseif type(definition) ~= "string" then
    error(("testing.%s: expected a task type or a definition, got %s"):format(caller, type(definition)), level + 1)
  end
  local found = registry.find(definition)
  if not found then
    error(('testing.%s: no script that is loaded registers "%s": load it with testing.load or testing.load_all'):format(
      caller, definition), level + 1)
  end
  return found, options.type or definition
end

local function check(options, caller, level)
  options = options_of.check(options, OPTIONS, caller, level + 1)
  if options.clock ~= nil and not clocks.is(options.clock) then
    error(("testing.%s: clock: expected what testing.clock returns"):format(caller), level + 1)
  elseif options.clock and options.now then
    error(("testing.%s: now and clock are both given: leave one out"):format(caller), level + 1)
  end
  for _, name in ipairs(stubs.names()) do
    local wrong = options[name] ~= nil and stubs.wrong(name, options[name])
    if wrong then
      error(("testing.%s: %s: %s"):format(caller, name, wrong), level + 1)
    end
  end
  return options
end

-- The bytes as a producer without our schema would send them, so that a payload that does not fit arrives too.
local function bytes_of(definition, payload, options)
  if options.raw_payload then
    return payload == nil and options.raw_payload or nil, "the payload and raw_payload are both given: leave one out"
  elseif payload == nil then
    return ""
  elseif definition.payload == "raw" then
    return type(payload) == "string" and payload or nil, "payload: expected string (raw bytes), got " .. type(payload)
  end
  return json.encode(payload)
end

local function task_of(definition, type, bytes, options)
  return context.new {
    id = options.id or "task-1",
    type = type,
    queue = options.queue or definition.options.queue or "default",
    retried = options.retried or 0,
    max_retry = options.max_retry or definition.options.max_retry or 25,
    headers = options.headers,
    raw_payload = bytes,
  }
end

local function own_stubs(options)
  local own = {}
  for _, name in ipairs(stubs.names()) do
    own[name] = options[name]
  end
  return own
end

local function seconds_of(value)
  return value and assert(duration.seconds(value))
end

-- Seconds; nil for none.
local function timeout_of(definition, options)
  local seconds = seconds_of(options.timeout or definition.options.timeout)
  return seconds ~= 0 and seconds or nil
end

-- Runs that share a clock are waited for as long as the most patient of them says.
local function be_patient(clock, value)
  if value == nil then
    return
  end
  local seconds, before = patience.read(value), clock.give_up_after
  if before ~= false then
    clock.give_up_after = seconds and before and math.max(seconds, before) or seconds
  end
end

-- level: whom an error blames, as in error().
local function start(definition, payload, options, caller, jumps, level)
  options = check(options, caller, level)
  local type_name
  definition, type_name = resolve(definition, options, caller, level)
  local bytes, wrong = bytes_of(definition, payload, options)
  if not bytes then
    error(("testing.%s: %s"):format(caller, wrong), level)
  end
  local task = task_of(definition, type_name, bytes, options)
  local run = runs.new(options.clock or clocks.new(options.now), own_stubs(options))
  run.task, run.jumps, run.source, session.last = task, jumps, definition.source, run
  be_patient(run.clock, options.give_up_after)
  local ok, message = world.enter(run.clock, function()
    runs.begin(run, task, timeout_of(definition, options), seconds_of(options.cancel_after))
    if jumps then
      runs.to_end(run)
    else
      run.clock:turn()
    end
  end)
  if not ok then
    error(message, level)
  end
  return run
end

--- Performs a task as a worker would: payload checks, middleware, time-out and all. Without a clock, waiting takes no
--- time, and the run has ended when this returns; with one, as testing.start.
---@param definition mooncrew.Definition|string  what crew.task returned, or a type that a loaded script registers
---@param payload any  what a producer sends; it need not fit
---@param options table|nil  id, type (for a prefix), queue, retried, max_retry, headers, now (unix seconds) or clock,
---  timeout, cancel_after, give_up_after (real time until a handler that does not end is killed; 5 s), raw_payload
---  (bytes, instead of the payload); stubs of its own: http, mail, exec …
---@return mooncrew.testing.Run
function M.perform(definition, payload, options)
  local jumps = type(options) ~= "table" or options.clock == nil
  local run = start(definition, payload, options, "perform", jumps, 3)
  return run
end

--- Starts a task, and runs it until it waits for a later moment. It goes on when the test moves its clock.
---@param definition mooncrew.Definition|string
---@param payload any
---@param options table|nil  as for testing.perform; without a clock it gets a new one, run.clock
---@return mooncrew.testing.Run
function M.start(definition, payload, options)
  local run = start(definition, payload, options, "start", false, 3)
  return run
end

-- Until its time-out or its deadline, whichever comes first; seconds.
local function time_left(normal, now)
  local timeout = normal.timeout_ms and normal.timeout_ms / 1000
  local left = normal.deadline_s and math.max(normal.deadline_s - now, 0.001)
  return left and timeout and timeout > 0 and math.min(left, timeout) or left or timeout
end

--- Performs a task that a run has enqueued, on the clock of that run and with its stubs.
---@param parent mooncrew.testing.Run
---@param task mooncrew.testing.Task
---@param level integer  whom an error blames, 1 being the function that calls this
---@return mooncrew.testing.Run
function M.perform_enqueued(parent, task, level)
  local normal = task.options
  local options = { id = task.id, queue = task.queue, max_retry = normal.max_retry, headers = normal.headers,
    raw_payload = task.raw_payload, timeout = time_left(normal, parent.clock.now), clock = parent.clock }
  for name, stub in pairs(parent.stubs) do
    options[name] = stub
  end
  local run = start(task.type, nil, options, "drain", parent.jumps, level + 2)
  return run
end

return M
