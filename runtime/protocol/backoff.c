/* Retry delays: see backoff.h. */
#include "protocol/backoff.h"

#define RETRIED_MAX 50000 /* 50000^4 still fits an int64, and is some billion centuries */

int64_t mc_backoff_default_s(int32_t retried, uint32_t random30) {
  int64_t n = retried < 0 ? 0 : retried > RETRIED_MAX ? RETRIED_MAX : retried;
  return n * n * n * n + 15 + (int64_t)(random30 % 30) * (n + 1);
}
