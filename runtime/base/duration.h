/* Durations as people write them: "1h30m", "10s", "250ms", "1.5h", "2d", or a bare number of seconds. */
#ifndef MC_BASE_DURATION_H
#define MC_BASE_DURATION_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* Units: ms s m h d, largest first or in any order, each once; rounded to milliseconds, but
 * more than 0 is at least one. Negative, empty and unknown units are errors. */
int mc_duration_parse(const char *text, int64_t *out_ms, mc_err *err);

/* "8s", "250ms", "90d": in the largest unit that divides it. */
void mc_duration_show(int64_t ms, char *text, size_t size);

#endif
