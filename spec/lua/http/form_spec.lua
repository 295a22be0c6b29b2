local form = require "mooncrew.http.form"

describe("a form", function()
  it("is sorted by name, arrays repeat theirs", function()
    assert.are.equal("a=1&b=x%20y&b=true&c=9007199254740991",
      form.encode({ c = 2 ^ 53 - 1, b = { "x y", true }, a = 1 }, "%20"))
    assert.are.equal("a%2B=b+c%26%3D", form.encode({ ["a+"] = "b c&=" }, "+"))
    assert.are.equal("", form.encode({ none = {} }, "+"))
  end)

  it("refuses what is no text", function()
    for _, fields in ipairs { { a = { {} } }, { a = print }, { "x" } } do
      assert.is_nil((form.encode(fields, "+")))
    end
    assert.are.equal("expected table, got string", select(2, form.encode("a=b", "+")))
  end)
end)
