/* Retry delays. */
#ifndef MC_PROTOCOL_BACKOFF_H
#define MC_PROTOCOL_BACKOFF_H

#include <stdint.h>

/* asynq's default: n^4 + 15 + random(0..29)·(n+1) seconds, n = retried so far. random30 is the caller's random number
 * in 0..29. Saturates for absurd n. */
int64_t mc_backoff_default_s(int32_t retried, uint32_t random30);

/* Between two tries to fold a group: 1, 2, 4 … 300 seconds after so many failures in a row (at least 1). */
int64_t mc_backoff_fold_s(uint32_t failures);

#endif
