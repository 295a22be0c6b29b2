local body = require "mooncrew.mail.body"

describe("the content of a message", function()
  it("stays as it is where it is plain", function()
    assert.are.same({ "7bit", "a\r\nb\r\n" }, { body.text("a\nb\r\n") })
    assert.are.same({ "7bit", "a\r\nb" }, { body.text("a\rb") })
  end)

  it("is quoted where it is not", function()
    for given, wanted in pairs { ["grün = 1, nicht mehr"] = "gr=C3=BCn =3D 1, nicht mehr", ["blank "] = "blank=20",
      ["tab\t\nx"] = "tab=09\r\nx", ["From here"] = "=46rom here", ["\0 and some more"] = "=00 and some more" } do
      assert.are.same({ "quoted-printable", wanted }, { body.text(given) })
    end
  end)

  it("has no line longer than 76, and no escape cut in two", function()
    for shift = 0, 8 do
      local _, content = body.text(("x"):rep(shift) .. ("abcdefghijklm=ü"):rep(60))
      for line in (content .. "\r\n"):gmatch("(.-)\r\n") do
        assert.is_true(#line <= 76)
        assert.is_nil(line:gsub("=%x%x", ""):gsub("=$", ""):find("=", 1, true))
      end
    end
    local _, content = body.bytes(("x"):rep(1000))
    for line in content:gmatch("[^\r\n]+") do
      assert.is_true(#line <= 76)
    end
    assert.is_nil(content:find("\r\n$"))
  end)

  it("is base64 where most of it is beyond ASCII", function()
    assert.are.equal("base64", (body.text(("語"):rep(10))))
  end)
end)
