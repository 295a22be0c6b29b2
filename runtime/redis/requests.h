/* The commands that wait for their replies, oldest first: a ring that grows. A zeroed mc_requests is empty and ready.
 */
#ifndef MC_REDIS_REQUESTS_H
#define MC_REDIS_REQUESTS_H

#include "redis/conn.h"

#define MC_CONFIRMED_ALL UINT32_MAX

typedef struct mc_request {
  mc_reply_fn fn; /* may be NULL */
  void *arg;
  uint64_t sent_at_ms;    /* monotonic */
  uint32_t confirmations; /* SUBSCRIBE and its like: confirmations to come, MC_CONFIRMED_ALL when that depends on what
                             is subscribed by then; 0 for other commands */
} mc_request;

typedef struct mc_requests {
  mc_request *ring;
  size_t room; /* a power of two, or 0 */
  size_t head, count;
} mc_requests;

void mc_requests_deinit(mc_requests *requests);
void mc_requests_push(mc_requests *requests, const mc_request *request);
mc_request *mc_requests_first(mc_requests *requests); /* borrowed until the next push; NULL when empty */
mc_request mc_requests_pop(mc_requests *requests);    /* requires one */

#endif
