-- The coroutines of tasks, on a host whose ready queue the specs step themselves. What waits in them stands in
-- async_spec.lua and gather_spec.lua.

local host = require "mooncrew.host"
local strand = require "mooncrew.strand"

describe("a strand", function()
  local ready

  before_each(function()
    ready = {}
    host.use {
      ready = function(fiber)
        ready[#ready + 1] = fiber
      end,
      parked = function() end,
    }
  end)
  after_each(function()
    host.use()
  end)

  local function park()
    strand.park(strand.running(), { finished = false })
  end

  -- Begins a fiber with this many branches that note their number and park; returns it, the branches and the notes.
  local function with_branches(count)
    local branches, notes = {}, {}
    local fiber = strand.fiber(function(fiber)
      for i = 1, count do
        branches[i] = strand.branch(fiber, function()
          notes[#notes + 1] = i
          park()
          notes[#notes + 1] = -i
        end, function() end)
      end
      park()
    end, error)
    strand.step(fiber)
    return fiber, branches, notes
  end

  it("runs in one step with the others of its fiber that are ready", function()
    local fiber, branches, notes = with_branches(3)
    assert.are.same({ 1, 2, 3 }, notes)
    strand.wake(branches[3])
    strand.wake(branches[1])
    assert.are.same({ fiber }, ready, "the host is told once")
    strand.step(fiber)
    assert.are.same({ 1, 2, 3, -3, -1 }, notes)
    strand.wake(branches[2])
    assert.are.same({ fiber, fiber }, ready)
  end)

  it("leaves other tasks their turn when its fiber has many", function()
    local fiber, _, notes = with_branches(1000)
    assert.is_true(#notes < 100)
    local steps = 1
    while #ready > 0 do
      assert.are.equal(fiber, table.remove(ready))
      strand.step(fiber)
      steps = steps + 1
    end
    assert.are.equal(1000, #notes)
    assert.is_true(steps > 10)
  end)

  it("does nothing in a step that comes without need", function()
    local fiber, _, notes = with_branches(2)
    strand.step(fiber)
    assert.are.same({ 1, 2 }, notes)
  end)

  it("runs for its fiber, of which it is a part", function()
    local seen = {}
    local fiber = strand.fiber(function(fiber)
      strand.branch(fiber, function(self)
        seen.running, seen.acting, seen.fiber = strand.running() == self, strand.acting(), self.fiber
      end, function() end)
      park()
    end, error)
    strand.step(fiber)
    assert.are.same({ running = true, acting = fiber, fiber = fiber }, seen)
    assert.is_nil(strand.running())
    assert.is_nil(strand.acting())
  end)

  it("cancels its wait on its fiber's behalf, when nothing runs", function()
    local seen
    local fiber = strand.fiber(function(fiber)
      strand.park(fiber, { finished = false, cancel = function()
        seen = { running = strand.running() or false, acting = strand.acting() }
      end })
    end, error)
    strand.step(fiber)
    strand.stop(fiber, "CANCELLED")
    assert.are.same({ running = false, acting = fiber }, seen)
  end)
end)
