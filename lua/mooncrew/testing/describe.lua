-- Runs, and what they did, in words: for the messages of assertions that do not hold.

local json = require "mooncrew.json"

local describe = {}

--- A value on one line.
---@param value any
---@return string
function describe.value(value)
  local ok, text = pcall(json.encode, value)
  return ok and text or tostring(value)
end

--- What became of a run.
---@param run mooncrew.testing.Run|mooncrew.testing.Fold
---@return string
function describe.outcome(run)
  if not run.outcome then
    local at = run.clock:next_at()
    return at and ("it still waits; its clock has to advance by %g s for the next thing to happen"):format(
      at - run.clock.now) or "it still waits, for something that the clock knows nothing of"
  elseif run.outcome == "done" then
    return "it is done" .. (run.result ~= nil and ", with the result " .. describe.value(run.result) or "")
  end
  local parts = { "its outcome is " .. run.outcome }
  if run.state then
    parts[#parts + 1] = ("so that its task is %s"):format(run.state == "retry" and "retried" or run.state)
  end
  if run.delay then
    parts[#parts + 1] = ("in %g s"):format(run.delay)
  end
  return table.concat(parts, ", ") .. (run.error and ": " .. run.error or "") .. (run.trace and "\n" .. run.trace or "")
end

--- A list, one item on each line.
---@param items table[]
---@param line fun(item: table): string
---@return string
function describe.list(items, line)
  local lines = {}
  for i, item in ipairs(items) do
    lines[i] = ("%d. %s"):format(i, line(item))
  end
  return table.concat(lines, "\n")
end

return describe
