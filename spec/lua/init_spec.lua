local crew = require "mooncrew"
local distribute = require "mooncrew.distribute"
local registry = require "mooncrew.registry"
local testing = require "mooncrew.testing"

describe("the facade", function()
  before_each(registry.reset)
  after_each(registry.reset)

  it("has what scripts are told it has", function()
    for name, kind in pairs { task = "function", use = "function", enqueue = "function", client = "function",
      sleep = "function", schema = "table", async = "table", json = "table", array = "function", log = "table" } do
      assert.are.equal(kind, type(crew[name]), name)
    end
    assert.are.equal(crew.json.null, crew.null)
    assert.are.equal("[]", crew.json.encode(crew.array {}))
    assert.are.equal(distribute.enqueue, crew.enqueue)
    assert.is_function(crew.async.await)
  end)

  describe("crew.sleep", function()
    it("takes seconds and texts", function()
      local definition = crew.task("t", { perform = function()
        crew.sleep(1.5)
        crew.sleep("1m")
        crew.sleep(0)
      end })
      local run = testing.perform(definition, nil, { now = 100 })
      assert.are.same({ "done", 161.5 }, { run.outcome, run.now })
    end)

    it("blames the line that misuses it", function()
      local _, message = pcall(function()
        crew.sleep("soon")
      end)
      assert.is_truthy(message:find("^spec/lua/init_spec.lua:%d+: crew.sleep: 'soon' is no duration"), message)
      _, message = pcall(function()
        crew.sleep(1)
      end)
      assert.is_truthy(message:find("^spec/lua/init_spec.lua:%d+: waiting works only while a task runs"), message)
    end)
  end)
end)
