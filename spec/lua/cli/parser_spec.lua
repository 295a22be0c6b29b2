-- From arguments to a command.

local commands = require "mooncrew.cli.commands"
local parser = require "mooncrew.cli.parser"

describe("mooncrew.cli.parser", function()
  local function refuses(message, ...)
    local asked, why = parser.parse { ... }
    assert.is_nil(asked)
    assert.equal(message, why)
  end

  it("finds the command and what was given to it", function()
    local asked = assert(parser.parse { "run", "--workers", "3", "-q", "a=1", "-q", "b", "--no-strict" })
    assert.equal("run", asked.command.name)
    assert.equal("3", asked.given.option_workers)
    assert.same({ "a=1", "b" }, asked.given.queue_list)
    assert.is_false(asked.given.option_strict)
  end)

  it("takes a lone dash and what stands behind two for arguments", function()
    assert.equal("-", assert(parser.parse { "enqueue", "a", "-" }).given.payload)
    assert.equal("-1", assert(parser.parse { "enqueue", "a", "--", "-1" }).given.payload)
  end)

  it("takes the last of several values, so that a script can add its own", function()
    assert.equal("y", assert(parser.parse { "enqueue", "a", "--queue", "x", "--queue=y" }).given.queue)
    assert.is_true(assert(parser.parse { "stats", "--json", "--json" }).given.json)
  end)

  it("tells in one line what is wrong and where help is", function()
    refuses("unknown option '--worker': did you mean '--workers'; see `mooncrew run --help`", "run", "--worker", "3")
    refuses("unknown option '-1'; see `mooncrew enqueue --help`", "enqueue", "a", "-1")
    refuses("a value that begins with '-' is written behind '=', as in --process-in=-5s; see `mooncrew enqueue --help`",
      "enqueue", "a", "--process-in", "-5s")
    refuses("a value that begins with '-' is written behind '=', as in --max-retry=-1; see `mooncrew enqueue --help`",
      "enqueue", "a", "--max-retry", "-1")
    refuses("missing argument 'TYPE'; see `mooncrew enqueue --help`", "enqueue")
    refuses("too many arguments; see `mooncrew stats --help`", "stats", "x")
    refuses("unknown command 'bogus'; see `mooncrew --help`", "bogus")
    refuses("a command is missing; `mooncrew help` lists them")
  end)

  it("has help for the program, which lists every command", function()
    local help = assert(parser.parse { "--help" }).help
    for _, command in ipairs(commands) do
      assert.truthy(help:find("\n   " .. command.name .. " ", 1, true), command.name)
    end
  end)

  it("has help for every command, whatever else is missing or wrong behind it", function()
    for _, command in ipairs(commands) do
      local help = assert(parser.parse { command.name, "--help", "--bogus" }).help
      assert.truthy(help:find("^Usage: mooncrew " .. command.name))
      assert.equal(help, parser.help { command.name })
    end
  end)

  it("finds a family's command, and asks for one where it is missing", function()
    local asked = assert(parser.parse { "task", "rm", "a", "b", "--yes" })
    assert.equal("rm", asked.command.name)
    assert.same({ "a", "b" }, asked.given.ids)
    refuses("what to do is missing; `mooncrew task --help` lists it", "task")
    refuses("unknown command 'bogus'; see `mooncrew task --help`", "task", "bogus")
    refuses("unknown option '--stat': did you mean '--state'; see `mooncrew task ls --help`",
      "task", "ls", "--stat", "x")
  end)

  it("has help for every command of a family", function()
    for _, family in ipairs(commands) do
      for _, command in ipairs(family.commands or {}) do
        local help = assert(parser.help { family.name, command.name })
        assert.equal(1, help:find(("Usage: mooncrew %s %s "):format(family.name, command.name), 1, true))
      end
    end
  end)

  it("has no help for what is no command", function()
    local help, message = parser.help { "bogus" }
    assert.is_nil(help)
    assert.equal("there is no command 'bogus'; `mooncrew help` lists them", message)
  end)
end)
