-- The benchmark's task that does nothing.
local crew = require "mooncrew"

return crew.task("bench:noop", {
  perform = function() end,
})
