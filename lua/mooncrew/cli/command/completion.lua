-- mooncrew completion: what makes a shell complete commands and flags.

local output = require "mooncrew.cli.output"

local M = { name = "completion", summary = "print a script that makes a shell complete mooncrew's commands" }

function M.describe(parser)
  parser:description("Prints a script that makes a shell complete mooncrew's commands and flags.\n"
    .. "bash: source <(mooncrew completion bash)\n"
    .. "zsh: mooncrew completion zsh >\"${fpath[1]}/_mooncrew\"\n"
    .. "fish: mooncrew completion fish | source")
  parser:argument("SHELL"):target("shell"):choices { "bash", "zsh", "fish" }
end

function M.run(given)
  output.write(require("mooncrew.cli.parser").completion(given.shell)) -- the parser knows all commands, also this one
end

return M
