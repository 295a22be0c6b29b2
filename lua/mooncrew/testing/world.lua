-- The world in which handlers under test run: while it is entered, the library's seams lead to the clock of the test
-- and to the lists of its runs, instead of to a worker. Outside of it everything is as it always is.

local distribute = require "mooncrew.distribute"
local enqueue_options = require "mooncrew.options"
local host = require "mooncrew.host"
local patience = require "mooncrew.testing.patience"
local process = require "mooncrew.testing.process"
local queue = require "mooncrew.testing.queue"
local strand = require "mooncrew.strand"
local stubs = require "mooncrew.testing.stubs"

local world = {}

-- What a worker would be to the library: mooncrew.Host.
local function host_of(clock)
  return {
    now = function()
      return clock.now
    end,
    timer_start = function(...)
      return clock:timer_start(...)
    end,
    timer_stop = function(...)
      return clock:timer_stop(...)
    end,
    log = function(level, message, fields, task)
      local logs = clock:run_of(task).logs
      logs[#logs + 1] = { level = level, message = message, fields = fields or {} }
    end,
    progress = function(task, fraction, text)
      local progress = clock:run_of(task).progress
      progress[#progress + 1] = { fraction = fraction, text = text, at = clock.now }
    end,
    ready = function(fiber)
      clock.ready[#clock.ready + 1] = fiber
    end,
    parked = function(fiber)
      local run = clock.owners[fiber]
      if run then
        run.asked = 0
      end
    end,
    refused = patience.refused,
    stopped = function(fiber)
      local run = clock.owners[fiber]
      return run and run.jumps and patience.asked(run) and run:reach_limit() or nil
    end,
  }
end

local function enqueue_to(clock)
  return function(type, bytes, options)
    local task, message, code = clock.queue:accept(type, bytes, options, clock.now)
    if not task then
      return nil, message, code
    end
    local enqueued = clock:run_of().enqueued
    enqueued[#enqueued + 1] = task
    return queue.info(task)
  end
end

-- Leads the seams to the clock; returns what leads them back.
local function install(clock)
  local backend, now_ms = distribute.backend, enqueue_options.now_ms
  local unstub, unguard = stubs.install(clock), strand.guard_yield()
  process.clock = clock
  host.use(host_of(clock))
  distribute.backend = enqueue_to(clock)
  enqueue_options.now_ms = function()
    return clock.now * 1000
  end
  return function()
    distribute.backend, enqueue_options.now_ms = backend, now_ms
    host.use()
    process.clock = nil
    unstub()
    unguard()
  end
end

--- Calls a function in the world of this clock.
---@param clock mooncrew.testing.Clock
---@param begin fun()
---@return boolean ok, any message
function world.enter(clock, begin)
  if process.clock then
    return false, "a handler under test cannot itself use mooncrew.testing to run something"
  end
  local leave, unwatch = install(clock), patience.watch(clock)
  local ok, message = pcall(begin)
  unwatch()
  leave()
  return ok, message
end

return world
