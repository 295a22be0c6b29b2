-- Assertions about what became of a run, by their names: see mooncrew.testing.assertions.

local describe = require "mooncrew.testing.describe"
local duration = require "mooncrew.duration"
local match = require "mooncrew.testing.match"

local function seconds_match(expected, actual)
  local seconds, message = duration.seconds(expected)
  if not seconds then
    error("the delay: " .. message, 0)
  end
  return actual == seconds
end

local FAILURES = { failed = true, timed_out = true, cancelled = true, skip_retry = true, invalid = true,
  retry_in = true, killed = true }

local function text_match(expected, actual)
  return match.text(actual, expected)
end

-- Each: the words for it, whether a run has come to that end, with which of its fields a further argument is compared,
-- and how.
local OUTCOMES = {
  done = { "done", function(run)
    return run.outcome == "done" or run.outcome == "folded"
  end, "result", match.matches },
  failed = { "a failure", function(run)
    return FAILURES[run.outcome] or false
  end, "error", text_match },
  retried = { "a failure that is retried", function(run)
    return run.state == "retry"
  end, "delay", seconds_match },
  archived = { "archived", function(run)
    return run.state == "archived"
  end, "error", text_match },
  snoozed = { "snoozed", function(run)
    return run.outcome == "snoozed"
  end, "delay", seconds_match },
  revoked = { "revoked", function(run)
    return run.outcome == "revoked"
  end, "error", text_match },
}

local function outcome_check(outcome)
  local words, holds, field, compare = unpack(outcome)
  return function(run, given)
    local expected = given[1]
    local with = expected ~= nil and (" with the %s %s"):format(field, describe.value(expected)) or ""
    local ok = holds(run) and (expected == nil or compare(expected, run[field]))
    return ok, function(wanted)
      return ("expected the run %s %s%s, but %s"):format(wanted and "to be" or "not to be", words, with,
        describe.outcome(run))
    end
  end
end

local checks = {}
for name, outcome in pairs(OUTCOMES) do
  checks[name] = outcome_check(outcome)
end

return checks
