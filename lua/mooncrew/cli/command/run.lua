-- mooncrew run: the supervisor and its workers, in the foreground.

local flags = require "mooncrew.cli.flags"
local output = require "mooncrew.cli.output"
local scripts = require "mooncrew.scripts"
local settings = require "mooncrew.cli.settings"

local M = { name = "run", summary = "run workers: take tasks from Redis and hand them to the scripts" }

function M.describe(parser)
  parser:description("Runs workers in the foreground: takes tasks from Redis and hands them to the task scripts.\n"
    .. "TERM or INT stops it: what runs may finish within the shutdown time-out, the rest goes back to its queue. HUP "
    .. "or `mooncrew reload` loads the scripts anew, without a pause; so does a change of one with --watch.")
  flags.add(parser)
end

function M.run(given)
  local resolved, message, code = settings.resolve(given)
  if not resolved then
    return nil, message, code
  end
  local found
  found, message = scripts.find(resolved.values.scripts.text)
  if not found then
    return nil, message
  end
  if #found == 0 then
    output.warn(scripts.none(resolved.values.scripts.text))
  end
  return { run = true, config = resolved.config }
end

return M
