-- crew.mail above its backend, which is stubbed here; tests/integration/mail_spec.lua has a real server.

local mail = require "mooncrew.mail"

describe("crew.mail", function()
  local backend, sent

  before_each(function()
    backend, sent = mail.backend, {}
    mail.backend = function(message)
      sent[#sent + 1] = message
      return {}
    end
  end)
  after_each(function()
    mail.backend = backend
  end)

  it("hands the message to the backend, in parts and as bytes", function()
    local answer = mail.send { from = "Ada <a@x.org>", to = { "b@x.org", { name = "C", address = "c@x.org" } },
      bcc = "b@x.org", subject = "Hi", text = "x", date = 0, message_id = "i@x.org",
      attachments = { { name = "a.pdf", content = "%" } } }
    assert.are.same({ message_id = "i@x.org", recipients = { "b@x.org", "c@x.org" } }, answer)
    local message = sent[1]
    assert.are.same({ name = "Ada", address = "a@x.org" }, message.from)
    assert.are.same({ { name = "a.pdf", type = "application/pdf", content = "%" } }, message.attachments)
    assert.are.same({ "b@x.org", "c@x.org" }, message.recipients)
    assert.is_truthy(message.bytes:find("^Date: Thu, 01 Jan 1970 00:00:00 %+0000\r\nFrom: Ada <a@x.org>\r\nTo: b@x.org,"
      .. " C <c@x.org>\r\nSubject: Hi\r\nMessage%-ID: <i@x.org>\r\nMIME%-Version: 1.0\r\n"))
    assert.is_nil(message.bytes:find("[^\r]\n"))
  end)

  it("raises on misuse, where it is called", function()
    local base = { from = "a@x.org", to = "b@x.org", subject = "s", text = "t" }
    for wanted, change in pairs {
      ["unknown option 'subjet', did you mean 'subject'?"] = { subjet = "x" }, ["text: "] = { text = 5 },
      ["to: expected"] = { to = 5 }, ["smtp: unknown option 'hots'"] = { smtp = { hots = "x" } },
      ["Subject is set by the option subject"] = { headers = { Subject = "x" } },
      ["Message-ID is set by the option message_id"] = { headers = { ["Message-ID"] = "x" } },
      ["Content-Type cannot be set: it follows from the content"] = { headers = { ["Content-Type"] = "x" } },
      ["starttls: "] = { smtp = { starttls = true } },
      ["has either content or path"] = { attachments = { { name = "x" } } },
      ["is no content type"] = { attachments = { { name = "x", content = "", type = "x" } } },
      ["nobody gets it"] = { to = {} }, ["no address of an SMTP server"] = { smtp = { url = "http://h" } },
    } do
      local options = {}
      for _, fields in ipairs { base, change } do
        for name, value in pairs(fields) do
          options[name] = value
        end
      end
      local ok, message = pcall(function()
        mail.send(options)
      end)
      assert.is_false(ok, wanted)
      assert.is_truthy(message:find(wanted, 1, true), message)
      assert.is_truthy(message:find("mail_spec.lua:", 1, true), message)
    end
    assert.has_error(function() mail.configure { url = "nowhere" } end)
    assert.has_error(function() mail.send { from = "a@x.org", to = "b@x.org", subject = "s" } end)
    assert.are.same({}, sent)
  end)

  it("says what is wrong with a Message-ID", function()
    for value, wanted in pairs {
      ["order 7@x.org"] = "'order 7@x.org' has a blank in it", ["<a(b)@x.org>"] = "'a(b)@x.org' has '(' in it",
      ["ä@x.org"] = "'ä@x.org' has 'ä' in it", ["a@b@x.org"] = "'a@b@x.org' has '@' in it",
      ["a@x_y"] = "'a@x_y' has '_' in it", abc = "'abc' is not of the form left@right, such as 'order-7@example.org'",
      ["@x.org"] = "is not of the form left@right", [("x"):rep(1000) .. "@x"] = "is 1002 bytes long; 900 are possible",
    } do
      local answer, message, code = mail.send { from = "a@x.org", to = "b@x.org", subject = "s", text = "t",
        message_id = value }
      assert.are.same({ nil, "INVALID_MESSAGE" }, { answer, code })
      assert.is_truthy(message:find("message_id: " .. wanted, 1, true) or message:find(wanted, 1, true), message)
      assert.is_true(#message < 200, message)
    end
    assert(mail.send { from = "a@x.org", to = "b@x.org", subject = "s", text = "t", message_id = "<a.b+c@[127.0.0.1]>",
    })
  end)

  it("returns what a payload may have brought along", function()
    for code, change in pairs { INVALID_ADDRESS = { to = "b@x.org\r\nX: y" }, INVALID_MESSAGE = { subject = "a\nb" },
      IO_ERROR = { attachments = { { path = "/nowhere" } } } } do
      local options = { from = "a@x.org", to = "b@x.org", subject = "s", text = "t" }
      for name, value in pairs(change) do
        options[name] = value
      end
      local answer, message, got = mail.send(options)
      assert.are.same({ nil, code }, { answer, got })
      assert.is_nil(message:find("%c"))
    end
  end)
end)
