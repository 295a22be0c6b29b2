-- From arguments to a command and what was given to it, by argparse; errors are one line and never end the process.

local argparse = require "argparse"
local commands = require "mooncrew.cli.commands"

local M = {}

local DESCRIPTION = "Runs background tasks from Redis with handlers written in Lua."
local EPILOG = "`mooncrew COMMAND --help` tells about a command. Exit codes: 0 done, 1 failed, 2 wrong usage."
local WIDTH = 100

---@class mooncrew.cli.Asked
---@field command table the module of the command
---@field given table its arguments
---@field help string? the help text, when that was asked for

-- --help stops parsing at once, so that what is missing behind it does not matter.
local function add_help(parser, stop)
  parser:add_help(false)
  parser:flag("-h --help"):description("show this text"):action(function()
    stop(parser:get_help())
  end)
end

local function build(stop)
  local root = argparse("mooncrew", DESCRIPTION, EPILOG):command_target("command_name"):require_command(false)
    :help_max_width(WIDTH):usage_max_width(WIDTH)
  add_help(root, stop)
  for _, command in ipairs(commands) do
    local parser = root:command(command.name):summary(command.summary):description(command.summary .. ".")
    command.describe(parser)
    add_help(parser, stop)
  end
  return root
end

local function command_find(name)
  for _, command in ipairs(commands) do
    if command.name == name then
      return command
    end
  end
end

-- argparse puts its hint on a line of its own, and has one for a lone letter too. Which command's help to read is the
-- most useful hint of all.
local function one_line(message, args)
  local name = command_find(args[1]) and args[1] .. " " or ""
  message = message:gsub("^(unknown option '%-[^-]').*", "%1")
    :gsub("\nDid you mean one of these: (.*)", ": did you mean one of %1")
    :gsub("\nDid you mean (.-)%?", ": did you mean %1"):gsub("\n", " ")
  return ("%s; see `mooncrew %s--help`"):format(message, name)
end

--- The help text of the program, or of one command.
---@param name? string
---@return string|nil
---@return string? message
function M.help(name)
  if name and not command_find(name) then
    return nil, ("there is no command '%s'; `mooncrew help` lists them"):format(name)
  end
  return M.parse(name and { name, "--help" } or { "--help" }).help
end

---@param args string[]
---@return mooncrew.cli.Asked|nil
---@return string? message
function M.parse(args)
  local help
  local root = build(function(text)
    help = text
    error("stop", 0)
  end)
  local called, ok, given = pcall(root.pparse, root, args)
  if help then
    return { help = help }
  end
  if not called then
    error(ok, 0)
  end
  if not ok then
    return nil, one_line(given, args)
  end
  if not given.command_name then
    return nil, "a command is missing; `mooncrew help` lists them"
  end
  return { command = command_find(given.command_name), given = given }
end

return M
