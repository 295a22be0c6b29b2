-- Handlers that do not come to their end: the kit ends them.

local crew = require "mooncrew"
local registry = require "mooncrew.registry"
local testing = require "mooncrew.testing"

local HERE = debug.getinfo(1, "S").short_src

describe("a handler that does not end", function()
  before_each(registry.reset)
  after_each(function()
    registry.reset()
    testing.give_up_after(5)
  end)

  local defined = 0

  local function define(perform, fields)
    fields = fields or {}
    fields.perform = perform
    defined = defined + 1
    return crew.task("t" .. defined, fields)
  end

  local function perform(handler, options, fields)
    options = options or {}
    if options.give_up_after == nil then
      options.give_up_after = 0.3
    end
    return testing.perform(define(handler, fields), nil, options)
  end

  local function gives_up(handler, fields)
    local run = perform(handler, nil, fields)
    assert.are.equal("killed", run.outcome, run.error)
    assert.are.equal("retry", run.state)
    assert.is_truthy(run.error:find("^the handler did not come to its end within 0.3 s of real time, and its worker "
      .. "would be killed in the end; it was at " .. HERE .. ":%d+%. "), run.error)
    return run
  end

  it("is killed where it loops, and the error names file and line", function()
    gives_up(function() while true do end end)
    local run = perform(function()
      while true do
        pcall(function() while true do end end)
      end
    end, { retried = 25 })
    assert.are.same({ "killed", "archived" }, { run.outcome, run.state })
    assert.failed(run, "give_up_after")
  end)

  it("is killed whatever it loops in", function()
    gives_up(function() while true do crew.json.encode { a = 1 } end end)
    gives_up(function() coroutine.wrap(function() while true do end end)() end)
    gives_up(function() crew.gather(function() while true do end end, function() crew.sleep(1) end) end)
    gives_up(function() while true do pcall(crew.gather, function() while true do end end) end end)
    gives_up(function() error "boom" end, { retry = function() while true do end end })
    gives_up(function() os.execute "sleep 100" return 1 end)
  end)

  it("is killed when it waits again and again for ever", function()
    local run = gives_up(function() while true do crew.sleep "1h" end end)
    assert.is_true(run.now > os.time() + 3600)
  end)

  it("is not killed for what takes long on the clock of the test only", function()
    local run = perform(function()
      for _ = 1, 100 do crew.sleep "1d" end
      return "over"
    end)
    assert.done(run, "over")
  end)

  it("is told to stop at once, if it asks", function()
    local function compute(_, task)
      while not task:cancelled() do end
      return "heard"
    end
    assert.done(perform(compute, { timeout = "10m", give_up_after = 30 }), "heard")
    local run = perform(compute, { cancel_after = "10m", timeout = "1h", now = 1000, give_up_after = 30 })
    assert.are.same({ "heard", 1600 }, { run.result, run.now })
    run = perform(function(_, task)
      while not task:cancelled() do end
      crew.sleep(1)
    end, { timeout = 1, give_up_after = 30 })
    assert.are.equal("timed_out", run.outcome)
  end)

  it("is told how time passes, where it asks in vain", function()
    local run = gives_up(function(_, task) while not task:cancelled() do end end)
    assert.is_truthy(run.error:find("It asks task:cancelled%(%), which says so only when time passes"), run.error)
  end)

  it("and catches the errors of its waits is killed as after kill_grace", function()
    local function stubborn()
      while true do pcall(crew.sleep, 1) end
    end
    local run = perform(stubborn, { timeout = "1m", give_up_after = false })
    assert.are.same({ "killed", "retry" }, { run.outcome, run.state })
    assert.is_truthy(run.error:find("^context deadline exceeded: the handler went on at " .. HERE .. ":%d+, and its "
      .. "worker would be killed after kill_grace"), run.error)
    run = perform(function()
      while true do pcall(crew.gather, stubborn, stubborn) end
    end, { cancel_after = "1m", give_up_after = false })
    assert.is_truthy(run.error:find("^context canceled: the handler went on at .* killed after kill_grace"), run.error)
  end)

  it("may still try to wait a few times when it was told to stop", function()
    local run = perform(function()
      for _ = 1, 100 do pcall(crew.sleep, 1) end
      return "cleaned up"
    end, { timeout = 10 })
    assert.done(run, "cleaned up")
  end)

  it("leaves the other runs of its clock alone", function()
    local clock = testing.clock()
    local function options()
      return { clock = clock, give_up_after = 0.3 }
    end
    local hog = define(function() crew.sleep(10) while true do end end)
    local good = crew.task("good", { perform = function() crew.sleep(5) crew.sleep(10) return "good" end })
    local first, second, third = testing.start(hog, nil, options()), testing.start(good, nil, options()),
      testing.start(hog, nil, options())
    clock:advance(60)
    assert.are.same({ "killed", "done", "killed" }, { first.outcome, second.outcome, third.outcome })
  end)

  it("in a fold or in a function of crew.on_start is killed too", function()
    testing.give_up_after(0.3)
    local rule = crew.aggregate { group = "g", type = "t", fold = function() while true do end end }
    local fold = testing.fold(rule, { 1 })
    assert.are.equal("killed", fold.outcome)
    assert.is_truthy(fold.error:find(HERE .. ":%d+"), fold.error)
    crew.on_start(function() while true do end end)
    local run = testing.start_worker()
    assert.are.equal("failed", run.outcome)
    assert.is_truthy(run.error:find(HERE .. ":%d+"), run.error)
  end)

  it("can be given more time, or all that it takes", function()
    local function busy()
      local till = os.clock() + 0.5
      while os.clock() < till do end
      return "over"
    end
    testing.give_up_after "100ms"
    assert.are.equal("killed", testing.perform(define(busy)).outcome)
    assert.done(testing.perform(define(busy), nil, { give_up_after = false }), "over")
    assert.done(testing.perform(define(busy), nil, { give_up_after = "1m" }), "over")
    testing.give_up_after(false)
    assert.done(testing.perform(define(busy)), "over")
    local compiles = testing.perform(define(function() return jit.status() end))
    assert.done(compiles, true)
    assert.has_error(function() testing.give_up_after(-1) end)
    assert.has_error(function() testing.perform(define(busy), nil, { give_up_after = 0 }) end)
  end)

  it("or a script that does not, is ended when it is loaded", function()
    testing.give_up_after(0.3)
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write "local a = 1\nwhile true do end\n"
    file:close()
    local ok, message = pcall(testing.load, path)
    os.remove(path)
    assert.is_false(ok)
    assert.are.equal(path .. ":2: it takes longer than 0.3 s to load: while a script is loaded it must neither loop "
      .. "without end nor wait for anything; testing.give_up_after allows more", message)
  end)
end)
