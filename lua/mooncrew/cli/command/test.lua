-- mooncrew test: runs the specs, by busted.

local busted = require "mooncrew.cli.busted"
local output = require "mooncrew.cli.output"
local settings = require "mooncrew.cli.settings"
local uv = require "luv"

local M = { name = "test", summary = "run the specs of the scripts", passes_on = true }

local FAILED = 1

local exit = os.exit -- specs may put another in its place

function M.describe(parser)
  parser:description("Runs the specs in spec/, or those that are named, with busted inside of mooncrew: specs find "
    .. "mooncrew.testing and the scripts' own modules, and nothing has to be set up. Needs no Redis. Exits with 1 when "
    .. "a spec fails, or when no test ran. All arguments are busted's, such as --filter=PATTERN, --output=TAP and "
    .. "--verbose.")
  parser:argument("SPEC"):args("*"):description("files and folders (default: spec)")
end

-- A first use, where there is nothing to run yet.
local function nothing_here(args)
  return #args == 0 and not uv.fs_stat "spec" and not uv.fs_stat ".busted"
end

-- Ends the process here: luv crashes when a Lua state is closed in which handles are open, and specs may leave some.
local function leave(passed, message)
  local written, why = output.finish()
  if message then
    output.complain(message)
  end
  if not written then
    output.complain(why)
  end
  exit(passed and written and 0 or FAILED)
end

function M.run(given)
  if not busted.installed() then
    return nil, "busted, which runs the specs, is not installed: apt-get install lua-busted"
  elseif nothing_here(given.arguments) then
    return nil, "there is no folder 'spec' here: `mooncrew new TYPE` writes a first script and its spec"
  end
  local resolved, message, code = settings.resolve {}
  if not resolved then
    return nil, message, code
  end
  leave(busted.run(given.arguments, resolved.values.scripts.text))
end

return M
