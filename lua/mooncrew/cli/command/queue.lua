-- mooncrew queue: what can be done to a whole queue. Each is a module of its own, with the shape of a command.

local M = { name = "queue", summary = "limit what servers take of a queue" }

local MEMBERS = { require "mooncrew.cli.queue_limit" }

function M.describe(parser)
  parser:command_target("queue_command")
  for _, member in ipairs(MEMBERS) do
    member.describe(parser:command(member.name):summary(member.summary):description(member.summary .. ".")
      :add_help(false))
  end
end

function M.run(given)
  for _, member in ipairs(MEMBERS) do
    if member.name == given.queue_command then
      return member.run(given)
    end
  end
end

return M
