-- Several functions at once within one task: each runs in a strand of its own, and waits as a handler does.
--
-- The gather ends when all of its branches have: then it returns their results, or raises the first error. An error,
-- and likewise the end of the task's time or its being cancelled, stops the branches that still run; they unwind
-- through their own waits before the gather raises.

local async = require "mooncrew.async"
local outcome = require "mooncrew.outcome"
local strand = require "mooncrew.strand"
local trace = require "mooncrew.trace"

---@class mooncrew.Group  what one call of gather waits for
---@field parent mooncrew.Strand
---@field wait mooncrew.Wait
---@field branches table<integer, mooncrew.Strand>  those that have not ended, by place
---@field pending integer  how many these are
---@field results any[]
---@field failed boolean
---@field error any  the first

local function stop_branches(group, why, value)
  for _, branch in pairs(group.branches) do
    strand.halt(branch, why, value)
  end
end

local function fail(group, raised)
  if not group.failed then
    group.failed, group.error = true, raised.value
    trace.keep(raised.value, raised.trace)
    stop_branches(group, "CANCELLED")
  end
end

-- What the task is told goes to all of its branches; what stopped them is the error, unless there was one before.
local function pass_stop(group, why, value)
  if not group.failed then
    group.failed, group.error = true, value
  end
  stop_branches(group, why, value)
end

local function on_error(value)
  return { value = value, trace = not outcome.is(value) and trace.of(value) or nil }
end

local function perform(branch)
  if branch.stopped then -- before it began
    branch.ok, branch.result = false, { value = branch.stop_error }
  else
    branch.ok, branch.result = xpcall(branch.perform, on_error)
  end
end

local function ended(branch, lost)
  local group, place, ok, result = branch.group, branch.place, branch.ok, branch.result
  branch.group, branch.perform, branch.result = nil, nil, nil -- strands are used again
  group.branches[place] = nil
  group.pending = group.pending - 1
  if lost then
    fail(group, { value = lost })
  elseif ok then
    group.results[place] = result
  elseif type(result) == "table" then
    fail(group, result)
  else -- the error handler itself failed: no stack was left to run it
    fail(group, { value = result })
  end
  if group.pending == 0 then
    group.wait.finished = true
    strand.wake(group.parent)
  end
end

local function start(parent, functions, count)
  local group = { parent = parent, branches = {}, pending = count, results = {}, failed = false }
  group.wait = { finished = false, pass_stop = function(why, value)
    pass_stop(group, why, value)
  end }
  for place = 1, count do
    local branch = strand.branch(parent.fiber, perform, ended)
    branch.group, branch.place, branch.perform = group, place, functions[place]
    group.branches[place] = branch
  end
  return group
end

local function check_functions(functions, count)
  for i = 1, count do
    if type(functions[i]) ~= "function" then
      error(("crew.gather: %d: expected function, got %s"):format(i, type(functions[i])), 4)
    end
  end
end

local function run_all(functions, count)
  check_functions(functions, count)
  local parent = async.waiting_strand(3)
  if count == 0 then
    return {}
  end
  local group = start(parent, functions, count)
  strand.park(parent, group.wait)
  if group.failed then
    error(group.error, 0)
  end
  return group.results
end

--- Runs functions at once within the task and waits until all have ended.
---
--- `local a, b = crew.gather(f, g)` gives the first result of each, in order; a nil stays in its place.
--- `crew.gather { f, g, … }` takes a list and returns a list, whose field n is its length. A function with more to say
--- returns a table.
---
--- The first error stops the other functions, and is raised once these have unwound; so does an outcome such as
--- task:skip_retry. A function that has not begun by then is not called.
---@param ... function|function[]
---@return any ...
local function gather(...)
  local first, count = ..., select("#", ...)
  if count == 1 and type(first) == "table" then
    local results = run_all(first, #first)
    results.n = #first
    return results
  end
  local results = run_all({ ... }, count)
  return unpack(results, 1, count)
end

return gather
