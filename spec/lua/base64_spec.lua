local base64 = require "mooncrew.base64"

describe("base64", function()
  it("is that of RFC 4648", function()
    local wanted = { [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v", foob = "Zm9vYg==", fooba = "Zm9vYmE=",
      foobar = "Zm9vYmFy", ["\255\254\253\0"] = "//79AA==" }
    for bytes, text in pairs(wanted) do
      assert.are.equal(text, base64(bytes))
    end
  end)

  it("goes on in the same way over its own limits", function()
    assert.are.equal(("Zm9v"):rep(5000) .. "Zg==", base64(("foo"):rep(5000) .. "f"))
  end)
end)
