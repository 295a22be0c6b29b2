/* A handler's own connection to a Redis: commands go out in batches, also before the connection is ready, and a batch
 * ends once.
 *
 *   send ──▶ unsent ──▶ sent ──▶ all replies: 0
 *              │          └─ the connection went: MC_EUNKNOWN, what was sent may have been carried out
 *              └─ an attempt to connect failed: MC_EUNAVAILABLE, nothing was sent
 *
 * A batch that is forgotten never reports; its replies are read and dropped, so that those behind it find theirs.
 */
#ifndef MC_WORKER_REDIS_LINK_H
#define MC_WORKER_REDIS_LINK_H

#include "redis/conn.h"

typedef struct mc_redis_link mc_redis_link;

typedef struct mc_redis_batch_events {
  void (*on_reply)(void *arg, const mc_value *reply);        /* once per command, in order; borrowed until return */
  void (*on_end)(void *arg, int status, const char *reason); /* last; the reason is for people, NULL after success */
  void *arg;
} mc_redis_batch_events;

typedef struct mc_redis_link_options {
  uint64_t connect_timeout_ms;
  uint64_t command_timeout_ms; /* the connection is given up when a reply takes longer */
  bool once;                   /* it does not connect again after it was lost: what was its state is gone */
} mc_redis_link_options;

/* 0 and a link that connects; MC_EINVALID when the URL is wrong. Borrows nothing but the loop. */
int mc_redis_link_open(uv_loop_t *loop, const char *url, const mc_redis_link_options *options, mc_redis_link **out,
                       mc_err *err);

/* Ends it. Batches that wait end from the loop, by MC_EUNKNOWN or MC_EUNAVAILABLE; then the memory goes. */
void mc_redis_link_close(mc_redis_link *link);

/* Forgets all batches, and closes. */
void mc_redis_link_drop(mc_redis_link *link);

/* A link of one life (once) that was lost: nothing can be sent any more. */
bool mc_redis_link_is_over(const mc_redis_link *link);

/* Takes the commands, an array of count (> 0) that was allocated, and what they hold. Events never run from inside.
 * Returns the batch's number. */
uint64_t mc_redis_link_send(mc_redis_link *link, mc_args *commands, size_t count, const mc_redis_batch_events *events);

/* Its events do not run any more. True when it had not ended; *out_arg is then its argument. */
bool mc_redis_link_forget(mc_redis_link *link, uint64_t number, void **out_arg);

/* The address without user and password. */
const char *mc_redis_link_name(const mc_redis_link *link);

#endif
