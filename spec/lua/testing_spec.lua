local crew = require "mooncrew"
local distribute = require "mooncrew.distribute"
local registry = require "mooncrew.registry"
local testing = require "mooncrew.testing"

describe("mooncrew.testing", function()
  before_each(registry.reset)
  after_each(registry.reset)

  it("says on plain Lua what it needs, in one line", function()
    local pipe = assert(io.popen([[lua5.1 -e 'print(pcall(require, "mooncrew.testing"))' 2>&1]]))
    local said = pipe:read("*a")
    pipe:close()
    assert.are.equal("false\tmooncrew.testing needs LuaJIT: run `mooncrew test`, or `busted --lua=luajit`\n", said)
  end)

  describe("perform", function()
    local function perform(handler, payload, options, fields)
      fields = fields or {}
      fields.perform = handler
      return testing.perform(crew.task("t", fields), payload, options)
    end

    it("shows what was enqueued", function()
      local backend = distribute.backend
      local run = perform(function(_, task)
        local info = assert(task:enqueue("child", { n = 1 }, { process_in = "1m", queue = "low" }))
        assert(crew.enqueue("bytes", "\255", { task_id = "mine" }))
        return info
      end, nil, { now = 1000000000 })
      assert.are.equal("done", run.outcome, run.error)
      assert.are.same({ id = "enqueued-1", type = "child", queue = "low", state = "scheduled",
        process_at = 1000000060 }, run.result)
      assert.are.same({ n = 1 }, run.enqueued[1].payload)
      assert.are.equal(1000000060000, run.enqueued[1].options.process_at_ms)
      assert.are.same({ "mine", "bytes", "\255" },
        { run.enqueued[2].id, run.enqueued[2].type, run.enqueued[2].payload })
      assert.are.equal(backend, distribute.backend)
    end)

    it("shows what was logged", function()
      local run = perform(function(_, task)
        task.log:info("said", { a = 1 })
        crew.log:warn("bare")
      end)
      assert.are.same({ { level = "info", message = "said", fields = { a = 1 } },
        { level = "warn", message = "bare", fields = {} } }, run.logs)
    end)

    it("gives the handler the task as asked for", function()
      local run = perform(function(_, task)
        return { task.id, task.queue, task.retried, task.max_retry, task.deadline, task.headers.a, task.raw_payload }
      end, { 1 }, { id = "i", retried = 1, headers = { a = "b" }, now = 50 },
        { queue = "q", max_retry = 4, timeout = 10 })
      assert.are.same({ "i", "q", 1, 4, 60, "b", "[1]" }, run.result)
    end)

    it("takes bytes in place of a payload", function()
      local run = perform(function() end, nil, { raw_payload = "{" })
      assert.are.equal("invalid", run.outcome)
    end)

    it("lets timers end in their order", function()
      local run = perform(function()
        local order = {}
        crew.async.await(function(resume)
          local host = require "mooncrew.host"
          for _, seconds in ipairs { 3, 1, 2 } do
            host.timer_start(seconds, function()
              order[#order + 1] = seconds
              if #order == 3 then
                resume()
              end
            end)
          end
        end)
        return order
      end)
      assert.are.same({ 1, 2, 3 }, run.result)
    end)

    it("says so when a handler waits for what never comes", function()
      local ok, message = pcall(perform, function()
        crew.async.await(function() end)
      end)
      assert.is_false(ok)
      assert.is_truthy(message:find("waits for something that never happens", 1, true), message)
    end)

    it("refuses what no task has", function()
      local definition = crew.task("t", { perform = print })
      for _, wrong in ipairs {
        { nil, { retried = -1 }, "retried: expected a whole number from 0, got -1" },
        { nil, { headers = { a = 1 } }, "headers: names and values must be strings, not a = number" },
        { 1, { raw_payload = "2" }, "the payload and raw_payload are both given: leave one out" },
        { print, {}, "payload: a function cannot be written as JSON" },
      } do
        local ok, message = pcall(function() testing.perform(definition, wrong[1], wrong[2]) end)
        assert.is_false(ok)
        assert.matches("testing_spec.lua:%d+: testing.perform: " .. wrong[3]:gsub("%p", "%%%0") .. "$", message)
      end
    end)

    it("refuses unknown options", function()
      local ok, message = pcall(perform, print, nil, { retires = 1 })
      assert.is_false(ok)
      assert.is_truthy(message:find("unknown option 'retires'", 1, true), message)
    end)
  end)
end)
