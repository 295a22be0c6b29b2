local server = require "mooncrew.mail.server"

describe("the mail server", function()
  after_each(function()
    server.configure {}
  end)

  it("is what the call says, over what is configured", function()
    server.configure { url = "smtp://ada:p%40ss@mail.example.org:587", timeout = 5, verify = false }
    local whole = server.resolve { timeout = 7 }
    assert.are.same({ url = "smtp://mail.example.org:587/", shown = "smtp://mail.example.org:587", secure = false,
      username = "ada", password = "p@ss", timeout = 7, verify = false, starttls = "require" }, whole)
    whole = server.resolve { url = "smtps://h", username = "bob", starttls = "try" }
    assert.are.same({ true, "bob", "try" }, { whole.secure, whole.username, whole.starttls })
  end)

  it("tries STARTTLS where there is no login to protect", function()
    assert.are.equal("try", server.resolve({ url = "smtp://h" }).starttls)
    assert.are.equal("require", server.resolve({ url = "smtp://h", username = "a" }).starttls)
  end)

  it("is refused without a word of its password", function()
    for _, url in ipairs { "http://a:s3cret@h", "smtp://a:s3cret@", "smtp://a:s3cret@h:x", "s3cret" } do
      local checked, message = server.check { url = url }
      assert.is_nil(checked)
      assert.is_nil(message:find("s3cret", 1, true), message)
    end
  end)
end)
