local encoded_words = require "mooncrew.mail.encoded_word"

describe("encoded words", function()
  it("stay within their limits and cut no character, wherever they begin", function()
    local text = ("aü語🌙"):rep(40)
    for column = 0, 80 do
      local encoded = encoded_words(text, column)
      local first = true
      for part in (encoded .. "\r\n"):gmatch("(.-)\r\n") do
        local word = part:match("^ ?(%S*)$")
        assert.is_true(#word <= 75)
        local line = (first and column or 0) + #part
        assert.is_true(line <= 76 or word == "", part)
        first = false
      end
      for bytes in encoded:gmatch("=%?UTF%-8%?B%?([^?]*)%?=") do
        assert.is_true(#bytes % 4 == 0 and #bytes > 0)
      end
    end
  end)

  it("are one where it fits", function()
    assert.are.equal("=?UTF-8?B?WsO8cmljaA==?=", (encoded_words("Zürich", 9)))
  end)
end)
