-- Ten minutes of cron on two nodes, with a node stopped, killed and started again on the way: each tick exactly once.
local ticks = require "cron_ticks"
local wait = require "wait"
local with_crew = require("support").with_crew

local MINUTES = tonumber(os.getenv "SOAK_MINUTES" or 10)

describe("cron", function()
  it(("on two nodes enqueues each tick exactly once, over %g minutes"):format(MINUTES), with_crew(function(crew)
    crew:script("t.lua", ticks.script "1s")
    local nodes = { crew:run(), crew:run() }
    local started, round = os.time(), 0
    while os.time() - started < MINUTES * 60 do
      round = round + 1
      wait.hold("the nodes run", 20, function() return nodes[#nodes].process:alive() and nodes[1].process:alive() end)
      local node = nodes[round % 2 == 0 and 1 or #nodes]
      node:send "sigstop"
      wait.hold("one is stopped", 15, function() return node.process:alive() end)
      node:send "sigcont"
      if round % 3 == 0 then -- stopped and started again; the node at nodes[1] carries on alone meanwhile
        nodes[#nodes]:send "sigterm"
        assert.equal(0, (nodes[#nodes]:wait(20)))
        nodes[#nodes + 1] = crew:run()
      end
    end
    for _, node in ipairs { nodes[1], nodes[#nodes] } do
      node:send "sigterm"
      assert.equal(0, (node:wait(20)))
    end
    local _, _, count = ticks.assert_each_once(crew, nodes, 1)
    assert.is_true(count >= MINUTES * 60 - 5, ("only %d ticks"):format(count))
    print(("# %d ticks, each enqueued once"):format(count))
  end))
end)
