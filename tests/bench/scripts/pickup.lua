-- Says how long after its enqueue the handler started: the payload holds the producer's CLOCK_MONOTONIC in
-- microseconds, which is the same clock in every process of the host.
local crew = require "mooncrew"
local ffi = require "ffi"

ffi.cdef [[
  typedef struct { long seconds, nanoseconds; } bench_timespec;
  int clock_gettime(int clock, bench_timespec *out);
]]
local CLOCK_MONOTONIC = 1
local now = ffi.new "bench_timespec"

return crew.task("bench:pickup", {
  payload = "raw",
  perform = function(payload)
    ffi.C.clock_gettime(CLOCK_MONOTONIC, now)
    local now_us = tonumber(now.seconds) * 1e6 + tonumber(now.nanoseconds) / 1e3
    return string.format("%.0f", now_us - tonumber(payload))
  end,
})
