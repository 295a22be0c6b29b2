local script_name = require "mooncrew.cli.script_name"

describe("the file of a task type", function()
  it("is named after it", function()
    for type, name in pairs { ["email:welcome"] = "email_welcome", ["image:*"] = "image", ["a:b/c-d.e"] = "a_b_c-d_e",
      ["émail:größe"] = "émail_größe", [":a::b:"] = "a_b", ["with blanks"] = "with_blanks",
      ["-x"] = "x", ["_-_a"] = "a" } do
      assert.equal(name, script_name(type))
    end
  end)

  it("does not hide a module that exists", function()
    for _, type in ipairs { "string", "mooncrew", "luv", "cjson" } do
      assert.equal(type .. "_task", script_name(type))
    end
  end)

  it("is refused where the type is none, in one line", function()
    for type, reason in pairs { [""] = "is empty", ["../x"] = "begins like a path", [".x"] = "begins like a path",
      ["a/../b"] = "looks like a path", ["x.lua"] = "is the name of a file", ["a*b"] = 'has a "*" before its end',
      ["*"] = "has no letter", ["--"] = "has no letter",
      ["a\0b"] = "has a control character", ["\255"] = "is not valid UTF-8",
      [("x"):rep(201)] = "is too long" } do
      local name, message = script_name(type)
      assert.is_nil(name)
      assert.truthy(message:find(reason, 1, true), message)
      assert.is_nil(message:find("\n", 1, true))
    end
  end)
end)
