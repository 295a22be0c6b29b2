-- The command line: finds the command, runs it, and tells what comes of it.
--
-- A command is a module in `command/` that returns
--
--   name, summary         what `mooncrew help` lists
--   describe(parser)      adds its arguments to a command of argparse; may set `description`
--   passes_on             optional: all arguments go to another program, as given.arguments
--   run(given)            → nothing: done │ an outcome │ nil, message, exit code (1 unless given)
--
-- A family is a module that returns name, summary and commands, a list of such modules: `mooncrew queue ls`.
--
-- An outcome is { exit_code = N } or { run = true, config = userdata, redis = pid, redis_folder = path }: then C starts
-- the supervisor.

local output = require "mooncrew.cli.output"
local parser = require "mooncrew.cli.parser"

local M = {}

local FAILED, WRONG_USAGE = 1, 2

local function failure(message, exit_code)
  output.complain(message)
  return { exit_code = exit_code }
end

-- A program that asked for JSON gets it for a failure too; what stands at the message's end in brackets is the code.
local function print_failure(args, message)
  for _, word in ipairs(args) do
    if word == "--json" then
      local text, code = message:match("^(.*) %(([A-Z_]+)%)$")
      return output.json { error = text or message, code = code }
    end
  end
end

-- Keeps a failure (nil, message, code) apart from a command that returned nothing at all.
local function run_command(command, given)
  local result, message, exit_code = command.run(given)
  if message then
    return nil, message, exit_code or FAILED
  end
  return result or { exit_code = 0 }
end

---@param args string[] without the program's name
---@return table outcome
function M.main(args)
  local asked, message = parser.parse(args)
  if not asked then
    print_failure(args, message)
    return failure(message, WRONG_USAGE)
  end
  if asked.help then
    output.write(asked.help .. "\n")
    asked.command = { run = function() end }
  end
  local outcome, exit_code
  outcome, message, exit_code = run_command(asked.command, asked.given)
  if not outcome then
    print_failure(args, message)
  end
  local written, why = output.finish()
  if not outcome then
    return failure(message, exit_code)
  end
  if not written then
    return failure(why, FAILED)
  end
  return outcome
end

return M
