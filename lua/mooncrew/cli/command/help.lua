-- mooncrew help: what there is, or one command in detail.

local output = require "mooncrew.cli.output"

local M = { name = "help", summary = "list the commands, or tell about one" }

function M.describe(parser)
  parser:argument("COMMAND"):target("topic"):args("*")
end

function M.run(given)
  local text, message = require("mooncrew.cli.parser").help(given.topic) -- the parser knows all commands, also this one
  if not text then
    return nil, message, "USAGE"
  end
  output.write(text .. "\n")
end

return M
