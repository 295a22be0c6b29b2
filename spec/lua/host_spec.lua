local host = require "mooncrew.host"

describe("the host", function()
  after_each(function()
    host.use()
  end)

  it("takes what is put in place, and goes back to its defaults", function()
    local function mine() end
    host.use { now = mine }
    assert.are.equal(mine, host.now)
    host.use {}
    assert.are.equal(os.time, host.now)
  end)

  it("has nobody to wait with by default, and says so", function()
    for _, name in ipairs { "timer_start", "timer_stop", "ready", "parked" } do
      assert.has_error(host[name], "nobody runs tasks here: this works in a worker or under mooncrew.testing")
    end
  end)
end)
