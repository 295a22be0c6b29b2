-- Assertions for luassert, which busted uses. Each may be given a run first; without one it means what was performed
-- last. Of tables they want only what is named; a matcher of luassert may stand for a value.
--
--   assert.done(run, result)      assert.failed(run, error)       assert.retried(run, delay)
--   assert.archived(run, error)   assert.snoozed(run, delay)      assert.revoked(run, reason)
--   assert.enqueued(run, type, payload, options)                  assert.logged(run, event, fields)
--   assert.mailed(run, { to = …, subject = … })                   assert.requested(run, method, url, fields)

local deeds = require "mooncrew.testing.assertion.deeds"
local outcomes = require "mooncrew.testing.assertion.outcomes"
local session = require "mooncrew.testing.session"

local function is_run(value)
  return type(value) == "table" and type(value.enqueued) == "table" and type(value.logs) == "table"
end

-- The run that is meant, and the other arguments.
local function split(name, arguments)
  local first = arguments[1]
  if is_run(first) then
    return first, { unpack(arguments, 2, arguments.n) }
  elseif arguments.n > 0 and first == nil then
    error(("assert.%s: the first argument is nil: expected a run, or what it is to have done"):format(name), 0)
  elseif not session.last then
    error(("assert.%s: no task was performed in this test"):format(name), 0)
  end
  return session.last, { unpack(arguments, 1, arguments.n) }
end

local MESSAGE = "%s"

-- The text is made only when it is shown.
local function lazy(make, wanted)
  return setmetatable({}, { __tostring = function()
    return make(wanted)
  end })
end

-- A check gets the run and the other arguments, and returns whether it holds and a function of whether that was wanted,
-- which makes the message.
local function register(luassert, say, name, check)
  local key = "assertion.mooncrew_" .. name
  say:set(key, MESSAGE)
  luassert:register("assertion", name, function(state, arguments)
    local ok, message = check(split(name, arguments))
    for i = arguments.n, 1, -1 do
      arguments[i] = nil
    end
    arguments[1], arguments.n, arguments.nofmt = lazy(message, state.mod), 1, { true }
    return ok
  end, key, key)
end

local function register_all()
  local found, luassert = pcall(require, "luassert")
  if not found then -- another test framework: runs can still be looked at
    return
  end
  local say = require "say"
  for _, checks in ipairs { outcomes, deeds } do
    for name, check in pairs(checks) do
      register(luassert, say, name, check)
    end
  end
end

register_all()
