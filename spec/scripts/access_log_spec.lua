-- report:access_log: every number of the report, from logs small enough to count by hand.

package.path = "./scripts/?.lua;./spec/scripts/?.lua;" .. package.path

local temp = require "temp_folder"
local testing = require "mooncrew.testing"

local function line(hour, request, status, bytes)
  return ('::1 - - [31/Jan/2026:%02d:00:00 +0000] "%s" %d %s "-" "-"'):format(hour, request, status, bytes)
end

describe("report:access_log", function()
  local definition, folder, path

  before_each(function()
    folder = temp.make()
    path = folder .. "/access.log"
    definition = testing.load("scripts/access_log.lua")
  end)

  after_each(function()
    temp.remove(folder)
  end)

  local function report(lines, top)
    temp.write(path, table.concat(lines, "\n") .. "\n")
    local run = testing.perform(definition, { path = path, top = top })
    assert.are.equal("done", run.outcome, run.error)
    return run.result
  end

  it("counts lines, status codes, hours and bytes", function()
    local result = report {
      line(0, "GET / HTTP/1.1", 200, 100), line(0, "GET /a HTTP/1.1", 200, 50), line(23, "GET / HTTP/1.1", 304, "-"),
    }
    assert.are.equal(path, result.path)
    assert.are.same({ 3, 0, 3, 150 }, { result.lines, result.malformed, result.requests, result.bytes })
    assert.are.same({ ["200"] = 2, ["304"] = 1 }, result.status)
    assert.are.same({ ["00"] = 2, ["23"] = 1 }, result.hours)
  end)

  it("passes over malformed lines and counts them", function()
    local good = line(1, "GET / HTTP/1.1", 200, 7)
    local result = report { "", "garbage", good, line(1, "GET / HTTP/1.1", 200, "x"), "\0\255" }
    assert.are.same({ 5, 4, 1, 7 }, { result.lines, result.malformed, result.requests, result.bytes })
    assert.are.same({ ["200"] = 1 }, result.status)
  end)

  it("gives the paths that were asked for most, the alphabet deciding between equals", function()
    local result = report({
      line(1, "GET /c HTTP/1.1", 200, 1), line(1, "GET /b?x=1 HTTP/1.1", 200, 2), line(1, "POST /b HTTP/1.1", 200, 3),
      line(1, "GET /d HTTP/1.1", 200, 4), line(1, "-", 400, 5),
    }, 2)
    assert.are.same({ { path = "/b", requests = 2, bytes = 5 }, { path = "/c", requests = 1, bytes = 1 } },
      { result.top_paths[1], result.top_paths[2] })
    assert.are.equal(2, #result.top_paths)
  end)

  it("gives ten paths unless told otherwise", function()
    local lines = {}
    for i = 1, 30 do
      lines[i] = line(1, ("GET /%02d HTTP/1.1"):format(i), 200, 1)
    end
    assert.are.equal(10, #report(lines).top_paths)
  end)

  it("gives percentiles of the response size by nearest rank", function()
    local lines = {}
    for i = 1, 200 do
      lines[i] = line(1, "GET / HTTP/1.1", 200, i * 10)
    end
    assert.are.same({ p50 = 1000, p90 = 1800, p99 = 1980, max = 2000 }, report(lines).sizes)
    assert.are.same({ p50 = 5, p90 = 5, p99 = 5, max = 5 }, report({ line(1, "-", 400, 5) }).sizes)
    assert.are.same({ p50 = 1, p90 = 9, p99 = 9, max = 9 },
      report({ line(1, "-", 400, 9), line(1, "-", 400, 1) }).sizes)
  end)

  it("reports on an empty log", function()
    temp.write(path, "")
    local run = testing.perform(definition, { path = path })
    assert.are.equal("done", run.outcome, run.error)
    assert.are.same({ 0, 0, 0, 0 }, { run.result.lines, run.result.malformed, run.result.requests, run.result.bytes })
    assert.are.same({}, run.result.sizes)
    assert.are.equal(0, #run.result.top_paths)
  end)

  it("lets its neighbours run while it counts", function()
    local lines = {}
    for i = 1, 5000 do
      lines[i] = line(1, "GET / HTTP/1.1", 200, i)
    end
    temp.write(path, table.concat(lines, "\n"))
    local crew = require "mooncrew"
    local sleep, turns = crew.sleep, 0
    crew.sleep = function(seconds)
      turns = turns + 1
      return sleep(seconds)
    end
    local run = testing.perform(definition, { path = path })
    crew.sleep = sleep
    assert.are.equal("done", run.outcome, run.error)
    assert.is_true(turns >= 10)
    assert.are.equal(5000, run.result.requests)
  end)

  it("fails, to be tried again, when it cannot read the log", function()
    local run = testing.perform(definition, { path = folder .. "/absent.log" })
    assert.are.equal("failed", run.outcome)
    assert.is_truthy(run.error:find("absent.log: No such file", 1, true), run.error)
  end)

  it("is not called with a payload that does not fit", function()
    for payload, reason in pairs({
      [{}] = "payload.path", [{ path = 1 }] = "payload.path: expected string", [{ path = "" }] = "payload.path",
      [{ path = "x", top = 0 }] = "payload.top", [{ path = "x", top = 1.5 }] = "payload.top: expected integer",
    }) do
      local run = testing.perform(definition, payload)
      assert.are.equal("invalid", run.outcome)
      assert.is_truthy(run.error:find(reason, 1, true), run.error)
    end
  end)
end)
