-- mooncrew task, on a client that answers as the spec says.

package.path = "./spec/lua/cli/?.lua;" .. package.path

local console = require "console"
local json = require "mooncrew.json"

local function task(fields)
  local info = { id = "id1", queue = "low", state = "archived", type = "mail:send", payload = '{"b":1,"a":[]}',
    max_retry = 25, retried = 2, last_error = "no\nroute", last_failed_at = 1896091200, timeout = 90, deadline = 0,
    retention = 0, archived_at = 1896091200, headers = { trace = "abc" }, extra = { mc_crashes = "2" }, unique_key = "",
    group = "" }
  for name, value in pairs(fields or {}) do
    info[name] = value
  end
  return info
end

-- A client on which the queues hold these tasks: { low = { id1 = task }, … }.
local function holding(queues)
  local names = {}
  for name in pairs(queues) do
    names[#names + 1] = { name = name }
  end
  table.sort(names, function(a, b) return a.name < b.name end)
  return {
    stats = { { queues = names, servers = {} } },
    task = function(queue, id)
      local found = (queues[queue] or {})[id]
      if found then
        return found
      end
      return nil, ("no task '%s' in queue '%s'"):format(id, queue), "NOT_FOUND"
    end,
    close = {},
  }
end

describe("mooncrew task", function()
  local it_is

  before_each(function()
    it_is = console.open()
  end)

  after_each(function()
    it_is:close()
  end)

  local function refuses(exit_code, message, ...)
    local code, text, complaint = it_is:run(...)
    assert.equal(message, complaint)
    assert.equal(exit_code, code)
    assert.equal("", text)
  end

  describe("ls", function()
    it("prints a page, how many there are, and the call for the next", function()
      it_is.answers.tasks = { { tasks = { task() }, total = 1234, next = "c1" } }
      local code, text = it_is:run("task", "ls", "-q", "low", "--state", "archived", "--size", "1")
      assert.equal(0, code)
      assert.same({ { "low", "archived", { size = 1 } } }, it_is:called "tasks")
      assert.matches("^ID +TYPE +PAYLOAD +ARCHIVED +RETRIED +LAST ERROR\n", text)
      assert.matches('\nid1 +mail:send +{"b":1,"a":%[%]} +in .* 2 of 25 +no route\n', text)
      assert.matches("\n1 of 1,234 archived tasks in queue low\nnext page: mooncrew task ls %-%-queue low "
        .. "%-%-state archived %-%-size 1 %-%-after c1\n$", text)
    end)

    it("quotes the call for the next page, so that it can be pasted", function()
      it_is.answers.tasks = { { tasks = { task() }, total = 2, next = "1900000000 id" } }
      local _, text = it_is:run("task", "ls", "--queue=-a b", "--state", "aggregating", "--group", "it's")
      assert.matches("%-%-queue='%-a b' %-%-state aggregating %-%-group 'it'\\''s' %-%-size 30 "
        .. "%-%-after '1900000000 id'\n$", text)
    end)

    it("begins with the pending tasks of the default queue, and hands on paging and group", function()
      it_is.answers.tasks = { { tasks = {}, total = 0 } }
      local _, text = it_is:run("task", "ls")
      assert.equal("0 of 0 pending tasks in queue default\n", text)
      assert.same({ { "default", "pending", { size = 30 } } }, it_is:called "tasks")
      it_is:run("task", "ls", "--state", "aggregating", "--group", "g", "--page", "3", "--size", "5")
      assert.same({ { "default", "aggregating", { size = 5, page = 3, group = "g" } } }, it_is:called "tasks")
      it_is:run("task", "ls", "--after", "c1")
      assert.same({ { "default", "pending", { size = 30, after = "c1" } } }, it_is:called "tasks")
    end)

    it("has columns for every state", function()
      for _, state in ipairs(require("mooncrew.cli.task_view").STATES) do
        it_is.answers.tasks = { { tasks = { { id = "x", queue = "low", state = state, problem = "not protobuf" } },
          total = 1 } }
        local code, text = it_is:run("task", "ls", "--state", state)
        assert.equal(0, code)
        assert.matches("\n1 of 1 " .. state .. " task in queue default\n$", text)
      end
    end)

    it("prints JSON", function()
      it_is.answers.tasks = { { tasks = { task() }, total = 5, next = "c1" } }
      local _, text = it_is:run("task", "ls", "--json")
      local _, value = assert(json.decode(text))
      assert.equal(5, value.total)
      assert.equal("c1", value.next)
      assert.same({ b = 1, a = {} }, value.tasks[1].payload)
      it_is.answers.tasks = { { tasks = {}, total = 0 } }
      _, text = it_is:run("task", "ls", "--json")
      assert.equal('{"tasks":[],"total":0}\n', text)
    end)

    it("refuses a state that is none, and two ways to page", function()
      local code, _, complaint = it_is:run("task", "ls", "--state", "done")
      assert.equal(2, code)
      assert.matches("^argument for option '%-%-state' must be one of 'pending'", complaint)
      code = it_is:run("task", "ls", "--page", "2", "--after", "c1")
      assert.equal(2, code)
    end)
  end)

  describe("inspect", function()
    it("finds the queue by itself, and prints everything", function()
      it_is.answers = holding { low = { id1 = task() }, other = {} }
      local code, text = it_is:run("task", "inspect", "id1")
      assert.equal(0, code)
      assert.matches("^id +id1\nqueue +low\nstate +archived\ntype +mail:send\nretried +2 of 25\ntimeout +1m30s\n", text)
      assert.matches("\nlast failed +2030%-01%-31T12:00:00Z %(", text)
      assert.matches("\nlast error +no\n +route\ncrashes +2\narchived ", text)
      assert.matches("\nheader trace +abc\n", text)
      assert.matches('\npayload %(json, 14 B%):\n{\n  "b": 1,\n  "a": %[%]\n}\n$', text)
    end)

    it("prints JSON with RFC 3339 times", function()
      it_is.answers = holding { low = { id1 = task { result = "\0\1", payload = "plain" } } }
      local _, text = it_is:run("task", "inspect", "id1", "-q", "low", "--json")
      local _, value = assert(json.decode(text))
      assert.same({ id = "id1", queue = "low", state = "archived", type = "mail:send", payload_text = "plain",
        result_hex = "0001", max_retry = 25, retried = 2, last_error = "no\nroute",
        last_failed_at = "2030-01-31T12:00:00Z", timeout = 90, retention = 0, archived_at = "2030-01-31T12:00:00Z",
        headers = { trace = "abc" }, extra = { mc_crashes = "2" }, crashes = 2 }, value)
    end)

    it("shows how the last worker ended that it crashed", function()
      local crashed = { last_crash = "the worker died of signal 11", last_crash_at = 1896091200 }
      it_is.answers = holding { low = { id1 = task(crashed) } }
      local _, text = it_is:run("task", "inspect", "id1")
      assert.matches("\ncrashes +2\nlast crash +2030%-01%-31T12:00:00Z %(.-%): the worker died of signal 11\n", text)
      _, text = it_is:run("task", "inspect", "id1", "--json")
      local _, value = json.decode(text)
      assert.same({ 2, "the worker died of signal 11", "2030-01-31T12:00:00Z" },
        { value.crashes, value.last_crash, value.last_crash_at })
      it_is.answers = holding { low = { id1 = task { last_crash = "no time", extra = { mc_crashes = "many" } } } }
      _, text = it_is:run("task", "inspect", "id1")
      assert.matches("\nlast crash +no time\n", text)
      assert.matches("\nmc_crashes +many\n", text)
    end)

    it("shows how far it has come, and what makes no sense as it is", function()
      local extra = { mc_progress = '{"fraction":0.4,"at":1896091200.5,"text":"400 of 1000"}' }
      it_is.answers = holding { low = { id1 = task { extra = extra } } }
      local _, text = it_is:run("task", "inspect", "id1")
      assert.matches("\nprogress +40%% %(400 of 1000%), told 2030%-01%-31", text)
      assert.is_nil(text:find("mc_progress", 1, true))
      _, text = it_is:run("task", "inspect", "id1", "--json")
      assert.same({ fraction = 0.4, text = "400 of 1000", at = "2030-01-31T12:00:00Z" },
        select(2, json.decode(text)).progress)
      for _, odd in ipairs { "half", "{}", '{"fraction":"1","at":2}', "[1]" } do
        it_is.answers = holding { low = { id1 = task { extra = { mc_progress = odd } } } }
        _, text = it_is:run("task", "inspect", "id1")
        assert.is_not_nil(text:find("mc_progress  ", 1, true))
      end
    end)

    it("shows a task whose message cannot be read", function()
      it_is.answers = holding { low = { x = { id = "x", queue = "low", state = "pending", problem = "not protobuf" } } }
      local code, text = it_is:run("task", "inspect", "x")
      assert.equal(0, code)
      assert.equal("id       x\nqueue    low\nstate    pending\nproblem  not protobuf\n", text)
    end)

    it("says where an id stands when it stands in several queues, and what to do when it is nowhere", function()
      it_is.answers = holding { low = { id1 = task() }, high = { id1 = task { queue = "high" } } }
      refuses(1, 'the id "id1" stands in the queues high, low: say which one is meant with --queue',
        "task", "inspect", "id1")
      refuses(1, 'no queue has a task "id2"; `mooncrew task ls` lists those of a queue (NOT_FOUND)',
        "task", "inspect", "id2")
      refuses(1, "no task 'id1' in queue 'nope' (NOT_FOUND)", "task", "inspect", "id1", "--queue", "nope")
      assert.equal(0, (it_is:run("task", "inspect", "id1", "--queue", "high")))
    end)
  end)

  describe("run, archive and rm", function()
    it("work on the tasks that are named", function()
      it_is.answers = holding { low = { id1 = task() }, high = { id2 = task { id = "id2", queue = "high" } } }
      it_is.answers.run_task, it_is.answers.archive_task, it_is.answers.delete_task = { true }, { true }, { true }
      local code, text, _ = it_is:run("task", "run", "id1", "id2")
      assert.equal(0, code)
      assert.equal("queued task id1 in queue low\nqueued task id2 in queue high\n", text)
      assert.same({ { "low", "id1" }, { "high", "id2" } }, it_is:called "run_task")
      _, text = it_is:run("task", "archive", "id1")
      assert.equal("archived task id1 in queue low\n", text)
      _, text = it_is:run("task", "rm", "id1", "--yes", "--json")
      assert.equal('{"tasks":[{"id":"id1","ok":true,"queue":"low"}]}\n', text)
    end)

    it("delete nothing without an answer", function()
      it_is.answers = holding { low = { id1 = task() } }
      refuses(2, '"delete task id1 in queue low?" needs an answer, and there is no terminal to ask at: add --yes',
        "task", "rm", "id1")
      it_is.answers.tasks = { { tasks = {}, total = 1234 } }
      refuses(2, '"archive all retry tasks in queue low (1,234 now)?" needs an answer, and there is no terminal to ask '
        .. "at: add --yes", "task", "archive", "--all", "-q", "low", "--state", "retry")
    end)

    it("tell a refusal, and go on with the others", function()
      it_is.answers = holding { low = { id1 = task(), id2 = task { id = "id2" } } }
      it_is.answers.run_task = function(_, id)
        if id == "id1" then
          return nil, "task 'id1' is active", "WRONG_STATE"
        end
        return true
      end
      refuses(1, "task 'id1' is active (WRONG_STATE)", "task", "run", "id1")
      local code, text, complaint = it_is:run("task", "run", "id1", "id2")
      assert.equal(1, code)
      assert.equal("queued task id2 in queue low\n", text)
      assert.equal("task 'id1' is active (WRONG_STATE)\n1 of 2 tasks were not queued", complaint)
    end)

    it("touch nothing when one of the ids is not found", function()
      it_is.answers = holding { low = { id1 = task() } }
      local code, _, complaint = it_is:run("task", "run", "id1", "id2")
      assert.equal(1, code)
      assert.matches("^no queue has a task \"id2\"; .*; nothing was queued", complaint)
      assert.same({}, it_is:called "run_task")
    end)

    it("work on all tasks of a state", function()
      it_is.answers.tasks = { { tasks = {}, total = 1234 } }
      it_is.answers.delete_tasks, it_is.answers.run_tasks = { 1234 }, { 3 }
      local code, text, _ = it_is:run("task", "rm", "--all", "-q", "low", "--state", "archived", "--yes")
      assert.equal(0, code)
      assert.equal("deleted 1,234 archived tasks in queue low\n", text)
      assert.equal("archived", it_is:called("delete_tasks")[1][2])
      _, text = it_is:run("task", "run", "--all", "-q", "low", "--state", "aggregating", "--group", "g", "-y")
      assert.equal("queued 3 aggregating tasks in group g of queue low\n", text)
      assert.equal("g", it_is:called("run_tasks")[1][3].group)
      it_is.answers.delete_tasks = { nil, "no answer", "UNKNOWN", 1000 }
      refuses(1, "no answer; 1,000 tasks deleted before (UNKNOWN)", "task", "rm", "--all", "-q", "low", "--state",
        "archived", "-y")
    end)

    it("say what they need to know", function()
      refuses(2, "which task? mooncrew task rm ID, or --all --queue NAME --state STATE", "task", "rm")
      refuses(2, "--all needs to know of what: mooncrew task run --all --queue NAME --state STATE",
        "task", "run", "--all", "--state", "retry")
      refuses(2, "give either IDs or --all", "task", "rm", "id1", "--all")
      refuses(2, "--state and --group go with --all", "task", "rm", "id1", "--state", "retry")
      assert.same({}, it_is.calls, "nothing reached Redis")
    end)
  end)

  it("cancel says how many servers heard it, and that nobody did", function()
    it_is.answers = holding { low = { id1 = task { state = "active" } } }
    it_is.answers.cancel = { 2 }
    local code, text = it_is:run("task", "cancel", "id1")
    assert.equal(0, code)
    assert.equal("asked 2 servers to cancel task id1\n", text)
    it_is.answers.cancel = { 0 }
    refuses(1, "no server listens, so nothing was cancelled; `mooncrew server ls` lists those that are alive",
      "task", "cancel", "id1")
  end)

  it("cancel says the state of a task that is not active, and asks nobody", function()
    it_is.answers = holding {
      high = { both = task { id = "both", queue = "high", state = "active" } },
      low = { id1 = task { state = "aggregating" }, both = task { id = "both", state = "retry" } },
    }
    it_is.answers.cancel = { 1 }
    refuses(1, "task id1 is aggregating in queue low: only an active task can be cancelled (WRONG_STATE)",
      "task", "cancel", "id1")
    assert.same({}, it_is:called "cancel")
    refuses(1, 'no queue has a task "gone"; `mooncrew task ls` lists those of a queue (NOT_FOUND)',
      "task", "cancel", "gone")
    local code, text, complaint = it_is:run("task", "cancel", "id1", "both")
    assert.equal(1, code)
    assert.equal("asked 1 server to cancel task both\n", text)
    assert.matches("^task id1 is aggregating .*1 of 2 tasks were not cancelled$", complaint)
    assert.same({ { "both" } }, it_is:called "cancel")
  end)

  it("update replaces the payload, in the form that equal payloads share", function()
    it_is.answers = holding { low = { id1 = task() } }
    it_is.answers.update_payload = { true }
    local code, text, _ = it_is:run("task", "update", "id1", '{ "b": 1, "a": 2 }')
    assert.equal(0, code)
    assert.equal("replaced the payload of task id1 in queue low\n", text)
    assert.same({ { "low", "id1", '{"a":2,"b":1}' } }, it_is:called "update_payload")
    it_is:run("task", "update", "id1", "{x", "--raw")
    assert.same({ { "low", "id1", "{x" } }, it_is:called "update_payload")
    local complaint
    code, _, complaint = it_is:run("task", "update", "id1", "{x")
    assert.equal(1, code)
    assert.matches("^payload: not valid JSON at byte 2.* %(INVALID_PAYLOAD%)$", complaint)
    assert.same({}, it_is.calls)
  end)
end)
