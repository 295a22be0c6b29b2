-- Identifiers from any text.

local names = require "mooncrew.gen.names"

describe("names of generated code", function()
  it("are the words of a text", function()
    for text, words in pairs {
      ["task:send_verify_email"] = { "task", "send", "verify", "email" }, userId = { "user", "id" },
      ["größe"] = { "gru00f6u00dfe" }, ["日"] = { "u65e5" }, ["😀"] = { "u1f600" }, ["--"] = {}, [""] = {},
      ["a b\n\"c"] = { "a", "b", "c" },
    } do
      assert.are.same(words, names.words(text))
    end
  end)

  it("follow the style of the language", function()
    assert.are.equal("send_email", names.snake { "send", "email" })
    assert.are.equal("SendEmail", names.pascal { "send", "email" })
    assert.are.equal("UserID", names.pascal { "user", "id" })
    assert.are.equal("V1_2", names.pascal { "v1", "2" })
    assert.are.equal("X2fa", names.exported({ "2fa" }, "Task"))
    assert.are.equal("Task", names.exported({}, "Task"))
  end)

  it("are taken once, with all their forms, and are no words of the language", function()
    local scope = names.scope "int class"
    assert.are.same({ "a", "a_2", "a_3" }, { scope:take "a", scope:take "a", scope:take "a" })
    assert.are.equal("list", scope:take("list", { "%s", "%s_count" }))
    assert.are.equal("list_count_2", scope:take "list_count")
    assert.are.equal("x2", scope:take "2")
    assert.are.same({ "int_", "int__2" }, { scope:take "int", scope:take "int" })
    assert.are.equal("int", scope:take("int", { "%s_payload" }))
  end)
end)
