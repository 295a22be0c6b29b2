-- task:send_verify_email: one message per task, with a link that can be verified. First with nothing configured, where
-- accounts are files and mail goes to a Maildir; then with PostgreSQL and a mail server, both of them stubs.

package.path = "./scripts/?.lua;./spec/scripts/?.lua;" .. package.path

local accounts = require "lib.accounts.files"
local reader = require "mail_reader"
local temp = require "temp_folder"
local testing = require "mooncrew.testing"
local uv = require "luv"

describe("task:send_verify_email without configuration", function()
  local definition, folder, store

  before_each(function()
    folder = temp.make()
    store = accounts.new(folder)
    uv.os_setenv("APP_DATA", folder)
    uv.os_setenv("APP_URL", "https://example.org")
    definition = testing.load("scripts/send_verify_email.lua")
    assert(store:put_user("ada", { name = "Ada Lovelace", email = "ada@example.org" }))
    assert(store:put_user("sofia", { name = 'Søfía <b>"Çelik"</b> & Söhne', email = "sofia@example.org" }))
  end)

  after_each(function()
    uv.os_unsetenv("APP_DATA")
    uv.os_unsetenv("APP_URL")
    temp.remove(folder)
  end)

  -- Performs the task for a user and reads the message that it says it delivered.
  local function deliver(username, options)
    local run = testing.perform(definition, { username = username }, options)
    assert.are.equal("done", run.outcome, run.error)
    return reader.read(temp.read(folder .. "/Maildir/" .. run.result.path)), run
  end

  local function messages()
    local ok, names = pcall(temp.names, folder .. "/Maildir/new")
    return ok and names or {}
  end

  it("delivers one message to the user's address", function()
    local mail, run = deliver("ada")
    assert.are.equal('"Ada Lovelace" <ada@example.org>', mail.headers.to)
    assert.are.equal("Is this your address, Ada Lovelace?", mail.headers.subject)
    assert.are.equal("<" .. run.result.message_id .. ">", mail.headers["message-id"])
    assert.are.same({ run.result.path }, { "new/" .. messages()[1] })
    assert.are.equal(1, #messages())
  end)

  it("puts a link into both alternatives that stands for the user, for a day", function()
    local mail = deliver("ada")
    local link = mail.parts[1].text:match("\n(https://example%.org/verify/[%w_-]+)\n")
    assert.is_truthy(mail.parts[2].text:find('<a href="' .. link .. '">', 1, true))
    local secret = link:match("[%w_-]+$")
    assert.are.equal("ada", store:verify(secret, os.time()))
    assert.are.same({ nil, "expired" }, { store:verify(secret, os.time() + 24 * 3600) })
  end)

  it("encodes names for the header, and escapes them for HTML alone", function()
    local mail = deliver("sofia")
    local name = 'Søfía <b>"Çelik"</b> & Söhne'
    assert.are.equal(name .. " <sofia@example.org>", reader.decode_words(mail.headers.to))
    assert.is_truthy(mail.parts[1].text:find("Hello " .. name .. ",", 1, true))
    assert.is_truthy(mail.parts[2].text:find("Hello Søfía &lt;b&gt;&quot;Çelik&quot;&lt;/b&gt; &amp; Söhne,", 1, true))
  end)

  it("sends another secret for each task", function()
    local first, second = deliver("ada", { id = "one" }), deliver("ada", { id = "two" })
    assert.are_not.equal(first.parts[1].text, second.parts[1].text)
    assert.are_not.equal(first.headers["message-id"], second.headers["message-id"])
    assert.are.equal(2, #messages())
  end)

  it("sends nothing in a second run of its task", function()
    deliver("ada")
    testing.perform(definition, { username = "ada" })
    assert.done { sent_before = true }
    assert.are.equal(1, #messages())
  end)

  it("sends the same message again when nobody noted that it was sent", function()
    local first = deliver("ada")
    local path = folder .. "/verifications/task-1.json"
    temp.write(path, (temp.read(path):gsub("true", "false")))
    local second = deliver("ada")
    assert.are.equal(first.parts[1].text, second.parts[1].text)
    assert.are.equal(first.headers["message-id"], second.headers["message-id"])
    assert.are.equal(1, #temp.names(folder .. "/secrets"))
  end)

  it("keeps the secret out of its result and its log", function()
    local mail, run = deliver("ada")
    local secret = mail.parts[1].text:match("/verify/([%w_-]+)")
    assert.is_truthy(run.logs[1])
    local said = require("mooncrew").json.encode({ run.result, run.logs })
    assert.is_nil(said:find(secret, 1, true), said)
  end)

  it("archives the task of an unknown user at once", function()
    local run = testing.perform(definition, { username = "nobody" })
    assert.are.equal("skip_retry", run.outcome)
    assert.is_truthy(run.error:find("no user has the name nobody", 1, true), run.error)
    assert.are.same({}, messages())
  end)

  it("archives the task of a user whose address fits no header", function()
    assert(store:put_user("eve", { name = "Eve", email = "eve@example.org\r\nBcc: all@example.org" }))
    local run = testing.perform(definition, { username = "eve" })
    assert.are.equal("skip_retry", run.outcome)
    assert.are.same({}, messages())
  end)

  it("fails, to be tried again, while the store is broken", function()
    temp.write(folder .. "/users/ada.json", "{")
    local run = testing.perform(definition, { username = "ada" })
    assert.are.equal("failed", run.outcome)
    assert.is_truthy(run.error:find("users/ada.json", 1, true), run.error)
    assert.are.same({}, messages())
  end)

  it("is not called with a payload that does not fit", function()
    for payload, reason in pairs({
      [{ username = 42 }] = "payload.username: expected string",
      [{ username = "" }] = "payload.username",
      [{}] = "payload.username",
      [{ username = "ada", admin = true }] = "payload.admin",
    }) do
      local run = testing.perform(definition, payload)
      assert.are.equal("invalid", run.outcome)
      assert.is_truthy(run.error:find(reason, 1, true), run.error)
    end
    assert.are.same({}, messages())
  end)
end)

-- What the statements of lib/accounts/postgres.lua do to the rows of its tables.
local function fake_database(users)
  local verifications = {}
  testing.stub_postgres {
    ["SELECT name, email FROM users WHERE username = $1"] = function(_, params)
      return { users[params[1]] }
    end,
    ["INSERT INTO verifications *"] = function(_, params)
      local taken = verifications[params[1]]
      verifications[params[1]] = taken or { secret = params[3], sent = false }
      return { affected = taken and 0 or 1 }
    end,
    ["UPDATE verifications SET expires_at = *"] = function(_, params)
      return { verifications[params[1]] }
    end,
    ["UPDATE verifications SET sent_at = *"] = function(_, params)
      verifications[params[1]].sent = true
      return { affected = 1 }
    end,
  }
  return verifications
end

describe("task:send_verify_email with PostgreSQL and a mail server", function()
  local definition, verifications

  before_each(function()
    uv.os_setenv("APP_DATABASE_URL", "postgres://app:hidden@db/app")
    uv.os_setenv("MOONCREW_SMTP_URL", "smtp://mail.example.org")
    definition = testing.load("scripts/send_verify_email.lua")
    verifications = fake_database { ada = { name = "Ada Lovelace", email = "ada@example.org" } }
  end)

  after_each(function()
    uv.os_unsetenv("APP_DATABASE_URL")
    uv.os_unsetenv("MOONCREW_SMTP_URL")
  end)

  local function perform(options)
    return testing.perform(definition, { username = "ada" }, options)
  end

  it("sends the secret that it stored", function()
    local run = perform()
    assert.done(run, { message_id = "task-1@example.org", reply = "250 OK" })
    assert.mailed { to = "Ada Lovelace <ada@example.org>", subject = "Is this your address, Ada Lovelace?" }
    local link = "http://localhost:8080/verify/" .. verifications["task-1"].secret
    assert.is_truthy(run.mails[1].text:find("\n" .. link .. "\n", 1, true))
    assert.is_truthy(run.mails[1].html:find('<a href="' .. link .. '">', 1, true))
    assert.is_true(verifications["task-1"].sent)
  end)

  it("keeps its secret in one transaction, and sends when that is over", function()
    local kinds = {}
    for i, query in ipairs(perform().queries) do
      kinds[i] = query.sql:match("^%a+")
    end
    assert.are.same({ "SELECT", "BEGIN", "INSERT", "UPDATE", "COMMIT", "UPDATE" }, kinds)
  end)

  it("sends one secret and one Message-ID, however often its task runs", function()
    testing.stub_mail(function()
      return nil, "no answer within 60 s", "TIMEOUT" -- and yet the server may have it
    end)
    local first, second = perform(), perform({ retried = 1 })
    assert.retried(first)
    assert.are.equal(first.mails[1].message_id, second.mails[1].message_id)
    assert.are.equal(first.mails[1].text, second.mails[1].text)
  end)

  it("sends nothing when it was sent before", function()
    perform()
    assert.done(perform(), { sent_before = true })
    assert.has_no.mailed()
  end)

  it("gives up where the server says no for good", function()
    testing.stub_mail(function()
      return nil, "smtp://mail.example.org: the server refused: 550 5.1.1 nobody of this name", "REJECTED"
    end)
    assert.are.equal("skip_retry", perform().outcome)
    assert.archived("550 5.1.1 nobody of this name")
    assert.is_false(verifications["task-1"].sent)
  end)

  it("is tried again where it says later, is not there, or knows us not", function()
    for code, why in pairs {
      DEFERRED = "the server refused: 451 4.3.0 come back later", CONNECTION = "connection refused",
      TLS = "the certificate has expired", REJECTED = "the server refused: 535 5.7.8 authentication failed",
    } do
      testing.stub_mail(function()
        return nil, why, code
      end)
      assert.retried(perform())
      assert.failed(why)
    end
  end)

  it("archives the task of an unknown user at once", function()
    testing.perform(definition, { username = "nobody" })
    assert.archived("no user has the name nobody")
    assert.has_no.mailed()
  end)

  it("is tried again while the database is away", function()
    testing.stub_postgres(function()
      return nil, "connection refused", "UNAVAILABLE"
    end)
    assert.retried(perform())
    assert.has_no.mailed()
  end)
end)
