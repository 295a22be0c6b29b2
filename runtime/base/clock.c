/* Clocks: see clock.h. */
#include "base/clock.h"

#include <time.h>

static int64_t read_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t mc_clock_wall_ns(void) {
  return read_ns(CLOCK_REALTIME);
}

int64_t mc_clock_wall_ms(void) {
  return read_ns(CLOCK_REALTIME) / 1000000;
}

int64_t mc_clock_wall_s(void) {
  return read_ns(CLOCK_REALTIME) / 1000000000;
}

uint64_t mc_clock_mono_us(void) {
  return (uint64_t)read_ns(CLOCK_MONOTONIC) / 1000;
}

uint64_t mc_clock_mono_ms(void) {
  return (uint64_t)read_ns(CLOCK_MONOTONIC) / 1000000;
}

uint64_t mc_clock_boot_ms(void) {
  return (uint64_t)read_ns(CLOCK_BOOTTIME) / 1000000;
}

int64_t mc_clock_clamp_s(int64_t seconds) {
  const int64_t far = INT64_C(200) * 365 * 86400;
  return seconds < 0 ? 0 : seconds > far ? far : seconds;
}
