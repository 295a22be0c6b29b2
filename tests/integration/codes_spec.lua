-- What every command says when it fails, to people and to programs. The lines are made from the table of commands, so a
-- command that is added is tested too.
local Node = require "node"
local Process = require "process"
local read_file = require "read_file"
local Terminal = require "terminal"
local argparse = require "argparse"
local cjson = require "cjson"
local codes = require "mooncrew.cli.codes"
local commands = require "mooncrew.cli.commands"
local wait = require "wait"
local with_crew = require("support").with_crew

local NO_REDIS = { config = true } -- have --redis and need none

---@class Line one command
---@field words string[] what it is called by
---@field command table its module
---@field options table<string, boolean> "--json" …
---@field wanted integer arguments that must be given
---@field most integer that may be given

local function line_of(words, command)
  local parser = argparse "x"
  command.describe(parser)
  local line = { words = words, command = command, options = {}, wanted = 0, most = 0 }
  for _, option in ipairs(parser._options) do
    for _, alias in ipairs(option._aliases) do
      line.options[alias] = true
    end
  end
  for _, argument in ipairs(parser._arguments) do
    line.wanted = line.wanted + argument._minargs
    line.most = line.most + math.min(argument._maxargs, 1)
  end
  return line
end

local function collect(list, before, into)
  for _, command in ipairs(list) do
    local words = { unpack(before) }
    words[#words + 1] = command.name
    if command.commands then
      collect(command.commands, words, into)
    else
      into[#into + 1] = line_of(words, command)
    end
  end
  return into
end

local LINES = collect(commands, {}, {})

local function with(line, ...)
  local args = { unpack(line.words) }
  for _, word in ipairs { ... } do
    args[#args + 1] = word
  end
  return args
end

-- Its words with an argument for each that it takes.
local function filled(line, count, ...)
  local args = with(line)
  for _ = 1, count do
    args[#args + 1] = "1"
  end
  for _, word in ipairs { ... } do
    args[#args + 1] = word
  end
  return args
end

-- Exit code, standard output and standard error. Standard input is closed: what asks all the same would fail.
local function run(crew, args, env)
  local shell = { "-c", 'exec "$0" "$@" 2>err <&-', Node.program, unpack(args) }
  local code, text = Process.run("/bin/sh", { args = shell, cwd = crew.folder, env = env or {},
    output = crew:file("command.out", "") }, 30 * wait.patience)
  return code, text, read_file(crew.folder .. "/err")
end

-- The line fails with this exit code and code: one object for a program, and one line for people.
local function fails(crew, args, exit_code, code, env)
  local shown = table.concat(args, " ")
  local ended, text, complaint = run(crew, args, env)
  assert.equal(exit_code, ended, shown .. ": " .. text .. complaint)
  assert.matches("^mooncrew: [^\n]+\n$", complaint, nil, nil, shown)
  assert.matches("^{[^\n]*}\n$", text, nil, nil, shown)
  local object = cjson.decode(text)
  assert.equal(code, object.code, shown .. ": " .. text)
  assert.equal("string", type(object.error), shown)
  return object, complaint
end

-- What bash proposes behind each line for "-": one text per line.
local function bash_proposals(crew)
  local code, script = crew:command { "completion", "bash" }
  assert.equal(0, code)
  local parts, proposed = { script }, {}
  for _, line in ipairs(LINES) do
    parts[#parts + 1] = ('COMP_WORDS=(mooncrew %s -); COMP_CWORD=%d; COMPREPLY=(); _mooncrew; echo "${COMPREPLY[*]}"')
      :format(table.concat(line.words, " "), #line.words + 1)
  end
  local path = crew:file("completion.bash", table.concat(parts, "\n") .. "\n")
  local failed, text = Process.run("/bin/bash", { args = { path }, cwd = crew.folder,
    output = crew:file("bash.out", "") }, 30 * wait.patience)
  assert.equal(0, failed, text)
  for proposals in text:gmatch "([^\n]*)\n" do
    proposed[#proposed + 1] = proposals
  end
  assert.equal(#LINES, #proposed, text)
  return proposed
end

describe("every command", function()
  it("that is used wrongly says so with USAGE, and ends with 2", with_crew(function(crew)
    fails(crew, { "nosuch", "--json" }, 2, "USAGE")
    fails(crew, { "--json" }, 2, "USAGE")
    for _, line in ipairs(LINES) do
      if not line.command.passes_on then
        fails(crew, filled(line, line.wanted, "--no-such-option", "--json"), 2, "USAGE")
        fails(crew, filled(line, 30, "--no-such-option=", "--json"), 2, "USAGE")
        if line.wanted > 0 then
          fails(crew, with(line, "--json"), 2, "USAGE")
        end
      end
    end
    for _, family in ipairs(commands) do
      if family.commands then
        local object = fails(crew, { family.name, "--json" }, 2, "USAGE")
        assert.matches("^what to do is missing", object.error)
        fails(crew, { family.name, "nosuch", "--json" }, 2, "USAGE")
      end
    end
    assert.matches("stands behind the command", (fails(crew, { "--json", "stats" }, 2, "USAGE")).error)
  end))

  it("with JSON says UNAVAILABLE when there is no Redis, and ends with 1", with_crew(function(crew)
    local nowhere, tried = "redis+unix://" .. crew.folder .. "/none.sock", 0
    for _, line in ipairs(LINES) do
      if line.options["--json"] and line.options["--redis"] and not NO_REDIS[line.words[1]] then
        local _, complaint = fails(crew, filled(line, line.most, "--json", "--redis", nowhere), 1, "UNAVAILABLE")
        assert.matches("%(UNAVAILABLE%)\n$", complaint)
        tried = tried + 1
      end
    end
    assert.is_true(tried >= 20, "the table of commands was read")
  end))

  it("says INVALID_CONFIG when its configuration is wrong, and ends with 1", with_crew(function(crew)
    crew:file("bad.lua", "return { worker = 3 }")
    for _, line in ipairs(LINES) do
      if line.options["--config"] and line.options["--json"] then
        fails(crew, filled(line, line.most, "--json", "--config", "bad.lua"), 1, "INVALID_CONFIG")
        fails(crew, filled(line, line.most, "--json"), 1, "INVALID_CONFIG", { MOONCREW_WORKER = "3" })
      elseif line.options["--config"] then
        local code, text, complaint = run(crew, filled(line, line.wanted, "--config", "bad.lua"))
        assert.equal(1, code, text .. complaint)
        assert.equal("", text)
        assert.matches("^mooncrew: bad.lua:1: [^\n]+\n$", complaint)
      end
    end
  end))

  it("that destroys asks, and neither a program nor a closed input is waited for", with_crew(function(crew)
    crew:queue():add { id = "1", type = "t" }
    local env = { MOONCREW_REDIS = crew.server:url() }
    local asked = 0
    for _, line in ipairs(LINES) do
      if line.options["--yes"] then
        asked = asked + 1
        local rest = line.options["--all"] and { "--all", "--queue", "default", "--state", "pending" }
          or { "default", "--force" }
        local args = with(line, unpack(rest))
        local code, text, complaint = run(crew, args, env)
        assert.same({ 2, "" }, { code, text }, table.concat(args, " "))
        assert.matches("add %-%-yes\n$", complaint)
        args[#args + 1] = "--json"
        fails(crew, args, 2, "NEEDS_YES", env)
        local terminal = Terminal.start(Node.program, { args = args, cwd = crew.folder, env = env })
        crew:finally(function() terminal:close() end)
        crew:wait_until("it has ended at a terminal", 20, function() return not terminal.process:alive() end)
      end
    end
    assert.is_true(asked >= 4)
    assert.equal(1, crew:queue():counts().pending)
  end))

  it("is completed by the shells, with all of its options", with_crew(function(crew)
    for _, shell in ipairs { "zsh", "fish" } do
      local code, script = crew:command { "completion", shell }
      assert.equal(0, code)
      for _, line in ipairs(LINES) do
        assert.truthy(script:find(line.words[#line.words], 1, true), shell .. ": " .. table.concat(line.words, " "))
      end
    end
    local proposed = bash_proposals(crew)
    for i, line in ipairs(LINES) do
      for option in pairs(line.options) do
        assert.truthy((" " .. proposed[i] .. " "):find(" " .. option .. " ", 1, true),
          ("%s of %s: %s"):format(option, table.concat(line.words, " "), proposed[i]))
      end
    end
  end))
end)

describe("a code", function()
  it("stands in the reference, and the reference knows no other", function()
    local text, told = read_file "docs/reference.md", {}
    local section = assert(text:match "\n### Codes\n(.-)\n## ")
    for row in section:gmatch "\n|([^|]*)|" do
      for code in row:gmatch "`([A-Z_]+)`" do
        told[#told + 1] = code
      end
    end
    table.sort(told)
    assert.same(codes.all(), told)
  end)

  it("tells what went wrong", with_crew(function(crew)
    local env = { MOONCREW_REDIS = crew.server:url() }
    local function refuses(exit_code, code, ...)
      return fails(crew, { ... }, exit_code, code, env)
    end
    crew:queue():add { id = "a", type = "t" }
    crew:queue "low":add { id = "a", type = "t" }
    crew:queue "low":add { id = "b", type = "t" }
    refuses(1, "NOT_FOUND", "queue", "pause", "defualt", "--json")
    refuses(1, "NOT_FOUND", "queue", "unpause", "nosuch", "--json")
    refuses(1, "NOT_FOUND", "queue", "limit", "nosuch", "--json")
    refuses(1, "NOT_FOUND", "cron", "history", "nosuch", "--json")
    refuses(1, "NOT_FOUND", "task", "inspect", "a\255\n", "--json")
    refuses(1, "AMBIGUOUS", "task", "inspect", "a", "--json")
    refuses(1, "GONE", "wait", "nosuch", "--json")
    refuses(1, "TIMEOUT", "wait", "b", "--timeout", "10ms", "--json")
    refuses(1, "WRONG_STATE", "task", "run", "b", "--json")
    refuses(1, "WRONG_STATE", "task", "cancel", "b", "--json")
    refuses(1, "NOT_EMPTY", "queue", "rm", "low", "--yes", "--json")
    refuses(1, "TASK_ID_CONFLICT", "enqueue", "t", "--task-id", "a", "--no-scripts", "--json")
    refuses(1, "INVALID_PAYLOAD", "enqueue", "t", "{", "--no-scripts", "--json")
    refuses(2, "INVALID_ARGUMENT", "enqueue", "t", "--queue", "a b", "--no-scripts", "--json")
    refuses(2, "INVALID_ARGUMENT", "queue", "pause", "a b", "--new", "--json")
    refuses(1, "NO_SERVER", "reload", "--json")
    local object = refuses(1, "INCOMPLETE", "task", "cancel", "b", "nosuch", "--json")
    assert.same({ "WRONG_STATE", "NOT_FOUND" }, { object.tasks[1].code, object.tasks[2].code })
    crew:script("bad.lua", "crew.task(")
    refuses(1, "INVALID_SCRIPT", "enqueue", "t", "--json")
    object = refuses(1, "INVALID_SCRIPT", "check", "--json")
    assert.equal(1, #object.errors)
  end))
end)
