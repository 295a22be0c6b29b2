local headers = require "mooncrew.http.headers"

describe("headers", function()
  it("that go out are checked", function()
    assert.are.same({ ["x-a"] = "1", accept = { "b", "c" }, n = "5" },
      headers.check { ["X-A"] = "1", Accept = { "b", "c" }, n = 5 })
    for name, value in pairs { ["X\r\nY"] = "1", ["X:"] = "1", [""] = "1", X = "1\r\nY: 2", Y = "1\n", Z = "\0",
      W = true, ["Content-Length"] = "5", ["transfer-encoding"] = "chunked" } do
      local checked, message = headers.check { [name] = value }
      assert.is_nil(checked, name)
      assert.is_string(message)
    end
    assert.is_nil((headers.check { L = { "fine", "not\r\nfine" } }))
    assert.is_nil((headers.check { ["X-A"] = "1", ["x-a"] = "2" }))
    assert.are.same({ at = "1700000000123456", half = "0.5" }, headers.check { At = 1700000000123456, half = 0.5 })
    assert.is_nil((headers.check { N = 0 / 0 }))
  end)

  it("go out as lines, spelled as people do", function()
    assert.are.same({ "Accept: b", "Accept: c", "X-Empty;", "X-My-Id: 1" },
      headers.lines { ["x-my-id"] = "1", accept = { "b", "c" }, ["x-empty"] = "" })
  end)

  it("that come in are collected", function()
    local head = "HTTP/1.1 200 O:K\r\nA: 1\r\na:2 \r\nFolded: x\r\n  y\r\nB:\r\nrubbish\r\n\r\n"
    assert.are.same({ a = { "1", "2" }, folded = "x y", b = "" }, headers.parse(head))
  end)
end)
