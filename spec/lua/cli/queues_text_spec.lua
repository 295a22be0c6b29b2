-- The queues to serve as text.
local queues_text = require "mooncrew.cli.queues_text"

describe("mooncrew.cli.queues_text", function()
  it("writes weights and settings, the heaviest first", function()
    assert.equal("critical=6/archive_max_age=7d/archive_max_size=100,tenant:*=2,low=1", queues_text.write {
      low = {}, ["tenant:*"] = 2, critical = { weight = 6, archive_max_size = 100, archive_max_age = "7d" },
    })
  end)

  it("refuses what is neither a weight nor a table of settings", function()
    for expected, value in pairs {
      ["queue 'a' must be a weight or a table"] = { a = { weight = 1, [1] = 2 } },
      ["queue 'b' must be a weight or a table"] = { b = { archive_max_age = {} } },
      ["the weight of queue 'c' must be a whole number"] = { c = { weight = "x" } },
    } do
      local text, message = queues_text.write(value)
      assert.is_nil(text)
      assert.equal(1, message:find(expected, 1, true))
    end
  end)

  it("reads what it has written, and what people write", function()
    assert.same({ a = 2, b = 1, ["tenant:*"] = { weight = 3, archive_max_age = "7d", archive_max_size = "5" } },
      queues_text.read " a = 2, b,tenant:*=3/archive_max_age=7d / archive_max_size = 5")
  end)

  it("knows which queue is served", function()
    local queues = queues_text.read "critical=6,tenant:*"
    assert.is_true(queues_text.serves(queues, "critical"))
    assert.is_true(queues_text.serves(queues, "tenant:a"))
    assert.is_false(queues_text.serves(queues, "tenant"))
    assert.is_false(queues_text.serves(queues, "critical2"))
  end)
end)
