-- mooncrew cron, on a client that answers as the spec says.

package.path = "./spec/lua/cli/?.lua;" .. package.path

local console = require "console"

describe("mooncrew cron", function()
  local it_is

  before_each(function() it_is = console.open() end)
  after_each(function() it_is:close() end)

  it("ls lists the entries", function()
    it_is.answers.cron = { { { id = "e1", spec = "@every 1m", type = "report", payload = '{"a":1}',
      options = { 'Queue("low")', "MaxRetry(3)" }, next_at = 1896091200, schedulers = 2 } } }
    local code, text, _ = it_is:run("cron", "ls")
    assert.equal(0, code)
    assert.matches("^ID +SPEC +TYPE +NEXT +PREVIOUS +OPTIONS +SCHEDULERS\n", text)
    assert.matches('\ne1 +@every 1m +report +in [%w]+ +%- +Queue%("low"%) MaxRetry%(3%) +2\n$', text)
    _, text = it_is:run("cron", "ls", "--json")
    assert.equal('{"entries":[{"id":"e1","next_at":"2030-01-31T12:00:00Z","options":["Queue(\\"low\\")","MaxRetry(3)"],'
      .. '"payload":{"a":1},"schedulers":2,"spec":"@every 1m","type":"report"}]}\n', text)
    it_is.answers.cron = { {} }
    _, text = it_is:run("cron", "ls")
    assert.equal("no cron entry: no scheduler is alive, or those that are have none\n", text)
  end)

  it("history lists what an entry enqueued", function()
    it_is.answers.cron_history = { { { task_id = "t1", at = 1896091200 } } }
    local code, text, _ = it_is:run("cron", "history", "e1", "--page", "2", "--size", "5")
    assert.equal(0, code)
    assert.matches("^TASK +ENQUEUED\nt1 +2030%-01%-31T12:00:00Z %(in [%w]+%)\n$", text)
    assert.same({ { "e1", { page = 2, size = 5 } } }, it_is:called "cron_history")
    _, text = it_is:run("cron", "history", "e1", "--json")
    assert.equal('{"events":[{"at":"2030-01-31T12:00:00Z","task_id":"t1"}]}\n', text)
  end)

  it("history tells an entry that enqueued nothing yet from one that there is not", function()
    it_is.answers.cron_history = { {} }
    it_is.answers.cron = { { { id = "report:daily" } } }
    local code, text, complaint = it_is:run("cron", "history", "report:daily")
    assert.same({ 0, "" }, { code, complaint })
    assert.matches("^nothing on this page: entry report:daily enqueued nothing", text)
    code, text, complaint = it_is:run("cron", "history", "report:dialy")
    assert.equal(1, code)
    assert.equal("", text)
    assert.equal('no scheduler that is alive has a cron entry "report:dialy", and there is no history of it; '
      .. "did you mean report:daily? (NOT_FOUND)", complaint)
    assert.equal(0, (it_is:run("cron", "history", "report:dialy", "--page", "2")))
  end)
end)
