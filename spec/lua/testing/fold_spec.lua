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

  local function rules_of(...)
    for _, rule in ipairs { ... } do
      local name = rule[1]
      crew.aggregate { group = rule[1], queue = rule[2], type = "digest", fold = function(payloads, group)
        return { rule = name, queue = rule[2], group = group, n = #payloads }
      end }
    end
  end

  it("finds the rule of a group as the runtime does", function()
    rules_of({ "*" }, { "mail:*" }, { "mail:a*" }, { "mail:*", "low" }, { "mail:ada" })
    local function chosen(group, queue)
      return testing.fold(group, { 1 }, { queue = queue }).payload
    end
    assert.are.same({ rule = "mail:ada", group = "mail:ada", n = 1 }, chosen("mail:ada"))
    assert.are.same({ rule = "mail:a*", group = "mail:ann", n = 1 }, chosen("mail:ann"))
    assert.are.same({ rule = "mail:*", queue = "low", group = "mail:bob", n = 1 }, chosen("mail:bob"))
    assert.are.same({ rule = "mail:*", group = "mail:bob", n = 1 }, chosen("mail:bob", "high"))
    assert.are.same({ rule = "*", group = "mai", n = 1 }, chosen("mai"))
  end)

  it("blames the test for payloads that are none", function()
    local rule = crew.aggregate { group = "g", type = "sum", fold = function() return 1 end }
    for _, wrong in ipairs {
      { 5, "testing.fold: expected a list of payloads, got number" },
      { { 1, print }, "testing.fold: payload 2: payload: a function cannot be written as JSON" },
    } do
      local ok, message = pcall(function() testing.fold(rule, wrong[1]) end)
      assert.is_false(ok)
      assert.matches("fold_spec.lua:%d+: " .. wrong[2]:gsub("%p", "%%%0") .. "$", message)
    end
  end)

  it("says why a group has no rule", function()
    rules_of({ "mail:*", "low" }, { "mail:*", "high" })
    local function refusal(...)
      return select(2, pcall(testing.fold, ...))
    end
    assert.is_truthy(refusal("post", {}):find('no script that is loaded has a rule for the group "post"', 1, true))
    assert.is_truthy(refusal("mail:a", {}, { queue = "other" }):find('in the queue "other"', 1, true))
    assert.is_truthy(refusal("mail:a", {}):find('has a rule in several queues, at .*fold_spec.lua:%d+ and '))
    assert.are.equal("low", testing.fold("mail:a", {}, { queue = "low" }).payload.queue)
    assert.is_truthy(refusal("mail:a", {}, { queue = "low", group = "mail:b" }):find("said twice", 1, true))
    assert.is_truthy(refusal(7, {}):find("expected a group or what crew.aggregate returned, got number", 1, true))
  end)
end)
