/* The redis-server that was started for this node alone (`mooncrew dev`): nobody starts it again, so the node stops
 * when it has ended. It stays to be reaped by whoever started it.
 */
#ifndef MC_SUPERVISOR_OWN_REDIS_H
#define MC_SUPERVISOR_OWN_REDIS_H

#include <stdbool.h>
#include <sys/types.h>
#include <uv.h>

struct mc_node;

typedef struct mc_own_redis {
  bool watched;
  int fd; /* a pidfd: readable once the process has ended */
  uv_poll_t poll;
} mc_own_redis;

/* Watches a child of ours; 0: there is none. A kernel without pidfd_open (before 5.3) cannot tell of its end; there
 * Redis is just away, which the log says. */
void mc_own_redis_open(struct mc_node *node, pid_t pid);
void mc_own_redis_close(struct mc_node *node);

#endif
