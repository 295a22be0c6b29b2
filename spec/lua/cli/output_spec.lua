-- Tables and fields for people.

local output = require "mooncrew.cli.output"

describe("mooncrew.cli.output.grid", function()
  it("aligns columns, numbers to the right, and leaves no space at line ends", function()
    assert.equal("QUEUE     PENDING  NOTE\ncritical      100\nlow             2  paused\n",
      output.grid({ "QUEUE", ">PENDING", "NOTE" }, { { "critical", 100, "" }, { "low", 2, "paused" } }))
  end)

  it("counts characters, not bytes", function()
    assert.equal("NAME   N\ngröße  1\nabcde  2\n", output.grid({ "NAME", "N" }, { { "größe", 1 }, { "abcde", 2 } }))
  end)

  it("shows a missing cell as nothing and a control character as a question mark", function()
    assert.equal("A     B\n      2\na?b?\n", output.grid({ "A", "B" }, { { nil, 2 }, { "a\nb\27" } }))
  end)

  it("prints the titles of a table without rows", function()
    assert.equal("A  B\n", output.grid({ "A", ">B" }, {}))
  end)
end)

describe("mooncrew.cli.output.fields", function()
  it("aligns values, also those of several lines, and lets no control character through", function()
    local written = {}
    stub(output, "write", function(text) written[#written + 1] = text end)
    output.fields { { "id", "x\27[m" }, { "last error", "one\ntwo\9three" }, { "größe", 3 } }
    output.write:revert()
    assert.equal("id          x?[m\nlast error  one\n            two?three\ngröße       3\n", table.concat(written))
  end)
end)

describe("mooncrew.cli.output", function()
  it("prints bytes that are no text as question marks in JSON", function()
    local written = {}
    stub(output, "write", function(text) written[#written + 1] = text end)
    output.json { ["a\255"] = "b\192c", list = require("mooncrew.json").array {}, text = "größe" }
    output.write:revert()
    assert.equal('{"a?":"b?c","list":[],"text":"größe"}\n', table.concat(written))
  end)

  it("quotes what is no word", function()
    assert.equal("a:b", output.word "a:b")
    assert.equal('""', output.word "")
    assert.equal('"a\\nb"', output.word "a\nb")
  end)

  it("quotes for a shell what is no word of it", function()
    for _, text in ipairs { "a:b", "tenant/7", "ünï", "", "1900000000 id", "it's", "$HOME `x` \"y\" \\",
      "a\27[31m\n'\\", "\255 x" } do
      local word = output.shell_word(text)
      local shell = assert(io.popen(("bash -c 'printf %%s %s'"):format(word:gsub("'", "'\\''"))))
      assert.equal(text, shell:read "*a")
      shell:close()
      assert.not_matches("%c", word)
    end
    assert.equal("a:b", output.shell_word "a:b")
  end)
end)
