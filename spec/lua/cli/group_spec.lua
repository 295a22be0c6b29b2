-- mooncrew group, on a client that answers as the spec says.

package.path = "./spec/lua/cli/?.lua;" .. package.path

local console = require "console"

describe("mooncrew group", function()
  local it_is

  before_each(function() it_is = console.open() end)
  after_each(function() it_is:close() end)

  it("ls looks into every queue, or into one", function()
    it_is.answers.stats = { { queues = { { name = "a" }, { name = "b" } }, servers = {} } }
    it_is.answers.groups = function(queue) return { { name = "g-" .. queue, size = 3 } } end
    local code, text, _ = it_is:run("group", "ls")
    assert.equal(0, code)
    assert.equal("QUEUE  GROUP  TASKS\na      g-a        3\nb      g-b        3\n", text)
    _, text = it_is:run("group", "ls", "--queue", "b", "--json")
    assert.equal('{"groups":[{"name":"g-b","queue":"b","size":3}]}\n', text)
  end)
end)
