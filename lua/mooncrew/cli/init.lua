-- The command line: finds the command, runs it, and tells what comes of it.
--
-- A command is a module in `command/` that returns
--
--   name, summary         what `mooncrew help` lists
--   describe(parser)      adds its arguments to a command of argparse; may set `description`
--   passes_on             optional: all arguments go to another program, as given.arguments
--   run(given)            → nil: done │ an outcome │ nil, message, code, fields: of codes.lua, FAILED unless given; and
--                         what the failure's JSON object has beside error and code
--
-- A family is a module that returns name, summary and commands, a list of such modules: `mooncrew queue ls`.
--
-- An outcome is { exit_code = N } or { run = true, config = userdata, redis = pid, redis_folder = path }: then C starts
-- the supervisor.

local codes = require "mooncrew.cli.codes"
local output = require "mooncrew.cli.output"
local parser = require "mooncrew.cli.parser"

local M = {}

-- Whether the arguments ask for JSON; what stands behind "--" is no option.
local function wants_json(args)
  for _, word in ipairs(args) do
    if word == "--" then
      return false
    elseif word == "--json" then
      return true
    end
  end
  return false
end

-- ONE object tells a program of a failure.
local function print_failure(failure)
  local object = {}
  for name, value in pairs(failure.fields or {}) do
    object[name] = value
  end
  object.error, object.code = failure.message, failure.code
  output.json(object)
end

-- What the command gives: an outcome, or nil and its failure.
local function run_command(command, given)
  local result, message, code, fields = command.run(given)
  if message then
    return nil, { message = message, code = code or "FAILED", fields = fields }
  end
  return result or { exit_code = 0 }
end

local function run_line(args)
  local asked, message = parser.parse(args)
  if not asked then
    return nil, { message = message, code = "USAGE" }
  elseif asked.help then
    output.write(asked.help .. "\n")
    return { exit_code = 0 }
  end
  return run_command(asked.command, asked.given)
end

-- A bug is told where C catches it, with its place; a program is told before.
local function run_caught(args, as_json)
  local outcome, failure
  local sound, traceback = xpcall(function()
    outcome, failure = run_line(args)
  end, function(why)
    return debug.traceback(tostring(why), 2)
  end)
  if not sound then
    if as_json then
      print_failure { message = "a bug in the command line: " .. traceback:match "^[^\n]*", code = "INTERNAL" }
      output.finish()
    end
    error(traceback, 0)
  end
  return outcome, failure
end

---@param args string[] without the program's name
---@return table outcome
function M.main(args)
  local as_json = wants_json(args)
  local outcome, failure = run_caught(args, as_json)
  if failure and as_json then
    print_failure(failure)
  end
  local written, why = output.finish()
  if outcome and not written then
    failure = { message = why, code = "IO_ERROR" }
  end
  if failure then
    output.complain(codes.told(failure.message, failure.code))
    return { exit_code = codes.exit_code(failure.code) }
  end
  return outcome
end

return M
