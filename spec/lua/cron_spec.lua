local crew = require "mooncrew"
local cron = require "mooncrew.cron"
local registry = require "mooncrew.registry"

local schema = crew.schema

describe("crew.cron", function()
  before_each(registry.reset)
  after_each(registry.reset)

  local function perform() end

  local function refused(...)
    local given, count = { ... }, select("#", ...)
    local ok, message = pcall(function()
      crew.cron(unpack(given, 1, count))
    end)
    assert.is_false(ok)
    assert.is_truthy(message:find "^spec/lua/cron_spec.lua:%d+: crew.cron: ", message)
    return (message:gsub("^[^:]+:%d+: ", ""))
  end

  local function unresolved()
    local ok, message = cron.resolve()
    assert.is_nil(ok)
    assert.is_truthy(message:find "^spec/lua/cron_spec.lua:%d+: crew.cron: ", message)
    return message
  end

  it("keeps the entry, with the place where it stands", function()
    crew.cron("@daily", "t", { n = 1 })
    assert.is_true(cron.resolve())
    local entry = registry.cron[1]
    assert.is_truthy(entry.source:find "^spec/lua/cron_spec.lua:%d+$")
    entry.source = nil
    assert.are.same({ spec = "@daily", type = "t", payload = '{"n":1}', options = {}, missed = "skip" }, entry)
  end)

  it("validates and encodes by the task's definition, also when that comes later", function()
    crew.cron("@daily", "t", { name = "ada" }, { timeout = "5s" })
    crew.task("t", { queue = "low", max_retry = 2, timeout = "30s", perform = perform,
      payload = schema.object { name = schema.string {}, n = schema.integer {}:default(7) } })
    assert.is_true(cron.resolve())
    assert.are.equal('{"n":7,"name":"ada"}', registry.cron[1].payload)
    assert.are.same({ queue = "low", max_retry = 2, timeout_ms = 5000 }, registry.cron[1].options)
  end)

  it("takes a definition as well as a type", function()
    local definition = crew.task("t", { perform = perform })
    crew.cron("@daily", definition)
    assert.is_true(cron.resolve())
    assert.are.equal("t", registry.cron[1].type)
  end)

  it("says once all scripts are loaded that a payload does not fit", function()
    crew.cron("@daily", "t", { name = 1 })
    crew.task("t", { perform = perform, payload = schema.object { name = schema.string {} } })
    assert.is_truthy(unresolved():find("payload.name: expected string", 1, true))
  end)

  it("has options of its own", function()
    crew.cron("0 3 * * *", "t", nil, { timezone = "Europe/Paris", missed = "latest", id = "nightly.report-1",
      process_in = "5m" })
    assert.is_true(cron.resolve())
    local entry = registry.cron[1]
    assert.are.equal("CRON_TZ=Europe/Paris 0 3 * * *", entry.spec)
    assert.are.equal("latest", entry.missed)
    assert.are.equal("nightly.report-1", entry.id)
    assert.are.equal(300000, entry.process_in_ms)
    assert.are.same({}, entry.options)
  end)

  it("refuses a schedule that is wrong, or that never comes", function()
    assert.is_truthy(refused("61 * * * *", "t"):find("minute '61'", 1, true))
    assert.is_truthy(refused("@never", "t"):find("'@never' is unknown", 1, true))
    assert.is_truthy(refused("0 0 31 2 *", "t"):find("never comes", 1, true))
    assert.are.equal("crew.cron: the schedule must be a string, got nil", refused(nil, "t"))
  end)

  it("refuses a time zone that is unknown, or given twice", function()
    assert.is_truthy(refused("@daily", "t", nil, { timezone = "Mars/Olympus" }):find("'Mars/Olympus'", 1, true))
    assert.is_truthy(refused("TZ=UTC @daily", "t", nil, { timezone = "UTC" }):find("leave one out", 1, true))
    assert.is_truthy(refused("@daily", "t", nil, { timezone = 1 }):find("timezone: expected", 1, true))
  end)

  it("refuses options that make no sense", function()
    assert.is_truthy(refused("@daily", "t", nil, { missed = "all" }):find('expected "skip" or "latest"', 1, true))
    assert.is_truthy(refused("@daily", "t", nil, { id = "a:b" }):find("id: expected", 1, true))
    assert.is_truthy(refused("@daily", "t", nil, { process_at = 1800000000 }):find("use process_in", 1, true))
    assert.is_truthy(refused("@daily", "t", nil, { deadline = 1800000000 }):find("use timeout", 1, true))
    assert.is_truthy(refused("@daily", "t", nil, "5m"):find("expected table", 1, true))
    assert.is_truthy(refused("@daily", "t", nil, { max_rety = 1 }):find("did you mean 'max_retry'", 1, true))
    crew.cron("@daily", "t", nil, { max_retry = -1 })
    assert.is_truthy(unresolved():find("max_retry: ", 1, true))
  end)

  it("names the options that an entry has when one is unknown", function()
    local message = refused("@daily", "t", nil, { zone = 1 })
    assert.is_truthy(message:find("known are group, headers, id, max_retry, missed, process_in, ", 1, true), message)
    assert.is_nil(message:find "process_at" or message:find "deadline")
    assert.is_truthy(refused("@daily", "t", nil, { timezon = "UTC" }):find("did you mean 'timezone'?", 1, true))
  end)

  it("refuses what is no single task type", function()
    for _, target in ipairs { "image:*", "", 1, {} } do
      assert.is_truthy(refused("@daily", target):find("one task type", 1, true))
    end
  end)

  it("refuses the same entry twice, and names both places", function()
    crew.cron("@daily", "t", { n = 1 })
    crew.cron("@daily", "t", { n = 1 }, { missed = "latest" })
    assert.is_truthy(unresolved():find("the same entry stands at spec/lua/cron_spec.lua:", 1, true))
    registry.reset()
    crew.cron("@daily", "t", { n = 1 }, { id = "a" })
    crew.cron("@hourly", "u", nil, { id = "a" })
    assert.is_truthy(unresolved():find("the same entry", 1, true))
    registry.reset()
    crew.cron("@daily", "t", { n = 1 }, { id = "a" })
    crew.cron("@daily", "t", { n = 1 }, { id = "b" })
    crew.cron("@daily", "t", { n = 2 })
    assert.is_true(cron.resolve())
  end)
end)
