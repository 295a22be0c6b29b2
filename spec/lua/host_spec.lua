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

  it("logs how far a task has come: once in a second, and the end", function()
    local now, lines = 100, {}
    host.use { now = function()
      return now
    end, log = function(level, event, fields, task)
      lines[#lines + 1] = { level, event, fields, task }
    end }
    local task = {}
    host.progress(task, 0.1, "1 of 10")
    host.progress(task, 0.2)
    now = 101
    host.progress(task, 0.3)
    host.progress(task, 1)
    assert.are.same({ "info", "progress", { fraction = 0.1, detail = "1 of 10" }, task }, lines[1])
    assert.are.same({ 0.3, 1 }, { lines[2][3].fraction, lines[3][3].fraction })
    assert.are.equal(3, #lines)
  end)

  it("has nobody to wait with by default, and says so", function()
    for _, name in ipairs { "timer_start", "timer_stop", "ready", "parked" } do
      assert.has_error(host[name], "nobody runs tasks here: this works in a worker or under mooncrew.testing")
    end
  end)
end)
