local address = require "mooncrew.mail.address"

describe("a mail address", function()
  it("is read from text or a table", function()
    for text, wanted in pairs { ["a@b.org"] = { address = "a@b.org" }, [" a@b.org "] = { address = "a@b.org" },
      ["Zoë Müller <zoe@b.org>"] = { name = "Zoë Müller", address = "zoe@b.org" }, ["<a@b>"] = { address = "a@b" },
      ['"Müller, \\"Zoë\\"" <zoe@b.org>'] = { name = 'Müller, "Zoë"', address = "zoe@b.org" } } do
      assert.are.same(wanted, address.read(text))
    end
    assert.are.same({ name = "Z", address = "z+tag@b.org" }, address.read { name = "Z", address = "z+tag@b.org" })
    assert.are.same({ { address = "a@b" }, { address = "c@d" } }, address.read_all { "a@b", { address = "c@d" } })
    assert.are.same({}, address.read_all(nil))
  end)

  it("is refused where it is none", function()
    for _, text in ipairs { "", "a", "@b", "a@", "a@b@c", "a b@c", "a@b c", ".a@b", "a.@b", "a..b@c", "a@-b", "a@b-",
      "a@b..c", "a@.b", "ü@b", "a@ü", "a,b@c", "a@b, c@d", ("a"):rep(65) .. "@b", "a@" .. ("b"):rep(64), "a@b>",
      "X <a@b> Y", "X\n <a@b>", "\255 <a@b>", "a@b\r\nX: y", "a\0@b" } do
      local box, message, code = address.read(text)
      assert.is_nil(box, text)
      assert.are.equal("INVALID_ADDRESS", code)
      assert.is_nil(message:find("%c"))
    end
    local box, message, code = address.read(5)
    assert.are.same({ nil, nil }, { box, code })
    assert.are.equal('expected "Name <name@example.com>" or {name=, address=}, got number', message)
  end)
end)
