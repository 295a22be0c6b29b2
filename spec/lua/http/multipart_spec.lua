local multipart = require "mooncrew.http.multipart"

describe("a multipart body", function()
  it("is a table by name or a list in order", function()
    assert.are.same({ { name = "a", content = "1" }, { name = "b", file = "/f", type = "x/y" } },
      multipart { b = { file = "/f", type = "x/y" }, a = 1 })
    assert.are.same({ { name = "z", content = "1" }, { name = "a", content = "2", filename = "f" } },
      multipart { { name = "z", content = "1" }, { name = "a", content = "2", filename = "f" } })
  end)

  it("is refused where it is not one", function()
    for _, given in ipairs { {}, "x", { a = {} }, { a = { content = "1", file = "f" } }, { a = { contents = "1" } },
      { { content = "1" } }, { a = print }, { a = { content = "", type = "x\r\nY: z" } }, { a = { content = 1 } },
      { ["a"] = { content = "", filename = "f\0" } } } do
      local parts, message = multipart(given)
      assert.is_nil(parts)
      assert.is_string(message)
    end
    assert.is_truthy(select(2, multipart { a = { contents = "1" } }):find("did you mean 'content'?", 1, true))
  end)
end)
