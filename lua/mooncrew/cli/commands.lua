-- The commands, in the order in which `mooncrew help` lists them.

return {
  require "mooncrew.cli.command.dev",
  require "mooncrew.cli.command.run",
  require "mooncrew.cli.command.check",
  require "mooncrew.cli.command.enqueue",
  require "mooncrew.cli.command.queue",
  require "mooncrew.cli.command.stats",
  require "mooncrew.cli.command.config",
  require "mooncrew.cli.command.version",
  require "mooncrew.cli.command.help",
}
