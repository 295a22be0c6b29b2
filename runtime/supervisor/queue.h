/* The queues that this supervisor serves, and whose turn it is.
 *
 * A queue is `ready` when it may hold tasks: at the start, after a dequeue that came back full, after a notice. It is
 * not ready after a dequeue that came back short; then it is armed (wake.h) and waits for a notice. At most one dequeue
 * per queue is in flight.
 *
 * Shares: deficit round robin. A round gives every ready queue weight × quantum tasks to take; a new round begins only
 * when no ready queue has any left, so long-run shares are exact however large single batches are. A queue that runs
 * empty forfeits the rest of its round. With strict order the highest weight goes first and nothing below it is asked
 * while it may hold tasks.
 */
#ifndef MC_SUPERVISOR_QUEUE_H
#define MC_SUPERVISOR_QUEUE_H

#include "base/list.h"
#include "base/slice.h"
#include "config/config.h"
#include "protocol/work.h"
#include "supervisor/sighting.h"

#include <stdint.h>

/* What waits to be settled in one way (settle.h). */
typedef struct mc_settle_lane {
  mc_list items; /* mc_held.in_settle, in the order of arrival */
  size_t count;
  size_t calls; /* in flight */
} mc_settle_lane;

typedef struct mc_queue {
  mc_slice name; /* borrowed from the configuration */
  int weight;
  bool ready;
  bool asking;            /* a dequeue is in flight */
  bool arming;            /* an arm is in flight */
  bool paused;            /* said by the last dequeue: the notice to wait for is that of `paused` */
  size_t deficit;         /* tasks it may still take in this round */
  bool noticed;           /* a notice made it ready */
  unsigned misses;        /* dequeues in a row that came back empty after a notice */
  uint64_t hold_until_ms; /* CLOCK_MONOTONIC: not asked before, so that idle nodes do not race */
  mc_list held;           /* mc_held.in_queue, oldest first */
  mc_sightings sightings; /* the recover duty's */
  unsigned refused;       /* bit per mc_refusal: said in the log */
  bool looking;           /* a look of the recover duty is under way */
  mc_settle_lane settling[MC_SETTLE_KINDS];
} mc_queue;

typedef struct mc_queues {
  mc_queue *items; /* in the order of serving: highest weight first */
  size_t count;
  bool strict;
} mc_queues;

void mc_queues_init(mc_queues *queues, const mc_config *config);
void mc_queues_deinit(mc_queues *queues);
mc_queue *mc_queues_find(const mc_queues *queues, mc_slice name);

/* The queue to ask next, NULL when none may be asked now. slots: how many tasks the node can hold, for the quantum. */
mc_queue *mc_queues_next(mc_queues *queues, size_t slots, uint64_t now_ms);

/* How many tasks of `free` this queue may take now. */
size_t mc_queue_allowance(const mc_queues *queues, const mc_queue *queue, size_t free);

/* A dequeue was sent for `asked` tasks; a dequeue for `asked` brought `got`. */
void mc_queue_asked(mc_queue *queue, size_t asked);
void mc_queue_answered(mc_queue *queue, size_t asked, size_t got);

void mc_queues_set_ready(mc_queues *queues); /* all of them */

#endif
