local words = require "mooncrew.redis.words"

describe("a command's words", function()
  it("are bytes, numbers exactly", function()
    assert.are.same({ "SET", "k\0", "-0.1", "9007199254740991" },
      words.of({ "SET", "k\0", -0.1, 9007199254740991 }, 4))
    assert.are.equal("1e+21", words.word(1e21))
    assert.are.same({ "9007199254740992", "100000000000000000", "-9223372036854775808", "0" },
      { words.word(2 ^ 53), words.word(1e17), words.word(-2 ^ 63), words.word(-0) })
    assert.are.equal("-9223372036854775808", words.word(-9223372036854775807LL - 1))
  end)

  it("are refused by their place", function()
    assert.are.same({ nil, "SET, argument 2: expected string or number, got boolean; booleans and tables are for you "
      .. "to write as text (crew.json.encode)" }, { words.of({ "SET", "k", true }, 3) })
    assert.is_nil(words.of({ "SET", "k", 0 / 0 }, 3))
    assert.is_nil(words.of({ 1 }, 1))
  end)

  it("say which commands would hold up or change a shared connection", function()
    for _, command in ipairs { { "BLPOP", "k", "0" }, { "watch", "k" }, { "SELECT", "1" },
      { "XREADGROUP", "GROUP", "g", "c", "block", "0", "STREAMS", "s", ">" } } do
      assert.is_string(words.refusal(command), command[1])
      assert.is_nil(words.refusal(command, true), command[1])
    end
    for _, command in ipairs { { "GET", "BLOCK" }, { "XREAD", "STREAMS", "s", "0" }, { "CLIENT", "LIST" } } do
      assert.is_nil(words.refusal(command), command[1])
    end
    for _, command in ipairs { { "MONITOR" }, { "client", "reply", "off" }, { "HELLO", "3" } } do
      assert.is_string(words.refusal(command, true), command[1])
    end
  end)
end)
