-- mooncrew wait, on a client that answers as the spec says.

package.path = "./spec/lua/cli/?.lua;" .. package.path

local console = require "console"

describe("mooncrew wait", function()
  local it_is

  before_each(function()
    it_is = console.open()
    it_is.answers.stats = { { queues = { { name = "low" } }, servers = {} } }
    it_is.answers.task = { { id = "id1", queue = "low", state = "pending" } }
  end)

  after_each(function() it_is:close() end)

  it("prints the result, and nothing when there is none", function()
    it_is.answers.wait = { { id = "id1", queue = "low", state = "completed", result = '{"a":1}' } }
    local code, text, _ = it_is:run("wait", "id1", "--timeout", "2m")
    assert.equal(0, code)
    assert.equal('{\n  "a": 1\n}\n', text)
    assert.same({ { "id1", "2m", "low" } }, it_is:called "wait")
    _, text = it_is:run("wait", "id1", "--json")
    assert.equal('{"id":"id1","queue":"low","result":{"a":1},"state":"completed"}\n', text)
    it_is.answers.wait = { { id = "id1", queue = "low", state = "completed" } }
    _, text = it_is:run("wait", "id1", "-q", "low")
    assert.equal("", text)
    assert.same({}, it_is:called "stats", "with --queue nothing is searched")
  end)

  it("fails with what became of the task", function()
    it_is.answers.wait = { nil, "no route", "ARCHIVED" }
    local code, text, complaint = it_is:run("wait", "id1")
    assert.equal(1, code)
    assert.equal("", text)
    assert.equal("no route (ARCHIVED)", complaint)
  end)

  it("calls a task gone that no queue has", function()
    it_is.answers.task = { nil, "no task", "NOT_FOUND" }
    local code, _, complaint = it_is:run("wait", "id1")
    assert.equal(1, code)
    assert.equal("no queue has a task \"id1\": done and not retained, deleted, or never enqueued (GONE)", complaint)
  end)

  it("calls a time-out that is no duration wrong usage", function()
    local code, _, complaint = it_is:run("wait", "id1", "--timeout", "x")
    assert.equal(2, code)
    assert.matches("^%-%-timeout: 'x' is no duration", complaint)
    assert.same({}, it_is.calls)
  end)
end)
