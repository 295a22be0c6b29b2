-- What `mooncrew check` warns of.

local doubts = require "mooncrew.cli.doubts"
local registry = require "mooncrew.registry"

describe("mooncrew.cli.doubts", function()
  local definitions

  before_each(function()
    registry.reset()
    definitions = {
      { type = "mail:send", source = "a.lua:1", options = { queue = "mail" } },
      { type = "image:*", source = "a.lua:2", options = {} },
    }
    for _, definition in ipairs(definitions) do
      assert(registry.add(definition))
    end
  end)

  after_each(registry.reset)

  local function entry(fields)
    fields.spec, fields.source, fields.options = "@daily", "a.lua:3", fields.options or {}
    registry.cron[#registry.cron + 1] = fields
  end

  it("finds nothing where every task is registered and every queue served", function()
    entry { type = "mail:send", options = { queue = "tenant:a" } }
    entry { type = "image:thumbnail" }
    assert(registry.add_rule { pattern = "x", queue = "tenant:b", type = "image:sheet", source = "a.lua:4" })
    assert.same({}, doubts.find(definitions, { default = 1, mail = 1, ["tenant:*"] = 1 }))
  end)

  it("finds a cron entry whose type nobody registers, and what was meant", function()
    entry { type = "mail:sned", options = { queue = "mail" } }
    assert.same({ 'a.lua:3: warning: the cron entry "@daily" enqueues "mail:sned", which no script registers; '
      .. 'did you mean "mail:send"?' }, doubts.find(definitions, { default = 1, mail = 1 }))
  end)

  it("finds queues that nobody serves, of tasks, of cron entries and of rules for groups", function()
    entry { type = "mail:send", options = { queue = "night" } }
    assert(registry.add_rule { pattern = "x", queue = "bulk", source = "a.lua:4" })
    assert.same({
      'a.lua:4: warning: the rule for groups "x" is for queue "bulk", which is not among the configured queues',
      'a.lua:1: warning: task "mail:send" goes to queue "mail", which is not among the configured queues',
      'a.lua:3: warning: the cron entry "@daily" goes to queue "night", which is not among the configured queues',
    }, doubts.find(definitions, { default = 1 }))
  end)
end)
