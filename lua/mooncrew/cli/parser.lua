-- From arguments to a command and what was given to it, by argparse; errors are one line and never end the process.

local argparse = require "argparse"
local commands = require "mooncrew.cli.commands"
local version = require "mooncrew.cli.command.version"

local M = {}

local DESCRIPTION = "Runs background tasks from Redis with handlers written in Lua."
local EPILOG = "`mooncrew COMMAND --help` tells about a command. Exit codes: 0 done, 1 failed, 2 wrong usage."
local WIDTH = 100

-- The methods of argparse that make them.
local COMPLETIONS = { bash = "get_bash_complete", zsh = "get_zsh_complete", fish = "get_fish_complete" }

---@class mooncrew.cli.Asked
---@field command table the module of the command
---@field given table its arguments
---@field help string? the help text, when that was asked for

-- --help, like --version, stops parsing at once, so that what is missing behind it does not matter.
local function add_help(parser, stop)
  parser:add_help(false)
  parser:flag("-h --help"):description("show this text"):action(function()
    stop { help = parser:get_help() }
  end)
end

-- A family, such as `queue`, has commands of its own instead of arguments.
local function add_command(parent, command, stop)
  local parser = parent:command(command.name):summary(command.summary):description(command.summary .. ".")
  if command.commands then
    parser:command_target("family_command_name"):require_command(false)
    for _, member in ipairs(command.commands) do
      add_command(parser, member, stop)
    end
  else
    command.describe(parser)
  end
  add_help(parser, stop)
end

local function build(stop)
  local root = argparse("mooncrew", DESCRIPTION, EPILOG):command_target("command_name"):require_command(false)
    :help_max_width(WIDTH):usage_max_width(WIDTH)
  add_help(root, stop)
  root:flag("--version"):description("the same as `mooncrew version`"):action(function()
    stop { command = version, given = {} }
  end)
  for _, command in ipairs(commands) do
    add_command(root, command, stop)
  end
  return root
end

local function find_in(list, name)
  for _, command in ipairs(list) do
    if command.name == name then
      return command
    end
  end
end

-- How many of the words, from the first on, name a command: 0, 1, or 2 for a family's.
local function count_names(words)
  local command = find_in(commands, words[1])
  if not command then
    return 0
  end
  return command.commands and find_in(command.commands, words[2]) and 2 or 1
end

-- A negative number behind an option is taken for another option.
local function dash_hint(message, args)
  if not message:find("^unknown option '%-[%d.]'") then
    return message
  end
  for i, word in ipairs(args) do
    local option = args[i - 1]
    if word:find("^%-[%d.]") and option and option:find("^%-%-[^=]+$") then
      return ("a value that begins with '-' is written behind '=', as in %s=%s"):format(option, word)
    end
  end
  return message
end

-- --json belongs to commands: before one, or behind a family's name alone, it is not what is wrong.
local function json_hint(message, args)
  if not message:find("^unknown option '%-%-json'") then
    return message
  end
  local names = count_names(args)
  if names == 1 and find_in(commands, args[1]).commands then
    return "what to do is missing"
  end
  return names == 0 and "--json stands behind the command it is for" or message
end

-- argparse puts its hint on a line of its own, and has one for a lone letter too. Which command's help to read is the
-- most useful hint of all.
local function one_line(message, args)
  message = json_hint(dash_hint(message, args), args)
  local name = table.concat(args, " ", 1, count_names(args))
  message = message:gsub("^(unknown option '%-[^-]').*", "%1")
    :gsub("\nDid you mean one of these: (.*)", ": did you mean one of %1")
    :gsub("\nDid you mean (.-)%?", ": did you mean %1"):gsub("\n", " ")
  return ("%s; see `mooncrew %s--help`"):format(message, name == "" and "" or name .. " ")
end

--- The help text of the program, or of one command.
---@param words? string[] what names the command: {}, { "run" }, { "queue", "ls" }
---@return string|nil
---@return string? message
function M.help(words)
  words = words or {}
  if count_names(words) < #words then
    return nil, ("there is no command '%s'; `mooncrew help` lists them"):format(table.concat(words, " "))
  end
  local args = { unpack(words) }
  args[#args + 1] = "--help"
  return M.parse(args).help
end

--- The script that makes a shell complete mooncrew's commands and flags.
---@param shell string "bash", "zsh" or "fish"
---@return string
function M.completion(shell)
  local root = build(function() end)
  return root[COMPLETIONS[shell]](root)
end

-- The module of the command that was asked for, or nil and what to say.
local function chosen(given)
  local command = find_in(commands, given.command_name)
  if not command then
    return nil, "a command is missing; `mooncrew help` lists them"
  end
  if command.commands and not given.family_command_name then
    return nil, ("what to do is missing; `mooncrew %s --help` lists it"):format(command.name)
  end
  return command.commands and find_in(command.commands, given.family_command_name) or command
end

-- What was asked for when the arguments are another program's: only --help is ours.
local function passed_on(args)
  local command = find_in(commands, args[1])
  if not command or not command.passes_on or args[2] == "--help" or args[2] == "-h" then
    return nil
  end
  return { command = command, given = { arguments = { unpack(args, 2) } } }
end

---@param args string[]
---@return mooncrew.cli.Asked|nil
---@return string? message
function M.parse(args)
  local for_another = passed_on(args)
  if for_another then
    return for_another
  end
  local found
  local root = build(function(asked)
    found = asked
    error("stop", 0)
  end)
  local called, ok, given = pcall(root.pparse, root, args)
  if found then
    return found
  end
  if not called then
    error(ok, 0)
  end
  if not ok then
    return nil, one_line(given, args)
  end
  local command, message = chosen(given)
  if not command then
    return nil, message
  end
  return { command = command, given = given }
end

return M
