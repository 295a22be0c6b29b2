-- The options of a task, from what people write to what the runtime takes.
local options = require "mooncrew.options"

local NOW_MS = 1700000000123

describe("the options of a task", function()
  local now_ms = options.now_ms

  setup(function()
    options.now_ms = function() return NOW_MS end
  end)

  teardown(function()
    options.now_ms = now_ms
  end)

  local function refused(given, message)
    local normal, text, code = options.normalize(given)
    assert.is_nil(normal)
    assert.equal("INVALID_ARGUMENT", code)
    assert.equal(message, text)
  end

  it("may all be missing", function()
    assert.same({}, options.normalize(nil))
    assert.same({}, options.normalize({}))
  end)

  it("become what the runtime takes", function()
    assert.same({
      queue = "low", task_id = "one", max_retry = 3, timeout_ms = 90000, deadline_s = 1700000100, unique_ms = 3600000,
      process_at_ms = 1700000060000, retention_ms = 86400000, group = "digest", headers = { trace = "abc" },
    }, options.normalize {
      queue = "low", task_id = "one", max_retry = 3, timeout = "1m30s", deadline = 1700000100, unique = "1h",
      process_at = 1700000060, retention = "1d", group = "digest", headers = { trace = "abc" },
    })
  end)

  it("count process_in from now", function()
    assert.same({ process_at_ms = NOW_MS + 1500 }, options.normalize { process_in = 1.5 })
    assert.same({ process_at_ms = NOW_MS + 5000 }, options.normalize { process_in = "5s" })
    assert.same({ process_at_ms = NOW_MS }, options.normalize { process_in = 0 })
  end)

  it("never make a time earlier", function()
    assert.same({ process_at_ms = 1700000000001 }, options.normalize { process_at = 1700000000.0005 })
    assert.same({ deadline_s = 1700000001 }, options.normalize { deadline = 1700000000.2 })
  end)

  it("know 0 as no time-out and no retention", function()
    assert.same({ timeout_ms = 0, retention_ms = 0, max_retry = 0 },
      options.normalize { timeout = 0, retention = "0s", max_retry = 0 })
  end)

  it("take headers as a copy", function()
    local headers = { a = "1" }
    local normal = options.normalize { headers = headers }
    headers.a = "2"
    assert.equal("1", normal.headers.a)
  end)

  it("that are unknown are refused with the nearest known one", function()
    refused({ max_retries = 3 }, "unknown option 'max_retries', did you mean 'max_retry'?")
    refused({ Queue = "x" }, "unknown option 'Queue', did you mean 'queue'?")
    refused({ colour = "red" }, "unknown option 'colour': known are deadline, group, headers, max_retry, process_at, "
      .. "process_in, queue, retention, task_id, timeout, unique")
    refused({ "low" }, "unknown option '1': known are deadline, group, headers, max_retry, process_at, process_in, "
      .. "queue, retention, task_id, timeout, unique")
  end)

  it("that make no sense are refused by name", function()
    refused({ queue = 1 }, "queue: expected string, got number")
    refused({ queue = "" }, "queue: must not be empty")
    for _, name in ipairs { "sp ace", "{br}", "a,b", "a=1" } do
      refused({ queue = name },
        ('queue: "%s" is no queue name: it is UTF-8 without white space, control characters and any of = , { }')
          :format(name))
    end
    refused({ task_id = {} }, "task_id: expected string, got table")
    refused({ group = "" }, "group: must not be empty")
    refused({ max_retry = "3" }, "max_retry: expected integer, got string")
    refused({ max_retry = -1 }, "max_retry: must be a whole number from 0 to 2147483647, not -1")
    refused({ max_retry = 1.5 }, "max_retry: must be a whole number from 0 to 2147483647, not 1.5")
    refused({ max_retry = 0 / 0 }, "max_retry: must be a whole number from 0 to 2147483647, not " .. tostring(0 / 0))
    refused({ unique = 0.5 }, "unique: must be 1 s at least, not 0.5")
    refused({ headers = "x" }, "headers: expected table, got string")
    refused({ headers = { a = 1 } }, "headers: names and values must be strings, not a = number")
    refused({ headers = { "a" } }, "headers: names and values must be strings, not 1 = string")
  end)

  it("that are no durations are refused by name", function()
    for _, name in ipairs { "timeout", "unique", "process_in", "retention" } do
      for _, value in ipairs { "soon", "-5s", -5, 1 / 0, {}, true } do
        local normal, message, code = options.normalize { [name] = value }
        assert.is_nil(normal)
        assert.equal("INVALID_ARGUMENT", code)
        assert.truthy(message:find("^" .. name .. ": .*duration"), message)
      end
    end
  end)

  it("that are no unix times are refused with what was probably meant", function()
    refused({ process_at = 60 },
      "process_at: 60 is long ago: it is unix seconds, such as os.time() + 60; did you mean 'process_in'?")
    refused({ deadline = 30 },
      "deadline: 30 is long ago: it is unix seconds, such as os.time() + 60; did you mean 'timeout'?")
    refused({ process_at = "2030-01-01" }, "process_at: expected number (unix seconds), got string")
    refused({ process_at = -1 }, "process_at: -1 is no unix time in seconds, such as os.time() + 60")
    refused({ process_at = 1 / 0 }, "process_at: inf is no unix time in seconds, such as os.time() + 60")
    refused({ deadline = 1700000000000 * 1000 },
      "deadline: 1.7e+15 is no unix time in seconds, such as os.time() + 60")
  end)

  it("cannot say twice when", function()
    refused({ process_at = 1700000060, process_in = 5 }, "process_at and process_in are both given: leave one out")
  end)

  it("that are no table are a mistake of the caller", function()
    local ok, message = pcall(function() return (options.normalize("low")) end)
    assert.is_false(ok)
    assert.truthy(message:find("options_spec.lua:%d+: options: expected table, got string"), message)
  end)
end)

describe("options of a call over those of a definition", function()
  it("win", function()
    assert.same({ queue = "high", max_retry = 3, timeout = "5s" },
      options.merge({ queue = "low", max_retry = 3 }, { queue = "high", timeout = "5s" }))
  end)

  it("leave both tables as they were", function()
    local declared, given = { queue = "low", headers = { a = "1" } }, { headers = { b = "2" } }
    options.merge(declared, given)
    assert.same({ queue = "low", headers = { a = "1" } }, declared)
    assert.same({ headers = { b = "2" } }, given)
  end)

  it("join their headers", function()
    assert.same({ headers = { a = "1", b = "3", c = "4" } },
      options.merge({ headers = { a = "1", b = "2" } }, { headers = { b = "3", c = "4" } }))
  end)

  it("replace when the task runs, whichever way it was said", function()
    assert.same({ process_at = 1700000060 }, options.merge({ process_in = "5s" }, { process_at = 1700000060 }))
    assert.same({ process_in = 1 }, options.merge({ process_at = 1700000060 }, { process_in = 1 }))
  end)
end)
