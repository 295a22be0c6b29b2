/* The way to Redis: one connection for commands, one for notices (invalidation messages, task cancellation).
 *
 * Wake-ups: when both connections are ready, the notice connection tells its client id and subscribes to
 * `__redis__:invalidate`; then the command connection says CLIENT TRACKING ON REDIRECT <id> OPTIN. From then on
 * `tracking` is true until either connection goes. Where the server refuses, that is said once in the log, and the
 * queues are polled (wake.h).
 */
#ifndef MC_SUPERVISOR_LINK_H
#define MC_SUPERVISOR_LINK_H

#include "redis/conn.h"

struct mc_node;

typedef struct mc_link {
  mc_conn *commands;
  mc_conn *notices;
  int64_t subscriber_id; /* client id of the notice connection */
  int64_t notices_id;    /* the same once it is subscribed; 0: it is not */
  char address[512];     /* without credentials, for the log */
  bool up;               /* the command connection is ready */
  bool was_up;           /* it was ready once: the start-up messages differ */
  uint64_t said_ms;  /* CLOCK_MONOTONIC: when it was last said that Redis is away */
  bool away;             /* it is said in the log that Redis is away */
  bool tracking;
  bool refused; /* the server refused tracking: said in the log */
} mc_link;

/* Makes both connections and starts them. 0, or MC_EINVALID for a bad URL. */
int mc_link_open(struct mc_node *node, mc_err *err);
void mc_link_close(struct mc_node *node);

#endif
