-- demo:flaky: fails as often as its payload says, then succeeds; tries again after a second.

local crew = require "mooncrew"

return crew.task("demo:flaky", {
  max_retry = 5, retry = "1s", retention = "1h",
  payload = crew.schema.object {
    failures = crew.schema.integer { min = 0 },
  },
  perform = function(payload, task)
    if task.retried < payload.failures then
      error(("failure %d of %d, on purpose"):format(task.retried + 1, payload.failures))
    end
    return { attempts = task.retried + 1 }
  end,
})
