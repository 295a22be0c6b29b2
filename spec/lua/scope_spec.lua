local host = require "mooncrew.host"
local scope = require "mooncrew.scope"
local strand = require "mooncrew.strand"

describe("a scope", function()
  local logs

  before_each(function()
    logs = {}
    host.use { log = function(_, _, fields)
      logs[#logs + 1] = fields.error
    end }
  end)
  after_each(function()
    host.use()
  end)

  -- Runs a function as a task's; returns what was released when it had ended.
  local function released_after(body)
    local released = {}
    strand.step(strand.fiber(function(fiber)
      body(scope.of(fiber), function(thing)
        released[#released + 1] = thing
      end)
      assert.are.same({}, released)
    end, error))
    return released
  end

  it("releases what it holds when its task ends", function()
    assert.are.same({ "a" }, released_after(function(of, release)
      of:hold("a", release)
      of:hold("b", release)
      of:drop("b")
    end))
  end)

  it("does not keep alive what it holds weakly", function()
    local kept = { name = "kept" }
    assert.are.same({ kept }, released_after(function(of, release)
      of:hold_weakly(kept, release)
      of:hold_weakly({ name = "forgotten" }, release)
      local dropped = {}
      of:hold_weakly(dropped, release)
      assert.is_true(of:holds(dropped))
      of:drop(dropped)
      assert.is_false(of:holds(dropped))
      collectgarbage()
      collectgarbage()
    end))
  end)

  it("lets stay what is kept", function()
    assert.are.same({ "a" }, released_after(function(of, release)
      of:hold("a", release)
      of:hold("b", release)
      assert.are.equal("b", scope.keep("b"))
    end))
    assert.are.equal("c", scope.keep("c"), "outside of any task")
  end)

  it("releases the rest when releasing one thing fails", function()
    local released = released_after(function(of, release)
      of:hold("a", function() error("stuck", 0) end)
      of:hold("b", release)
    end)
    assert.are.same({ "b" }, released)
    assert.are.same({ "stuck" }, logs)
  end)

  it("also ends when the task's coroutine is lost", function()
    local released, lost
    strand.step(strand.fiber(function(fiber)
      scope.of(fiber):hold("a", function(thing)
        released = thing
      end)
      coroutine.yield()
    end, function(_, message)
      lost = message
    end))
    assert.matches("coroutine.yield", lost)
    assert.are.equal("a", released)
  end)

  it("is another one for the next task of the same fiber", function()
    local scopes = {}
    for i = 1, 2 do
      strand.step(strand.fiber(function(fiber)
        scopes[i] = scope.of(fiber)
      end, error))
    end
    assert.are_not.equal(scopes[1], scopes[2])
    assert.is_true(scopes[1].ended)
  end)
end)
