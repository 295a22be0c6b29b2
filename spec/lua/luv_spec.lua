-- luv as handlers get it, over the real one on a loop that the specs run, with a pretended C half.

local real = {}
for name, fn in pairs(require "luv") do
  real[name] = fn
end

describe("luv in a worker", function()
  local host, scope, strand, uv
  local blamed, logs, ready
  local saved_native = package.loaded["mooncrew.native_luv"]

  setup(function()
    package.loaded["mooncrew.native_luv"] = {
      open = function()
        local copy = {}
        for name, fn in pairs(real) do
          copy[name] = fn
        end
        return copy
      end,
      blame = function(slot)
        blamed[#blamed + 1] = slot or "nobody"
      end,
    }
    host, scope, strand = require "mooncrew.host", require "mooncrew.scope", require "mooncrew.strand"
    uv = require("mooncrew.luv").open()
  end)
  teardown(function()
    package.loaded["mooncrew.native_luv"] = saved_native
  end)

  before_each(function()
    blamed, logs, ready = {}, {}, {}
    host.use {
      ready = function(fiber)
        ready[#ready + 1] = fiber
      end,
      parked = function() end,
      log = function(_, message, fields)
        logs[#logs + 1] = { message, fields.error }
      end,
    }
  end)
  after_each(function()
    host.use()
  end)

  -- Runs a function as the task in slot 7, which goes on to wait when it returns true.
  local function in_task(body)
    local fiber = strand.fiber(function(fiber)
      if body() then
        strand.park(fiber, { finished = false })
      end
    end, error)
    fiber.slot = 7
    strand.step(fiber)
    return fiber
  end

  local function run_timers()
    for _ = 1, 5 do
      real.sleep(2)
      real.run "nowait"
    end
  end

  it("closes a task's handles at its end, and nobody else's", function()
    local loading, own, kept = uv.new_timer()
    in_task(function()
      own, kept = uv.new_tcp(), scope.keep(uv.new_pipe(false))
      uv.new_timer():close() -- by the handler itself
    end)
    assert.is_true(own:is_closing())
    assert.is_false(kept:is_closing())
    assert.is_false(loading:is_closing())
    loading:close()
    kept:close()
    run_timers()
    assert.are.same({}, logs)
  end)

  it("runs a callback on behalf of who registered it", function()
    local seen
    local fiber = in_task(function()
      uv.new_timer():start(1, 0, function(...)
        seen = { strand.acting(), strand.running() or false, select("#", ...) }
      end)
      return true
    end)
    run_timers()
    assert.are.same({ fiber, false, 0 }, seen)
    assert.are.same({ 7 }, blamed)
  end)

  it("stops the task whose callback fails, and does not log it", function()
    local fiber = in_task(function()
      uv.new_timer():start(1, 0, function()
        error("broken", 0)
      end)
      return true
    end)
    run_timers()
    assert.are.equal("FAILED", fiber.stopped)
    assert.are.equal("broken", fiber.stop_error)
    assert.are.same({ fiber }, ready)
    assert.are.same({}, logs)
  end)

  it("logs what fails when the task has ended, and blames nobody", function()
    local timer
    in_task(function()
      timer = scope.keep(uv.new_timer())
      timer:start(1, 0, function()
        uv.new_timer() -- closed at once: nobody would do it later
        error("late", 0)
      end)
    end)
    run_timers()
    assert.are.same({ { "error in a callback whose task has ended", "late" } }, logs)
    assert.are.same({ "nobody" }, blamed)
    timer:close()
    run_timers()
    assert.is_false(real.loop_alive())
  end)

  it("lets a callback keep what it has made after the task's end", function()
    local timer, kept, left
    in_task(function()
      timer = scope.keep(uv.new_timer())
      timer:start(1, 0, function()
        kept, left = scope.keep(uv.new_timer()), uv.new_timer()
      end)
    end)
    run_timers()
    assert.is_false(kept:is_closing())
    assert.is_true(left:is_closing())
    kept:close()
    timer:close()
    run_timers()
    assert.are.same({}, logs)
  end)

  it("takes callable tables as luv does", function()
    local called
    in_task(function()
      uv.new_timer():start(1, 0, setmetatable({}, { __call = function()
        called = true
      end }))
      return true
    end)
    run_timers()
    assert.is_true(called)
  end)

  it("returns what luv does, errors included", function()
    local results = { uv.fs_stat("/no/such/file") }
    assert.is_nil(results[1])
    assert.matches("ENOENT", results[2])
    assert.are.equal("ENOENT", results[3])
    assert.are.equal("file", uv.fs_stat("/etc/passwd").type)
  end)

  it("names what is taken away, and the caller's line", function()
    local ok, message = pcall(function()
      uv.run()
    end)
    assert.is_false(ok)
    assert.matches("luv_spec.lua:%d+: uv.run is taken away in a worker: the loop is the worker's", message)
  end)

  it("leaves handles their methods, also those whose names are taken away elsewhere", function()
    local ticks = 0
    local timer = uv.new_timer()
    timer:start(1, 1, function()
      ticks = ticks + 1
      timer:stop()
    end)
    run_timers()
    timer:close()
    run_timers()
    assert.are.equal(1, ticks)
    assert.are.same({}, logs)
  end)
end)
