local crew = require "mooncrew"
local fold = require "mooncrew.fold"
local registry = require "mooncrew.registry"

describe("mooncrew.fold", function()
  before_each(registry.reset)
  after_each(registry.reset)

  local function run(fields, ...)
    local def = { group = "g", type = "folded" }
    for name, value in pairs(fields) do
      def[name] = value
    end
    local tasks = {}
    for i, bytes in ipairs { ... } do
      tasks[i] = { id = "id" .. i, type = "item", raw_payload = bytes, headers = {} }
    end
    return fold.run(crew.aggregate(def), "low", "g", tasks, {})
  end

  local function failure(fields)
    local kind, message = run(fields, "1")
    assert.are.equal("FAILED", kind)
    return message
  end

  it("gives payloads as a handler of their type would have them", function()
    crew.task("item", { payload = crew.schema.object { n = crew.schema.integer {}:default(7) }, perform = print })
    local seen
    run({ fold = function(payloads)
      seen = payloads
      return "x"
    end }, '{"n":1}', "{}")
    assert.are.same({ { n = 1 }, { n = 7 } }, seen)
  end)

  it("gives JSON, bytes that are none, and null, where no script defines the type", function()
    local seen
    run({ fold = function(payloads)
      seen = payloads
      return "x"
    end }, '{"n":1}', "plain text", "")
    assert.are.same({ { n = 1 }, "plain text", crew.null }, seen)
  end)

  it("makes the new task by the definition of its type, in the group's queue", function()
    crew.task("folded", { queue = "other", max_retry = 3, retention = "1m", perform = print,
      payload = crew.schema.object { n = crew.schema.integer {} } })
    local kind, type, bytes, options = run({ fold = function()
      return { n = 2 }, { unique = "1h", max_retry = 4 }
    end }, "1")
    assert.are.same({ "FOLDED", "folded", '{"n":2}' }, { kind, type, bytes })
    assert.are.same({ queue = "low", max_retry = 4, retention_ms = 60000, unique_ms = 3600000 }, options)
  end)

  it("lets the function say the type, and leaves its options as they were", function()
    local own = { type = "mine" }
    local kind, type, bytes, options = run({ fold = function()
      return "x", own
    end }, "1")
    assert.are.same({ "FOLDED", "mine", "x", { queue = "low" } }, { kind, type, bytes, options })
    assert.are.same({ type = "mine" }, own)
  end)

  it("does not call the function when a payload does not fit", function()
    crew.task("item", { payload = crew.schema.object { n = crew.schema.integer {} }, perform = print })
    local kind, places = run({ fold = function()
      error("it was called")
    end }, '{"n":1}', "{}", '{"n":2}', "no JSON")
    assert.are.same({ "UNFIT", { 2, 4 } }, { kind, places })
  end)

  it("fails with the function's error, its place and its traceback", function()
    local kind, text, trace = run({ fold = function()
      error("no")
    end }, "1")
    assert.are.equal("FAILED", kind)
    assert.is_truthy(text:find("fold_spec.lua:%d+: no$"), text)
    assert.is_truthy(trace:find("^stack traceback:"), trace)
    assert.is_nil(trace:find("mooncrew/fold.lua", 1, true), trace)
    registry.reset()
    assert.are.equal("told", failure { fold = function()
      error({ message = "told" })
    end })
  end)

  it("fails when what comes back is no task", function()
    local cases = {
      { "returned nothing", function() end },
      { "must be a table of options, not a number", function() return "x", 3 end },
      { 'stays in its queue, "low"', function() return "x", { queue = "high" } end },
      { "cannot go to a group", function() return "x", { group = "h" } end },
      { "payload.n", function() return { n = "x" }, { type = "typed" } end },
      { "unknown option 'max_retri'", function() return "x", { max_retri = 1 } end },
      { "payload", function() return { crew } end },
    }
    for _, case in ipairs(cases) do
      registry.reset()
      crew.task("typed", { payload = crew.schema.object { n = crew.schema.integer {} }, perform = print })
      local message = failure { fold = case[2] }
      assert.is_truthy(message:find(case[1], 1, true), message)
    end
    registry.reset()
    local _, message = fold.run(crew.aggregate { group = "g", fold = function() return "x" end }, "low", "g", {}, {})
    assert.is_truthy(message:find("has no type", 1, true), message)
  end)
end)
