-- Performing what a run has enqueued, and what that enqueues in turn.

local options_of = require "mooncrew.testing.options"
local perform_enqueued = require("mooncrew.testing.perform").perform_enqueued
local process = require "mooncrew.testing.process"
local runs = require "mooncrew.testing.run"
local session = require "mooncrew.testing.session"

local TASK_LIMIT = 1000 -- beyond, tasks enqueue each other for ever

local OPTIONS = { scheduled = "boolean", recursive = "boolean" }

-- Whether it is its turn. A task of a group waits until the group is folded; a clock of the test's own must have come
-- to the task's moment, a clock that jumps goes there if it is asked to.
local function is_due(parent, task, options)
  local at_ms = task.options.process_at_ms
  if task.run or task.options.group then
    return false
  elseif not at_ms or at_ms <= parent.clock.now * 1000 then
    return true
  end
  return parent.jumps and options.scheduled or false
end

local function perform(parent, task)
  local clock = parent.clock
  if parent.jumps and task.options.process_at_ms then
    clock.now = math.max(clock.now, math.ceil(task.options.process_at_ms / 1000))
  end
  task.run = perform_enqueued(parent, task, 3)
  if task.run.state == "completed" or task.run.state == "revoked" then
    clock.queue:release(task)
  end
  return task.run
end

local function add_due(waiting, run, options)
  for _, task in ipairs(run.enqueued) do
    if is_due(run, task, options) then
      waiting[#waiting + 1] = { parent = run, task = task }
    end
  end
end

-- The one whose moment comes first, of several the one that was enqueued first.
local function take_first(waiting)
  local first
  for i, entry in ipairs(waiting) do
    local at = entry.task.options.process_at_ms or 0
    if not first or at < (waiting[first].task.options.process_at_ms or 0) then
      first = i
    end
  end
  return first and table.remove(waiting, first)
end

--- Performs what a run has enqueued and what that enqueues in turn, each task once: a task that fails is not tried
--- again. What is scheduled for later is left, unless options.scheduled asks for it; on a clock of the test's own, what
--- has become due is performed. task.run is the run of each.
---@param run mooncrew.testing.Run
---@param options table|nil  scheduled (false unless given), recursive (true unless given)
---@return mooncrew.testing.Run[] runs  in the order in which they were performed
return function(run, options)
  if not runs.is(run) then
    error(("testing.drain: expected what testing.perform returned, got %s"):format(type(run)), 2)
  elseif process.clock then
    error("testing.drain: tasks are performed by the test, not by a handler", 2)
  end
  options = options_of.check(options, OPTIONS, "drain", 2)
  local waiting, performed = {}, {}
  add_due(waiting, run, options)
  for entry in take_first, waiting do
    if #performed == TASK_LIMIT then
      error(("testing.drain: after %d tasks there are still more: they enqueue each other"):format(TASK_LIMIT), 2)
    end
    local done = perform(entry.parent, entry.task)
    performed[#performed + 1] = done
    if options.recursive ~= false then
      add_due(waiting, done, options)
    end
  end
  session.last = run -- what assertions mean
  return performed
end
