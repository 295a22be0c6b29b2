-- Asking before something is destroyed.

local confirm = require "mooncrew.cli.confirm"

describe("mooncrew.cli.confirm", function()
  local asked

  before_each(function()
    asked = ""
  end)

  local function answer(text, terminal, given)
    local has_terminal, read, write = confirm.has_terminal, confirm.read, confirm.write
    confirm.has_terminal = function() return terminal ~= false end
    confirm.read = function() return text end
    confirm.write = function(question) asked = asked .. question end
    local result = { confirm.ask(given or {}, "delete task x") }
    confirm.has_terminal, confirm.read, confirm.write = has_terminal, read, write
    return unpack(result, 1, 3)
  end

  it("does not ask when --yes was given", function()
    assert.is_true(confirm.ask({ yes = true }, "delete task x"))
  end)

  it("takes y and yes, and nothing else", function()
    for _, text in ipairs { "y", "Y", "yes" } do
      assert.is_true((answer(text)))
    end
    assert.equal("delete task x? [y/N] ", asked:sub(1, 21))
    for _, text in ipairs { "", "n", "yess", "no" } do
      local ok, message, code = answer(text)
      assert.is_nil(ok)
      assert.equal("nothing was done", message)
      assert.equal("DECLINED", code)
    end
    assert.equal("nothing was done", select(2, answer(nil)), "the end of input")
  end)

  it("refuses where nobody can answer", function()
    local ok, message, code = answer("y", false)
    assert.is_nil(ok)
    assert.equal('"delete task x?" needs an answer, and there is no terminal to ask at: add --yes', message)
    assert.equal("NEEDS_YES", code)
    assert.equal("", asked)
  end)

  it("never asks a program, even at a terminal", function()
    local ok, message, code = answer("y", true, { json = true })
    assert.is_nil(ok)
    assert.equal('"delete task x?" needs an answer, and --json does not ask: add --yes', message)
    assert.equal("NEEDS_YES", code)
    assert.equal("", asked)
  end)
end)
