-- Named pools as text.
local pools_text = require "mooncrew.cli.pools_text"

describe("mooncrew.cli.pools_text", function()
  it("writes what a configuration says, in an order that is always the same", function()
    local text = pools_text.write {
      io = { concurrency = 500 },
      cpu = { workers = 2, concurrency = 1, strict = true, queues = { image = 3, "video" } },
    }
    assert.equal("cpu: concurrency=1 queues=image=3,video=1 strict=true workers=2 io: concurrency=500", text)
  end)

  it("keeps a value one word, so that it cannot pass for another setting", function()
    assert.equal("a: workers=1b:c=2", pools_text.write { a = { workers = "1 b: c=2" } })
    assert.equal("a: workers=(table)", pools_text.write { a = { workers = {} } })
  end)

  it("refuses by the path what is no pool or has no name", function()
    for expected, value in pairs {
      [".cpu: must be a table"] = { cpu = 2 },
      [": 'a b' is no name of a pool"] = { ["a b"] = {} },
      [": '1' is no name of a pool"] = { {} },
      [".cpu: [1] has no name"] = { cpu = { 2 } },
      [".cpu.queues: the weight of queue 'a' must be"] = { cpu = { queues = { a = "x" } } },
      [".cpu.queues: must name at least one queue"] = { cpu = { queues = {} } },
      [": must name at least one pool"] = {},
    } do
      local text, message = pools_text.write(value)
      assert.is_nil(text)
      assert.equal(1, message:find(expected, 1, true), message)
    end
  end)

  it("reads its own text", function()
    local pools = { io = { concurrency = 500 }, cpu = { workers = 2, strict = true, queues = { image = 3 } } }
    assert.same(pools, pools_text.read(pools_text.write(pools)))
    assert.same({}, pools_text.read "")
  end)

  it("knows which queues are served and how many workers run", function()
    local text = "io: concurrency=500 cpu: workers=3 queues=image=1"
    assert.same({ image = 1, default = 2 }, pools_text.served(text, "default=2"))
    assert.same({ image = 1 }, pools_text.served("cpu: queues=image=1", "default=2"))
    assert.same({ default = 2 }, pools_text.served("", "default=2"))
    assert.equal(5, pools_text.workers(text, 2))
    assert.equal(2, pools_text.workers("", 2))
  end)
end)
