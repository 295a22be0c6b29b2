-- What scripts print stands in the log.
local with_crew = require("support").with_crew

describe("print", function()
  it("is a line of the log with the task that printed it, whatever it printed", with_crew(function(crew)
    crew:script("t.lua", [[
      print("loading", 1)
      crew.task("t", { perform = function(payload, task)
        print("hello", nil, 1.5, { 1 } ~= nil, setmetatable({}, { __tostring = function() return "an object" end }))
        print()
        crew.sleep(0.01)
        crew.gather(function() print "in a branch\n\27[31m of two lines" end)
        print(crew.null ~= nil and task.id)
      end })
    ]])
    local queue, node = crew:queue(), crew:run { log_format = "json" }
    queue:add { type = "t", id = "one" }
    node:wait_log(20, { event = "print", text = "one" })
    local lines = node:log { event = "print" }
    assert.equal("loading\t1", lines[1].text)
    assert.is_nil(lines[1].task_id)
    local texts = {}
    for i = 2, #lines do
      assert.same({ "t", "one", "info" }, { lines[i].type, lines[i].task_id, lines[i].level })
      texts[#texts + 1] = lines[i].text
    end
    assert.same({ "hello\tnil\t1.5\ttrue\tan object", "", "in a branch\n\27[31m of two lines", "one" }, texts)
  end))
end)
