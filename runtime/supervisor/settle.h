/* Settling: what became of tasks, written to Redis in one script call per queue and kind.
 *
 * While a call is in flight the next ones gather, so that batches grow with the load and a lone task never waits.
 * Within a call the ids that stand nearest to an end of `active` come first: each LREM then finds its id at once.
 *
 * An item stays held until Redis has answered. If the connection goes first it is sent again after the reconnect: the
 * scripts are fenced, so a settle that had arrived after all is refused the second time and nothing is done twice. A
 * refusal otherwise means that the task is no longer ours: it is logged and never sent again. An error of the server
 * that will pass (read-only, out of memory, loading …) is tried again every second; a batch refused for another reason
 * is sent again one by one, so that one odd task holds up no other; what cannot be written even so is archived.
 */
#ifndef MC_SUPERVISOR_SETTLE_H
#define MC_SUPERVISOR_SETTLE_H

#include "protocol/work.h"

#include <uv.h>

struct mc_node;
struct mc_held;

typedef struct mc_settle {
  size_t waiting;       /* items in the lanes of the queues */
  uint64_t retry_at_ms; /* CLOCK_MONOTONIC: nothing is sent before */
  bool one_by_one;      /* the last batch was refused for the sake of one of its items */
  bool refusing;        /* the server's refusal is in the log */
} mc_settle;

/* Queues a held task whose item is filled; id, attempt and the end of `active` are added here. */
void mc_settle_add(struct mc_node *node, struct mc_held *held, mc_settle_kind kind);

/* Sends what waits; once per loop turn. */
void mc_settle_flush(struct mc_node *node);

#endif
