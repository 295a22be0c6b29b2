/* What a mooncrew server tells of itself beyond asynq's ServerInfo: its pools, and what scripts it runs. A hash beside
 * that, which lives as long (PROTOCOL.md).
 */
#ifndef MC_PROTOCOL_SERVER_STATUS_H
#define MC_PROTOCOL_SERVER_STATUS_H

#include "base/args.h"
#include "base/value.h"

typedef struct mc_pool_status {
  mc_slice name;                               /* empty: pools are not named */
  int64_t workers, serving, concurrency, busy; /* concurrency: per worker; busy: tasks in hand */
} mc_pool_status;

typedef struct mc_server_status {
  int64_t generation;    /* of the workers that serve */
  int64_t loaded_at_ms;  /* unix; 0: its scripts have not loaded yet */
  int64_t draining;      /* workers of the generation before that finish what they run */
  int64_t asked;         /* how often a reload was asked for … */
  int64_t answered;      /* … and up to which of these is known what came of it */
  mc_slice error;        /* empty, or why the last reload was refused */
  int64_t refused_at_ms; /* unix; of that error */
  mc_slice patterns;     /* "tenant:*,shop:*": what it serves besides the queues that asynq's ServerInfo names */
  mc_pool_status *pools;
  size_t pool_count;
} mc_server_status;

/* HSET of all of it at the server's key. */
void mc_server_status_encode(const mc_server_status *status, mc_slice server, mc_args *hset);

/* From the reply to HGETALL; false when it has no generation: no server of ours, or none with this hash. Texts are
 * borrowed from the reply; pools are allocated, to be freed by free(). */
bool mc_server_status_read(const mc_value *reply, mc_server_status *out);

#endif
