local crew = require "mooncrew"
local registry = require "mooncrew.registry"
local testing = require "mooncrew.testing"

describe("testing.fold", function()
  before_each(registry.reset)
  after_each(registry.reset)

  it("tells the new task", function()
    local function fold(payloads, group, tasks)
      crew.sleep(5)
      return { n = #payloads, first = payloads[1], group = group, last = tasks[#tasks].id }, { process_in = 60 }
    end
    local rule = crew.aggregate { group = "mail:*", queue = "low", type = "digest", fold = fold }
    local run = testing.fold(rule, { "a", { b = 1 } }, { group = "mail:ada", now = 1700000000 })
    assert.are.equal("folded", run.outcome, run.error)
    assert.are.equal("digest", run.type)
    assert.are.same({ n = 2, first = "a", group = "mail:ada", last = "grouped-2" }, run.payload)
    assert.are.same({ queue = "low", process_at_ms = 1700000065000 }, run.options)
    assert.are.equal(1700000005, run.now)
  end)

  it("tells why there is none", function()
    crew.task("item", { payload = crew.schema.object { n = crew.schema.integer {} }, perform = print })
    local slow = crew.aggregate { group = "a", type = "digest", timeout = 1, fold = function()
      crew.sleep(2)
    end }
    assert.are.equal("timed_out", testing.fold(slow, { 1 }).outcome)
    local broken = crew.aggregate { group = "b", type = "digest", fold = function()
      error("no")
    end }
    local run = testing.fold(broken, { 1 })
    assert.are.equal("failed", run.outcome)
    assert.is_truthy(run.error:find("fold_spec.lua:%d+: no$"), run.error)
    assert.are.same({ 2 }, testing.fold(broken, { { n = 1 }, { n = "x" } }, { type = "item" }).unfit)
    assert.is_false(pcall(testing.fold, broken, {}, { grup = "x" }))
  end)
end)
