-- report:access_log: what a web server did, from its access log in the combined format.
--
-- The log is read line by line, so its size does not matter; what is kept grows with the number of different paths and
-- response sizes. Lines in another format are counted and passed over. The result:
--
--   path, lines, malformed, requests                 requests = lines - malformed
--   status      {"200": 9000, …}                     requests by status code
--   hours       {"00": 310, …, "23": 280}            requests by hour of the server's clock; hours without any left out
--   bytes       of all response bodies together
--   sizes       {p50, p90, p99, max}                 percentiles of the size of one response body, in bytes (nearest
--                                                    rank; the format tells no durations)
--   top_paths   [{path, requests, bytes}, …]         the most requested first, without their query

local combined_log = require "lib.combined_log"
local crew = require "mooncrew"
local lines = require "lib.lines"

local schema = crew.schema

local LINES_PER_TURN = 500 -- a few milliseconds; then other tasks of this worker get their turn

local function increase(counts, key)
  counts[key] = (counts[key] or 0) + 1
end

local function count_path(paths, path, bytes)
  local entry = paths[path]
  if not entry then
    entry = { path = path, requests = 0, bytes = 0 }
    paths[path] = entry
  end
  entry.requests = entry.requests + 1
  entry.bytes = entry.bytes + bytes
end

-- Reads the file to its end. Returns the report so far, and what it is finished from.
local function count_lines(file)
  local report = { lines = 0, malformed = 0, requests = 0, bytes = 0, status = {}, hours = {} }
  local paths, sizes = {}, {}
  for line in lines.of(file) do
    report.lines = report.lines + 1
    local entry = combined_log.parse(line)
    if entry then
      report.requests = report.requests + 1
      report.bytes = report.bytes + entry.bytes
      increase(report.status, entry.status)
      increase(report.hours, entry.hour)
      increase(sizes, entry.bytes)
      if entry.path then
        count_path(paths, entry.path, entry.bytes)
      end
    else
      report.malformed = report.malformed + 1
    end
    if report.lines % LINES_PER_TURN == 0 then
      crew.sleep(0)
    end
  end
  return report, paths, sizes
end

-- counts: how often each size was seen. The p-th percentile is the smallest size that p % of the requests stay within.
local function percentiles(counts, total)
  local ordered = {}
  for size in pairs(counts) do
    ordered[#ordered + 1] = size
  end
  table.sort(ordered)
  local function at(percent)
    local rank, seen = math.ceil(total * percent / 100), 0
    for _, size in ipairs(ordered) do
      seen = seen + counts[size]
      if seen >= rank then
        return size
      end
    end
  end
  return { p50 = at(50), p90 = at(90), p99 = at(99), max = ordered[#ordered] }
end

local function most_requested(paths, top)
  local ordered = {}
  for _, entry in pairs(paths) do
    ordered[#ordered + 1] = entry
  end
  table.sort(ordered, function(a, b)
    if a.requests ~= b.requests then
      return a.requests > b.requests
    end
    return a.path < b.path
  end)
  local out = crew.array {}
  for i = 1, math.min(top, #ordered) do
    out[i] = ordered[i]
  end
  return out
end

return crew.task("report:access_log", {
  queue = "low", max_retry = 3, timeout = "10m", retention = "24h",
  payload = schema.object {
    path = schema.string { min_length = 1 },
    top = schema.integer { min = 1, max = 1000 }:default(10),
  },
  perform = function(payload, task)
    local file = assert(io.open(payload.path, "rb"))
    local report, paths, sizes = count_lines(file)
    file:close()
    report.path = payload.path
    report.sizes = percentiles(sizes, report.requests)
    report.top_paths = most_requested(paths, payload.top)
    task.log:info("counted", { path = payload.path, lines = report.lines, malformed = report.malformed })
    return report
  end,
})
