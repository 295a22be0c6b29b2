local crew = require "mooncrew"
local distribute = require "mooncrew.distribute"
local registry = require "mooncrew.registry"
local testing = require "mooncrew.testing"

describe("mooncrew.testing", function()
  local folder

  before_each(function()
    registry.reset()
    folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir -p '" .. folder .. "'/lib") == 0)
  end)
  after_each(function()
    registry.reset()
    os.execute("rm -rf '" .. folder .. "'")
  end)

  local function write(name, text)
    local file = assert(io.open(folder .. "/" .. name, "w"))
    file:write(text)
    file:close()
  end

  it("says on plain Lua what it needs, in one line", function()
    local pipe = assert(io.popen([[lua5.1 -e 'print(pcall(require, "mooncrew.testing"))' 2>&1]]))
    local said = pipe:read("*a")
    pipe:close()
    assert.are.equal("false\tmooncrew.testing needs LuaJIT: run `busted --lua=luajit`\n", said)
  end)

  describe("load", function()
    describe("a fold", function()
    before_each(registry.reset)
    after_each(registry.reset)

    it("tells the new task", function()
      local function fold(payloads, group, tasks)
        crew.sleep(5)
        return { n = #payloads, first = payloads[1], group = group, last = tasks[#tasks].id }, { process_in = 60 }
      end
      local rule = crew.aggregate { group = "mail:*", queue = "low", type = "digest", fold = fold }
      local run = testing.fold(rule, { "a", { b = 1 } }, { group = "mail:ada", now = 1700000000 })
      assert.are.equal("folded", run.outcome, run.error)
      assert.are.equal("digest", run.type)
      assert.are.same({ n = 2, first = "a", group = "mail:ada", last = "grouped-2" }, run.payload)
      assert.are.same({ queue = "low", process_at_ms = 1700000065000 }, run.options)
      assert.are.equal(1700000005, run.now)
    end)

    it("tells why there is none", function()
      crew.task("item", { payload = crew.schema.object { n = crew.schema.integer {} }, perform = print })
      local slow = crew.aggregate { group = "a", type = "digest", timeout = 1, fold = function()
        crew.sleep(2)
      end }
      assert.are.equal("timed_out", testing.fold(slow, { 1 }).outcome)
      local broken = crew.aggregate { group = "b", type = "digest", fold = function()
        error("no")
      end }
      local run = testing.fold(broken, { 1 })
      assert.are.equal("failed", run.outcome)
      assert.is_truthy(run.error:find("testing_spec.lua:%d+: no$"), run.error)
      assert.are.same({ 2 }, testing.fold(broken, { { n = 1 }, { n = "x" } }, { type = "item" }).unfit)
      assert.is_false(pcall(testing.fold, broken, {}, { grup = "x" }))
    end)
  end)

  it("gives what the script returns, with the modules that stand beside it", function()
      write("lib/answer.lua", "return 42")
      write("task.lua", [[
        local answer = require "lib.answer"
        return require("mooncrew").task("t", { perform = function() return { answer } end })]])
      local definition = testing.load(folder .. "/task.lua")
      assert.are.equal(definition, registry.find("t"))
      assert.are.same({ 42 }, testing.perform(definition).result)
    end)

    it("begins anew each time, also with the modules", function()
      write("lib/answer.lua", "return {}")
      write("task.lua", [[
        require("mooncrew").task("t", { perform = print })
        return require "lib.answer"]])
      local first, second = testing.load(folder .. "/task.lua"), testing.load(folder .. "/task.lua")
      assert.are_not.equal(first, second)
      assert.are.equal(1, #registry.all())
    end)

    it("raises when the script does not load", function()
      write("task.lua", "local x = = 1")
      assert.has_error(function()
        testing.load(folder .. "/task.lua")
      end)
    end)
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

    it("refuses unknown options", function()
      local ok, message = pcall(perform, print, nil, { retires = 1 })
      assert.is_false(ok)
      assert.is_truthy(message:find("unknown option 'retires'", 1, true), message)
    end)
  end)
end)
