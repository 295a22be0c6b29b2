local host = require "mooncrew.host"
local log = require "mooncrew.log"

describe("the log", function()
  local lines

  before_each(function()
    lines = {}
    host.use { log = function(...)
      lines[#lines + 1] = { ... }
    end }
  end)
  after_each(function()
    host.use()
  end)

  it("hands level, message, fields and task to the host", function()
    local task = { id = "i" }
    local logger = log.new(task)
    for _, level in ipairs { "debug", "info", "warn", "error" } do
      logger[level](logger, "said", { a = 1 })
    end
    log.new(nil):info("bare")
    assert.are.same({ "debug", "said", { a = 1 }, task }, lines[1])
    assert.are.same({ "info", "warn", "error" }, { lines[2][1], lines[3][1], lines[4][1] })
    assert.are.same({ "info", "bare" }, lines[5])
  end)

  it("refuses messages and fields of the wrong type, and names the caller", function()
    local _, message = pcall(function()
      log.new(nil):info({ "x" })
    end)
    assert.is_truthy(message:find("^spec/lua/log_spec.lua:%d+: log:info: the message must be a string"), message)
    _, message = pcall(function()
      log.new(nil):info("x", "y")
    end)
    assert.is_truthy(message:find("the fields must be a table, got string", 1, true), message)
  end)

  describe("fields", function()
    local function fields_of(fields)
      local seen = {}
      local function add(kind)
        return function(key, value)
          seen[#seen + 1] = key .. " " .. kind .. " " .. value
        end
      end
      log.each_field(fields, add "text", add "json")
      return seen
    end

    it("come sorted, strings as text and the rest as JSON", function()
      assert.are.same({ "a json 1", "b text x", "c json [true]", "d json 0.5" },
        fields_of { d = 0.5, b = "x", c = { true }, a = 1 })
      assert.are.same({}, fields_of(nil))
    end)

    it("that are no JSON are shown as Lua shows them", function()
      assert.is_truthy(fields_of({ f = print })[1]:find("^f text function"))
    end)

    it("cannot break a line or stand in for what every line carries", function()
      assert.are.same({ "a_b text x", "task_id_ text y" }, fields_of { ["a\nb"] = "x", task_id = "y" })
      assert.are.equal("a b c", log.event("a\nb\0c"))
    end)
  end)
end)
