/* What stands in Redis right now: sizes, counters and latency of every queue, and the servers that are alive. */
#ifndef MC_CLIENT_STATS_H
#define MC_CLIENT_STATS_H

#include "client/client.h"

typedef struct mc_queue_stats {
  char *name;
  int64_t paused;                                                              /* 1: paused; 0: not */
  int64_t pending, active, scheduled, retry, archived, completed, aggregating; /* tasks by state */
  int64_t failing_folds;                                                       /* groups whose last fold failed */
  int64_t processed_today, failed_today; /* since midnight, UTC; processed counts failures too */
  int64_t processed, failed;             /* since the queue was made */
  int64_t latency_ms;                    /* how long the oldest pending task has waited; 0: none waits */
} mc_queue_stats;

typedef struct mc_stats {
  mc_queue_stats *queues; /* sorted by name */
  size_t queue_count;
  char **servers; /* "host:pid:uuid", sorted */
  size_t server_count;
} mc_stats;

/* 0 (then the caller deinits), or a code and why. The numbers are read in three round trips, not in one moment. */
int mc_client_stats(mc_client *client, mc_stats *out, mc_err *err);
void mc_stats_deinit(mc_stats *stats);

#endif
