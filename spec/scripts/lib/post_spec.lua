-- lib/post.lua: one letter, by the server or into the Maildir, and whether a failure is for good.

package.path = "./scripts/?.lua;./spec/scripts/?.lua;" .. package.path

local crew = require "mooncrew"
local post = require "lib.post"
local reader = require "mail_reader"
local temp = require "temp_folder"
local testing = require "mooncrew.testing"
local uv = require "luv"

local LETTER = { to = { name = "Zoë", email = "zoe@example.org" }, subject = "Grüße", text = "Hi", html = "<p>Hi</p>",
  id = "a b@c", date = 1700000000 }

describe("lib.post", function()
  local folder
  local definition = crew.task("post", { perform = function(letter)
    local sent, message, final = post.send(letter)
    return sent or { message = message, final = final or false }
  end })

  before_each(function()
    folder = temp.make()
    uv.os_setenv("APP_DATA", folder)
    uv.os_setenv("APP_MAIL_FROM", "crew@mail.example.com")
  end)

  after_each(function()
    for _, name in ipairs { "APP_DATA", "APP_MAIL_FROM", "MOONCREW_SMTP_URL" } do
      uv.os_unsetenv(name)
    end
    temp.remove(folder)
  end)

  local function send(changes)
    local letter = {}
    for _, fields in ipairs { LETTER, changes or {} } do
      for name, value in pairs(fields) do letter[name] = value end
    end
    local run = testing.perform(definition, letter)
    assert.done(run)
    return run.result, run
  end

  it("writes into the Maildir while there is no server", function()
    for _, url in ipairs { false, "" } do
      if url then uv.os_setenv("MOONCREW_SMTP_URL", url) end
      local sent, run = send()
      assert.are.equal(0, #run.mails)
      local mail = reader.read(temp.read(folder .. "/Maildir/" .. sent.path))
      assert.are.equal("<a=20b=40c@mail.example.com>", mail.headers["message-id"])
      assert.are.equal('"The mooncrew example" <crew@mail.example.com>', mail.headers.from)
    end
  end)

  it("sends the same by a server", function()
    uv.os_setenv("MOONCREW_SMTP_URL", "smtp://localhost")
    local sent, run = send()
    assert.are.same({ message_id = "a=20b=40c@mail.example.com", reply = "250 OK" }, sent)
    assert.mailed(run, { from = "The mooncrew example <crew@mail.example.com>", to = "Zoë <zoe@example.org>",
      subject = "Grüße", text = "Hi", html = "<p>Hi</p>", date = 1700000000,
      headers = { ["Auto-Submitted"] = "auto-generated" } })
    assert.has_error(function() temp.names(folder .. "/Maildir") end)
  end)

  it("gives up an address that cannot be one, either way", function()
    local to = { name = "Eve", email = "eve@example.org\r\nBcc: all@example.org" }
    assert.is_true(send({ to = to }).final)
    uv.os_setenv("MOONCREW_SMTP_URL", "smtp://localhost")
    assert.is_true(send({ to = to }).final)
  end)

  it("tells a no for good from what may pass", function()
    uv.os_setenv("MOONCREW_SMTP_URL", "smtp://localhost")
    for why, is_final in pairs {
      ["REJECTED the server refused: 550 5.1.1 nobody of this name"] = true,
      ["REJECTED the server refused: 535 5.7.8 authentication failed"] = false,
      ["REJECTED the server refused: 530 5.7.0 log in first"] = false,
      ["DEFERRED the server refused: 451 4.3.0 come back later"] = false,
      ["TIMEOUT no answer within 60 s"] = false, ["UNAVAILABLE libcurl is not installed"] = false,
    } do
      local code, message = why:match("^(%u+) (.*)$")
      testing.stub_mail(function()
        return nil, message, code
      end)
      assert.are.same({ message = message, final = is_final }, (send()))
    end
  end)

  it("says why the Maildir cannot be written, which may pass", function()
    temp.write(folder .. "/Maildir", "")
    local failed = send()
    assert.is_truthy(failed.message:find("ENOTDIR", 1, true), failed.message)
    assert.is_false(failed.final)
  end)
end)
