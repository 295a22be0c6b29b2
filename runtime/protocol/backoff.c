/* Retry delays: see backoff.h. */
#include "protocol/backoff.h"

#define FOLD_MAX_S 300
#define FOLD_DOUBLINGS 9  /* 2^9 is above FOLD_MAX_S */
#define RETRIED_MAX 50000 /* 50000^4 still fits an int64, and is some billion centuries */

int64_t mc_backoff_default_s(int32_t retried, uint32_t random30) {
  int64_t n = retried < 0 ? 0 : retried > RETRIED_MAX ? RETRIED_MAX : retried;
  return n * n * n * n + 15 + (int64_t)(random30 % 30) * (n + 1);
}

int64_t mc_backoff_fold_s(uint32_t failures) {
  uint32_t doublings = failures > 0 ? failures - 1 : 0;
  return doublings < FOLD_DOUBLINGS ? INT64_C(1) << doublings : FOLD_MAX_S;
}
