-- Testing handlers: load a script, perform its task with a payload, see what became of it. No Redis, no worker, and a
-- clock that moves only when the handler waits, at once; so it runs in plain busted, on LuaJIT: busted --lua=luajit.
--
--   local testing = require "mooncrew.testing"
--   local definition = testing.load("scripts/send_verify_email.lua")
--   local run = testing.perform(definition, { username = "ada" })
--   assert.are.equal("done", run.outcome, run.error)
--
-- testing.fold does the same with a rule for groups.

if not rawget(_G, "jit") then -- plain Lua 5.1 cannot wait inside of pcall, as handlers do
  error("mooncrew.testing needs LuaJIT: run `busted --lua=luajit`", 0)
end

local async = require "mooncrew.async"
local context = require "mooncrew.context"
local cron = require "mooncrew.cron"
local distribute = require "mooncrew.distribute"
local duration = require "mooncrew.duration"
local enqueue_options = require "mooncrew.options"
local execute = require "mooncrew.execute"
local fold = require "mooncrew.fold"
local host = require "mooncrew.host"
local json = require "mooncrew.json"
local place = require "mooncrew.place"
local registry = require "mooncrew.registry"

local testing = {}

-- ---- loading ----

local own_modules = {} -- what scripts required that stands beside them: forgotten at the next load

local function search_folder(folder)
  for name in pairs(own_modules) do
    package.loaded[name] = nil
  end
  own_modules = {}
  return function(name)
    local path = package.searchpath(name, folder .. "/?.lua;" .. folder .. "/?/init.lua")
    if path then
      own_modules[name] = true
      return assert(loadfile(path))
    end
  end
end

local search = search_folder(".")
table.insert(package.loaders, 2, function(name)
  return search(name)
end)

--- Loads a script into an empty registry; raises when it does not load.
---@param path string
---@param folder string|nil  where the modules stand that it requires; the script's own folder unless given
---@return any definition  what the script returned
function testing.load(path, folder)
  registry.reset()
  search = search_folder(folder or path:match("^(.*)/[^/]*$") or ".")
  local chunk, message = loadfile(path)
  if not chunk then
    error(message, 2)
  end
  local loaded, result = place.run(path, chunk, function(raised)
    return raised
  end, path)
  if not loaded then
    error(result, 0)
  end
  local ok, wrong = cron.resolve()
  if not ok then
    error(wrong, 0)
  end
  return result
end

-- ---- the pretended host ----

---@class mooncrew.testing.World
---@field now number
---@field timers table[]  {id, at, callback}
---@field ready mooncrew.Fiber[]
---@field logs table[]
---@field enqueued table[]
local World = {}
World.__index = World

function World:timer_start(seconds, callback)
  self.last_timer = self.last_timer + 1
  self.timers[#self.timers + 1] = { id = self.last_timer, at = self.now + seconds, callback = callback }
  return self.last_timer
end

function World:timer_stop(id)
  for i, timer in ipairs(self.timers) do
    if timer.id == id then
      table.remove(self.timers, i)
      return
    end
  end
end

-- Takes the timer that ends first (of several, the one that was started first) out, and moves the clock there.
function World:pass_time()
  local first
  for i, timer in ipairs(self.timers) do
    if not first or timer.at < self.timers[first].at then
      first = i
    end
  end
  if not first then
    error("the handler waits for something that never happens in mooncrew.testing", 0)
  end
  local timer = table.remove(self.timers, first)
  self.now = math.max(self.now, timer.at)
  timer.callback()
end

function World:enqueue(type, bytes, options)
  local id = options.task_id or ("enqueued-%d"):format(#self.enqueued + 1)
  local ok, payload = json.decode(bytes)
  self.enqueued[#self.enqueued + 1] = { id = id, type = type, payload = ok and payload or bytes, raw_payload = bytes,
    options = options }
  local later = options.process_at_ms and options.process_at_ms > self.now * 1000
  return { id = id, type = type, queue = options.queue or "default",
    state = later and "scheduled" or options.group and "aggregating" or "pending",
    process_at = later and math.ceil(options.process_at_ms / 1000) or nil }
end

function World:host()
  return {
    now = function()
      return self.now
    end,
    timer_start = function(...)
      return self:timer_start(...)
    end,
    timer_stop = function(...)
      return self:timer_stop(...)
    end,
    log = function(level, message, fields)
      self.logs[#self.logs + 1] = { level = level, message = message, fields = fields or {} }
    end,
    ready = function(fiber)
      self.ready[#self.ready + 1] = fiber
    end,
    parked = function() end,
  }
end

local function world_new(now)
  return setmetatable({ now = now, timers = {}, last_timer = 0, ready = {}, logs = {}, enqueued = {} }, World)
end

-- ---- performing ----

local PERFORM_OPTIONS = { id = "string", type = "string", queue = "string", retried = "number", max_retry = "number",
  headers = "table", now = "number", raw_payload = "string", timeout = "duration", cancel_after = "duration" }

local FOLD_OPTIONS = { group = "string", queue = "string", type = "string", now = "number" }

local function check_options(options, known, caller)
  for name, value in pairs(options) do
    local wanted = known[name]
    if not wanted then
      error(("testing.%s: unknown option '%s'"):format(caller, tostring(name)), 3)
    elseif wanted ~= "duration" and type(value) ~= wanted then
      error(("testing.%s: %s: expected %s, got %s"):format(caller, name, wanted, type(value)), 3)
    end
  end
end

-- The bytes as a producer without our schema would send them, so that a payload that does not fit arrives too.
local function bytes_of(definition, payload, options)
  if options.raw_payload then
    return options.raw_payload
  elseif payload == nil then
    return ""
  elseif definition.payload == "raw" then
    return payload
  end
  return assert(json.encode(payload))
end

local function seconds_of(value)
  return value and assert(duration.seconds(value))
end

local function task_of(fiber, definition, payload, options, deadline)
  return context.new {
    id = options.id or "task-1",
    type = options.type or definition.type,
    queue = options.queue or definition.options.queue or "default",
    retried = options.retried or 0,
    max_retry = options.max_retry or definition.options.max_retry or 25,
    headers = options.headers,
    deadline = deadline,
    raw_payload = bytes_of(definition, payload, options),
    fiber = fiber,
  }
end

local function stop_after(world, fiber, seconds, why)
  if seconds then
    world:timer_start(seconds, function()
      async.stop(fiber, why)
    end)
  end
end

-- Steps the fiber whenever it is ready and lets time pass when it is not, until it has ended.
local function run_to_end(world, fiber, run)
  async.step(fiber)
  while not run.outcome do
    if #world.ready > 0 then
      async.step(table.remove(world.ready, 1))
    else
      world:pass_time()
    end
  end
end

local function fill(run, kind, text, trace, delay, is_json)
  run.outcome, run.trace, run.delay = kind:lower(), trace, delay
  if kind ~= "DONE" then
    run.error = text
  elseif is_json then
    run.result = select(2, assert(json.decode(text, nil, "result")))
  else
    run.result = text
  end
end

local function start(world, definition, payload, options, run)
  local fiber = async.fiber(function(fiber)
    fill(run, execute.run(fiber.task, fiber))
  end, function(fiber, message)
    fill(run, fiber.stopped or "FAILED", message)
  end)
  local timeout = seconds_of(options.timeout or definition.options.timeout)
  fiber.task = task_of(fiber, definition, payload, options, timeout and timeout > 0 and world.now + timeout or nil)
  stop_after(world, fiber, timeout ~= 0 and timeout or nil, "TIMED_OUT")
  stop_after(world, fiber, seconds_of(options.cancel_after), "CANCELLED")
  run_to_end(world, fiber, run)
end

-- Runs begin(world, run) in a world of its own; an error of it blames whoever called our caller.
local function in_world(now, begin)
  local world = world_new(now or os.time())
  local run = { enqueued = world.enqueued, logs = world.logs }
  local backend, now_ms = distribute.backend, enqueue_options.now_ms
  host.use(world:host())
  distribute.backend = function(...)
    return world:enqueue(...)
  end
  enqueue_options.now_ms = function()
    return world.now * 1000
  end
  local ok, message = pcall(begin, world, run)
  distribute.backend, enqueue_options.now_ms = backend, now_ms
  host.use()
  if not ok then
    error(message, 3)
  end
  run.now = world.now
  return run
end

---@class mooncrew.testing.Run
---@field outcome "done"|"failed"|"timed_out"|"cancelled"|"skip_retry"|"invalid"|"revoked"|"snoozed"|"retry_in"
---@field result any  what a reader of the stored result gets: a string, or what its JSON says
---@field error string|nil  the error or the reason, when it is not done
---@field trace string|nil  where it failed
---@field delay number|nil  seconds until the next run, when the handler or the task's retry function said so
---@field enqueued table[]  {id, type, payload, raw_payload, options}, in order
---@field logs table[]  {level, message, fields}, in order
---@field now number  the clock at the end, unix seconds

--- Performs a task as a worker would: payload checks, middleware, time-out and all. Waiting takes no time.
---@param definition mooncrew.Definition
---@param payload any  what a producer sends; it need not fit
---@param options table|nil  id, type (for a prefix), queue, retried, max_retry, headers, now, timeout, cancel_after,
---  raw_payload (bytes, instead of the payload)
---@return mooncrew.testing.Run
function testing.perform(definition, payload, options)
  options = options or {}
  check_options(options, PERFORM_OPTIONS, "perform")
  return in_world(options.now, function(world, run)
    start(world, definition, payload, options, run)
  end)
end

-- ---- folding ----

local function grouped_tasks(payloads, type)
  local tasks = {}
  for i, payload in ipairs(payloads) do
    local definition = registry.find(type)
    local bytes = definition and definition.payload == "raw" and payload or assert(json.encode(payload))
    tasks[i] = { id = ("grouped-%d"):format(i), type = type, raw_payload = bytes, headers = {} }
  end
  return tasks
end

local function fill_fold(run, kind, first, second, options)
  run.outcome = kind:lower()
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

local function group_of(rule, options)
  return options.group or (rule.pattern:gsub("%*$", "some"))
end

---@class mooncrew.testing.Fold
---@field outcome "folded"|"unfit"|"failed"|"timed_out"
---@field type string|nil  of the new task
---@field payload any  of the new task, as its JSON says, or its bytes
---@field raw_payload string|nil
---@field options table|nil  of the new task, normalized
---@field unfit integer[]|nil  the places of payloads that do not fit the definition of their type
---@field error string|nil
---@field trace string|nil
---@field enqueued table[]
---@field logs table[]
---@field now number  the clock at the end, unix seconds

--- Folds as a worker would. Waiting takes no time.
---@param rule mooncrew.GroupRule  what crew.aggregate returned
---@param payloads any[]  of the group's tasks
---@param options table|nil  group and queue ("default"), type of the grouped tasks ("grouped"), now
---@return mooncrew.testing.Fold
function testing.fold(rule, payloads, options)
  options = options or {}
  check_options(options, FOLD_OPTIONS, "fold")
  local queue = options.queue or rule.queue or "default"
  local tasks = grouped_tasks(payloads, options.type or "grouped")
  return in_world(options.now, function(world, run)
    local fiber = async.fiber(function(fiber)
      fill_fold(run, fold.run(rule, queue, group_of(rule, options), tasks, fiber))
    end, function(fiber, message)
      fill_fold(run, fiber.stopped or "FAILED", message)
    end)
    stop_after(world, fiber, rule.timeout > 0 and rule.timeout or nil, "TIMED_OUT")
    run_to_end(world, fiber, run)
  end)
end

return testing
