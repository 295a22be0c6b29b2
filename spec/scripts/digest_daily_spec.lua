-- digest:daily: events become pages, pages become one mail a day and user.

package.path = "./scripts/?.lua;./spec/scripts/?.lua;" .. package.path

local crew = require "mooncrew"
local temp = require "temp_folder"
local testing = require "mooncrew.testing"
local uv = require "luv"

local SEVEN = 1769842800 -- 2026-01-31 07:00:00 UTC

local function event(minute, text)
  return { at = SEVEN - 3600 + minute * 60, text = text }
end

describe("digest:daily", function()
  local folder

  before_each(function()
    folder = temp.make()
    uv.os_setenv("APP_DATA", folder)
    uv.os_setenv("MOONCREW_SMTP_URL", "smtp://mail.example.org")
    testing.load("scripts/digest_daily.lua")
    local store = require("lib.accounts.files").new(folder)
    assert(store:put_user("ada", { name = "Ada", email = "ada@example.org" }))
    assert(store:put_user("grace", { name = "<b>Grace</b>", email = "grace@example.org" }))
  end)

  after_each(function()
    uv.os_unsetenv("APP_DATA")
    uv.os_unsetenv("MOONCREW_SMTP_URL")
    temp.remove(folder)
  end)

  local function add_page(username, events, id)
    assert.done(testing.perform("digest:page", { username = username, events = events }, { id = id }))
  end

  it("folds the events of a user into one page", function()
    local payloads = { { events = { event(1, "one"), event(2, "two") } }, { events = { event(3, "three") } } }
    local fold = testing.fold("digest:ada", payloads, { type = "digest:page" })
    assert.are.equal("folded", fold.outcome, fold.error)
    assert.are.equal("digest:page", fold.type)
    assert.are.equal("ada", fold.payload.username)
    assert.are.same({ event(1, "one"), event(2, "two"), event(3, "three") }, fold.payload.events)
  end)

  it("mails each user once what the pages say, in order", function()
    add_page("ada", { event(5, "five"), event(6, "six") }, "p2")
    add_page("ada", { event(1, "one & only") }, "p1")
    add_page("grace", { event(3, "three") }, "p3")
    local run = testing.perform("digest:daily", nil, { now = SEVEN })
    assert.done { users = 2, enqueued = 2 }
    assert.enqueued("digest:mail", { username = "ada" }, { task_id = "digest-2026-01-31-ada", queue = "low" })
    local mails = testing.drain(run)
    assert.are.equal(2, #mails)
    assert.mailed(mails[1], { to = "Ada <ada@example.org>", subject = "3 things happened",
      text = "Hello Ada,\n\nthis is what happened:\n\n- 06:01 one & only\n- 06:05 five\n- 06:06 six\n" })
    assert.is_truthy(mails[1].mails[1].html:find("<li>06:01 one &amp; only</li>", 1, true))
    assert.mailed(mails[2], { to = "grace@example.org", subject = "One thing happened" })
    assert.is_truthy(mails[2].mails[1].html:find("Hello &lt;b&gt;Grace", 1, true))
  end)

  it("has nothing to say on a day without events", function()
    assert.done(testing.perform("digest:daily"), { users = 0, enqueued = 0 })
    assert.done(testing.perform("digest:mail", { username = "ada" }), { events = 0 })
    assert.has_no.mailed()
  end)

  it("keeps a page once, however often it is added", function()
    add_page("ada", { event(1, "one") }, "p1")
    add_page("ada", { event(1, "one") }, "p1")
    testing.perform("digest:mail", { username = "ada" })
    assert.done { events = 1, pages = 1 }
  end)

  it("keeps the pages until they are sent, and the same Message-ID", function()
    add_page("ada", { event(1, "one") })
    testing.stub_mail(function()
      return nil, "no answer within 60 s", "TIMEOUT"
    end)
    local first = testing.perform("digest:mail", { username = "ada" }, { id = "digest-2026-01-31-ada" })
    assert.retried(first)
    testing.stub_mail(function() end)
    local second = testing.perform("digest:mail", { username = "ada" }, { id = "digest-2026-01-31-ada" })
    assert.done(second, { events = 1 })
    assert.are.equal(first.mails[1].message_id, second.mails[1].message_id)
    testing.perform("digest:mail", { username = "ada" })
    assert.done { events = 0 }
  end)

  it("enqueues nobody's mail twice on a day", function()
    add_page("ada", { event(1, "one") })
    local clock = testing.clock(SEVEN)
    assert.done(testing.start("digest:daily", nil, { clock = clock }), { users = 1, enqueued = 1 })
    assert.done(testing.start("digest:daily", nil, { clock = clock }), { users = 1, enqueued = 0 })
  end)

  it("archives what belongs to nobody", function()
    testing.perform("digest:page", { events = { event(1, "one") } })
    assert.archived("nobody's page")
    testing.perform("digest:page", { username = "", events = { event(1, "one") } })
    assert.archived("nobody's page")
    add_page("stranger", { event(1, "one") })
    testing.perform("digest:mail", { username = "stranger" })
    assert.archived("no user has the name stranger")
  end)

  it("keeps pages of any name apart", function()
    for i, username in ipairs { "a/b", "..", "a", "zoë" } do
      add_page(username, { event(i, "one") }, "p" .. i)
    end
    assert.are.same({ "..", "a", "a/b", "zoë" }, require("lib.pages.files").new(folder):users())
  end)

  it("does not take pages without events", function()
    for _, events in ipairs { crew.array {}, { { at = 1, text = "" } }, { { text = "one" } } } do
      assert.are.equal("invalid", testing.perform("digest:page", { username = "ada", events = events }).outcome)
    end
  end)

  it("goes out at seven, where its users live", function()
    local entry = require("mooncrew.registry").cron[1]
    assert.are.same({ "CRON_TZ=Europe/Paris 0 7 * * *", "digest:daily", "latest", "digest" },
      { entry.spec, entry.type, entry.missed, entry.id })
  end)

  it("keeps its pages in PostgreSQL where there is one", function()
    uv.os_setenv("APP_DATABASE_URL", "postgres://app:hidden@db/app")
    finally(function()
      uv.os_unsetenv("APP_DATABASE_URL")
    end)
    testing.stub_postgres {
      ["SELECT DISTINCT username FROM digest_pages *"] = { { username = "ada" } },
      ["SELECT task_id AS id, events FROM digest_pages *"] = { { id = "p1", events = { event(1, "one") } } },
      ["SELECT name, email FROM users *"] = { { name = "Ada", email = "ada@example.org" } },
      ["INSERT INTO digest_pages *"] = { affected = 1 },
      ["DELETE FROM digest_pages *"] = { affected = 1 },
    }
    add_page("ada", { event(1, "one") }, "p1")
    local run = testing.perform("digest:daily")
    assert.done { users = 1, enqueued = 1 }
    local mails = testing.drain(run)
    assert.mailed(mails[1], { to = "ada@example.org" })
    assert.is_truthy(mails[1].queries[3].sql:find("DELETE FROM digest_pages", 1, true))
  end)
end)
