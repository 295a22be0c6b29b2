/* Clocks. Wall time stands in Redis; monotonic time measures durations; boot time goes on while the host sleeps. */
#ifndef MC_BASE_CLOCK_H
#define MC_BASE_CLOCK_H

#include <stdint.h>

int64_t mc_clock_wall_ns(void);
int64_t mc_clock_wall_ms(void);
int64_t mc_clock_wall_s(void);
uint64_t mc_clock_mono_us(void); /* CLOCK_MONOTONIC: the same in every process of the host */
uint64_t mc_clock_mono_ms(void);
uint64_t mc_clock_boot_ms(void); /* CLOCK_BOOTTIME */

/* Seconds that came from outside, cut to 0 … 200 years, so that they can be added up and turned into nanoseconds. */
int64_t mc_clock_clamp_s(int64_t seconds);

#endif
