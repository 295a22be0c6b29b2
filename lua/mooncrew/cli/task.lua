-- mooncrew task: single tasks, and all of a queue that are in one state.

local task_change = require "mooncrew.cli.task_change"

return {
  name = "task",
  summary = "look at tasks; run, archive, cancel, remove and update them",
  commands = {
    require "mooncrew.cli.task_ls",
    require "mooncrew.cli.task_inspect",
    task_change.new {
      name = "run", verb = "run", doing = "running", done = "queued",
      one = "run_task", all = "run_tasks", asks = false,
      summary = "run tasks now that would run later, or not again",
      description = "Makes tasks pending now: scheduled ones, those that wait for their retry or in a group, "
        .. "archived and completed ones.",
    },
    task_change.new {
      name = "archive", verb = "archive", doing = "archiving", done = "archived",
      one = "archive_task", all = "archive_tasks", asks = false,
      summary = "put tasks into the archive, so that they do not run",
      description = "Archives tasks, so that they do not run until somebody says so. Active ones are refused.",
    },
    require "mooncrew.cli.task_cancel",
    task_change.new {
      name = "rm", verb = "delete", doing = "deleting", done = "deleted",
      one = "delete_task", all = "delete_tasks", asks = true,
      summary = "delete tasks",
      description = "Deletes tasks, and the uniqueness locks they hold. Active ones are refused.",
    },
    require "mooncrew.cli.task_update",
  },
}
