-- mooncrew queue, on a client that answers as the spec says.

package.path = "./spec/lua/cli/?.lua;" .. package.path

local console = require "console"
local json = require "mooncrew.json"

local function queue(fields)
  local info = { name = "low", paused = false, size = 28, pending = 5, active = 1, scheduled = 2, retry = 3,
    archived = 4, completed = 6, aggregating = 7, groups = 1, latency_ms = 1500, memory_bytes = 2048,
    processed_today = 8, failed_today = 9, processed = 1234, failed = 11 }
  for name, value in pairs(fields or {}) do
    info[name] = value
  end
  return info
end

describe("mooncrew queue", function()
  local it_is

  before_each(function()
    it_is = console.open()
  end)

  after_each(function()
    it_is:close()
  end)

  describe("ls", function()
    it("prints a line per queue", function()
      it_is.answers.queues = { { queue(), queue { name = "critical", paused = true, latency_ms = 0 } } }
      local code, text = it_is:run("queue", "ls", "--redis", "redis://h")
      assert.equal(0, code)
      assert.equal("redis://h", it_is.url)
      assert.equal(1, #it_is:called "close")
      assert.matches("^QUEUE +PENDING +ACTIVE +SCHEDULED +RETRY +ARCHIVED +COMPLETED +GROUPED +LATENCY +MEMORY", text)
      assert.matches("\nlow +5 +1 +2 +3 +4 +6 +7 +1s +2%.0 KB +8 +9\n", text)
      assert.matches("\ncritical .* 0s .*  paused\n$", text)
    end)

    it("says so when there is none, and prints JSON", function()
      it_is.answers.queues = { {} }
      local _, text = it_is:run("queue", "ls")
      assert.equal("no queue yet: the first task that is enqueued makes one\n", text)
      _, text = it_is:run("queue", "ls", "--json")
      assert.equal('{"queues":[]}\n', text)
    end)

    it("fails with reason and code, and closes the client", function()
      it_is.answers.queues = { nil, "cannot reach Redis", "UNAVAILABLE" }
      local code, _, complaint = it_is:run("queue", "ls")
      assert.equal(1, code)
      assert.equal("cannot reach Redis (UNAVAILABLE)", complaint)
      assert.equal(1, #it_is:called "close")
    end)
  end)

  describe("inspect", function()
    before_each(function()
      it_is.answers.queue = { queue() }
      it_is.answers.history = { { { date = "2026-01-31", processed = 8, failed = 9 } } }
    end)

    it("prints the queue, its states and its days", function()
      local code, text = it_is:run("queue", "inspect", "low", "--days", "3")
      assert.equal(0, code)
      assert.same({ { "low", 3 } }, it_is:called "history")
      assert.matches("^queue +low\npaused +no\ntasks +28\n", text)
      assert.matches("processed +1,234, of which 11 failed\n", text)
      assert.matches("\nSTATE +TASKS\npending +5\n", text)
      assert.matches("\nDAY +PROCESSED +FAILED\n2026%-01%-31 +8 +9\n$", text)
    end)

    it("prints JSON with the history in it", function()
      local _, text = it_is:run("queue", "inspect", "low", "--json")
      local _, value = assert(json.decode(text))
      assert.equal(5, value.pending)
      assert.equal("2026-01-31", value.history[1].date)
      assert.same({ { "low", 7 } }, it_is:called "history")
    end)

    it("calls a number of days that there cannot be wrong usage", function()
      local code, _, complaint = it_is:run("queue", "inspect", "low", "--days", "91")
      assert.equal(2, code)
      assert.equal("--days must be a whole number from 1 to 90, not '91'; see `mooncrew queue inspect --help`",
        complaint)
    end)
  end)

  it("pause and unpause call the client, and tell its refusal", function()
    it_is.answers.pause, it_is.answers.unpause, it_is.answers.queue = { true }, { true }, { queue() }
    local code, text, _ = it_is:run("queue", "pause", "low")
    assert.equal(0, code)
    assert.equal("paused queue low\n", text)
    _, text = it_is:run("queue", "unpause", "low", "--json")
    assert.equal('{"paused":false,"queue":"low"}\n', text)
    it_is.answers.pause = { nil, "queue 'low' is paused", "WRONG_STATE" }
    local complaint
    code, _, complaint = it_is:run("queue", "pause", "low")
    assert.equal(1, code)
    assert.equal("queue 'low' is paused (WRONG_STATE)", complaint)
  end)

  describe("that is not known", function()
    before_each(function()
      it_is.answers.queue = { nil, "no such queue", "NOT_FOUND" }
      it_is.answers.servers = { { { queues = { critical = 6 }, patterns = "tenant:*" } } }
      it_is.answers.stats = { { queues = { { name = "mail" } } } }
      it_is.answers.limits, it_is.answers.limit = { {} }, { { rate = "3/s" } }
      it_is.answers.pause = { true }
      it_is.answers.unpause = { nil, "it is not paused", "WRONG_STATE" }
    end)

    it("is not paused or unpaused, and the name that was meant is told", function()
      local code, _, complaint = it_is:run("queue", "pause", "mial")
      assert.equal(1, code)
      assert.equal('there is no queue "mial": did you mean mail? (--new pauses it before its first task) (NOT_FOUND)',
        complaint)
      assert.same({}, it_is:called "pause")
      code, _, complaint = it_is:run("queue", "unpause", "nosuch")
      assert.equal(1, code)
      assert.equal('there is no queue "nosuch": `mooncrew queue ls` lists those there are (NOT_FOUND)', complaint)
    end)

    it("is paused when that is meant, or when a server serves it", function()
      for _, words in ipairs { { "mial", "--new" }, { "critical" }, { "tenant:a" } } do
        assert.equal(0, (it_is:run("queue", "pause", unpack(words))))
        assert.equal(1, #it_is:called "pause")
      end
      it_is.answers.unpause = { true }
      assert.equal(0, (it_is:run("queue", "unpause", "nosuch")))
    end)

    it("can be limited ahead, with a warning that names what may have been meant", function()
      local code, text, complaint = it_is:run("queue", "limit", "nosuch", "--rate", "3/s")
      assert.equal(0, code)
      assert.matches("\nnosuch +%- +3/s\n$", text)
      local warning = "no task was ever enqueued to queue nosuch, and no server that is alive serves it"
      assert.equal("warning: " .. warning, complaint)
      text, complaint = select(2, it_is:run("queue", "limit", "nosuch", "--rate", "3/s", "--json"))
      assert.truthy(text:find(warning, 1, true))
      assert.equal("", complaint)
      assert.equal("", (select(3, it_is:run("queue", "limit", "nosuch", "--rate", "3/s", "--new"))))
      complaint = select(3, it_is:run("queue", "limit", "mial", "--rate", "3/s"))
      assert.matches("serves it; did you mean mail%?$", complaint)
      assert.equal(2, (it_is:run("queue", "limit", "no such", "--rate", "3/s")))
      assert.equal(1, (it_is:run("queue", "limit", "nosuch")))
      it_is.answers.limits = { { concurrency = 2 } }
      assert.equal(0, (it_is:run("queue", "limit", "nosuch")))
    end)

    it("fails when Redis does", function()
      it_is.answers.stats = { nil, "cannot reach Redis", "UNAVAILABLE" }
      for _, words in ipairs { { "pause" }, { "unpause" }, { "limit" } } do
        local code, text = it_is:run("queue", words[1], "nosuch", "--json")
        assert.equal(1, code)
        assert.equal('{"code":"UNAVAILABLE","error":"cannot reach Redis"}\n', text)
      end
    end)
  end)

  describe("rm", function()
    it("asks first, and removes nothing where nobody can answer", function()
      it_is.answers.queue = { queue() }
      local code, _, complaint = it_is:run("queue", "rm", "low", "--force")
      assert.equal(2, code)
      assert.equal('"remove queue low with its 28 tasks?" needs an answer, and there is no terminal to ask at: '
        .. "add --yes", complaint)
      assert.same({}, it_is:called "remove_queue")
    end)

    it("removes it, with what is in it only when that is forced", function()
      it_is.answers.queue = { queue() }
      it_is.answers.remove_queue = { 28 }
      local code, text, _ = it_is:run("queue", "rm", "low", "--force", "--yes")
      assert.equal(0, code)
      assert.equal("removed queue low, and 28 tasks with it\n", text)
      assert.is_true(it_is:called("remove_queue")[1][2].force)
      local complaint
      code, _, complaint = it_is:run("queue", "rm", "low", "-y")
      assert.equal(1, code)
      assert.equal('queue "low" has 28 tasks: --force deletes them with it (NOT_EMPTY)', complaint)
      assert.same({}, it_is:called "remove_queue")
      it_is.answers.queue = { queue { size = 0 } } -- and then one comes in
      it_is.answers.remove_queue = { nil, 'queue "low" has tasks', "NOT_EMPTY" }
      _, _, complaint = it_is:run("queue", "rm", "low", "-y")
      assert.equal('queue "low" has tasks: --force deletes them with it (NOT_EMPTY)', complaint)
      assert.falsy(it_is:called("remove_queue")[1][2].force)
    end)

    it("says how many tasks are gone when it fails half-way", function()
      it_is.answers.queue = { queue() }
      it_is.answers.remove_queue = { nil, "no answer", "UNKNOWN", 2000 }
      local _, _, complaint = it_is:run("queue", "rm", "low", "--force", "-y")
      assert.equal("no answer; 2,000 tasks deleted before (UNKNOWN)", complaint)
    end)
  end)
end)
