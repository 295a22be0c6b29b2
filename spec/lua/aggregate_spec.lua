local crew = require "mooncrew"
local registry = require "mooncrew.registry"

describe("crew.aggregate", function()
  before_each(registry.reset)
  after_each(registry.reset)

  local function refused(def)
    local ok, message = pcall(crew.aggregate, def)
    assert.is_false(ok)
    return message
  end

  local function rule(fields)
    local def = { group = "g", fold = print }
    for name, value in pairs(fields) do
      def[name] = value
    end
    return def
  end

  it("registers a rule, with durations in whole seconds", function()
    local made = crew.aggregate { queue = "low", group = "mail:*", grace_period = "1500ms", max_delay = "1m",
      max_size = 20, timeout = "250ms", type = "digest", fold = print }
    assert.are.same({ made }, registry.rules())
    assert.are.equal(made, registry.find_rule("low", "mail:*"))
    assert.is_nil(registry.find_rule("", "mail:*"))
    assert.are.same({ "mail:*", 2, 60, 20, 0.25, "digest" },
      { made.pattern, made.grace_period, made.max_delay, made.max_size, made.timeout, made.type })
    assert.is_truthy(made.source:find("aggregate_spec.lua:%d+$"), made.source)
  end)

  it("has defaults like asynq's", function()
    local made = crew.aggregate(rule {})
    assert.are.same({ 60, 60 }, { made.grace_period, made.timeout })
    assert.is_nil(made.max_delay)
    assert.is_nil(made.max_size)
    assert.is_nil(made.queue)
  end)

  it("takes a definition for the type", function()
    local digest = crew.task("digest", { perform = print })
    assert.are.equal("digest", crew.aggregate(rule { type = digest }).type)
  end)

  it("refuses mistakes, at the line that makes them", function()
    for field, wrong in pairs { max_size = 0, grace_period = "500ms", max_delay = "soon", fold = "x", queue = " ",
      timeout = -1, group = "a*b", type = "\255" } do
      local message = refused(rule { [field] = wrong })
      assert.is_truthy(message:find("crew.aggregate: " .. field, 1, true), message)
    end
    assert.is_truthy(refused(rule { max_size = 10001 }):find("from 1 to 10000", 1, true))
    assert.is_truthy(refused(rule { max_sise = 1 }):find("unknown field 'max_sise', did you mean 'max_size'?", 1, true))
    assert.is_truthy(refused("x"):find("expected table, got string", 1, true))
    local ok, message = pcall(function()
      crew.aggregate { group = "g" }
    end)
    assert.is_false(ok)
    assert.is_truthy(message:find("aggregate_spec.lua:%d+: crew.aggregate: fold: expected function, got nil"), message)
  end)

  it("refuses a pattern that is taken in the queue, and names both places", function()
    crew.aggregate(rule {})
    crew.aggregate(rule { queue = "low" })
    local message = refused(rule {})
    assert.is_truthy(message:find('"g" is registered twice: at .*aggregate_spec.lua:%d+ and at '), message)
    refused(rule { queue = "low" })
  end)
end)
