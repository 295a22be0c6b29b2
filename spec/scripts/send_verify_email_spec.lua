-- task:send_verify_email: one message per task, with a link that can be verified.

package.path = "./scripts/?.lua;./spec/scripts/?.lua;" .. package.path

local accounts = require "lib.accounts"
local reader = require "mail_reader"
local temp = require "temp_folder"
local testing = require "mooncrew.testing"
local uv = require "luv"

describe("task:send_verify_email", function()
  local definition, folder, store

  before_each(function()
    folder = temp.make()
    store = accounts.open(folder)
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

  it("sends another secret each time", function()
    local first, second = deliver("ada"), deliver("ada")
    assert.are_not.equal(first.parts[1].text, second.parts[1].text)
    assert.are.equal(2, #messages())
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
