-- The commands, in the order in which `mooncrew help` lists them.

return {
  require "mooncrew.cli.command.dev",
  require "mooncrew.cli.command.run",
  require "mooncrew.cli.command.new",
  require "mooncrew.cli.command.check",
  require "mooncrew.cli.command.test",
  require "mooncrew.cli.command.gen",
  require "mooncrew.cli.command.enqueue",
  require "mooncrew.cli.command.reload",
  require "mooncrew.cli.command.stats",
  require "mooncrew.cli.queue",
  require "mooncrew.cli.task",
  require "mooncrew.cli.group",
  require "mooncrew.cli.cron",
  require "mooncrew.cli.server",
  require "mooncrew.cli.wait",
  require "mooncrew.cli.command.config",
  require "mooncrew.cli.command.completion",
  require "mooncrew.cli.command.version",
  require "mooncrew.cli.command.help",
}
