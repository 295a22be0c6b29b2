/* The queues that this supervisor serves, and whose turn it is.
 *
 * A queue is `ready` when it may hold tasks: at the start, after a dequeue that came back full, after a notice. It is
 * not ready after a dequeue that came back short, or that brought it to a limit of its own; then it is armed (wake.h)
 * and waits for a notice. At most one dequeue per queue is in flight.
 *
 * Every entry of the configuration is a share: a weight for one queue, or, when it is a pattern, for all queues found
 * in Redis whose name begins so (duty_discover.h). An exact name beats a pattern, the longest pattern wins.
 *
 * Shares: deficit round robin. A round gives every share with a ready queue weight × quantum tasks to take, which the
 * ready queues of a pattern divide evenly; the rest of that division goes to others of them in each round. So the
 * pattern's weight is that of all its queues together, however many come: they cannot crowd out the shares beside
 * them. A new round begins only when no ready queue has any left, so long-run shares are exact however large single
 * batches are. A queue that runs empty forfeits the rest of its round.
 *
 * With strict order the highest weight goes first, and nothing below it is asked while it may hold tasks; queues of one
 * pattern take turns.
 *
 * A queue stays where it is in memory until it is removed, which mc_queues_remove does only when nothing refers to it:
 * no task held, nothing to settle, no call in flight. Whoever sends a call whose answer comes back to a queue counts it
 * in `calls`, unless one of the other fields says that it is under way.
 */
#ifndef MC_SUPERVISOR_QUEUE_H
#define MC_SUPERVISOR_QUEUE_H

#include "base/list.h"
#include "base/slice.h"
#include "config/config.h"
#include "protocol/limits.h"
#include "protocol/work.h"
#include "supervisor/sighting.h"

#include <stdint.h>
#include <uthash.h>

/* What waits to be settled in one way (settle.h). */
typedef struct mc_settle_lane {
  mc_list items; /* mc_held.in_settle, in the order of arrival */
  size_t count;
  size_t calls; /* in flight */
} mc_settle_lane;

typedef struct mc_queue {
  mc_slice name; /* owned */
  struct mc_queue_share *share;
  int weight; /* the share's */
  int64_t archive_max_age_s, archive_max_size;
  bool ready;
  bool asking;            /* a dequeue is in flight */
  unsigned arming;        /* answers to an arm that are still due */
  mc_wait waits_for;      /* said by the last dequeue: what the queue is armed for */
  mc_limits limits;       /* as the last dequeue found them, where it waits for one of them */
  size_t deficit;         /* tasks it may still take in this round */
  bool noticed;           /* a notice made it ready */
  unsigned misses;        /* dequeues in a row that came back empty after a notice */
  uint64_t hold_until_ms; /* CLOCK_MONOTONIC: not asked before: a rate limit, or so that idle nodes do not race */
  mc_list held;           /* mc_held.in_queue, oldest first */
  mc_sightings sightings; /* the recover duty's */
  unsigned refused;       /* bit per mc_refusal: said in the log */
  bool looking;           /* a look of the recover duty is under way */
  bool sweeping;          /* a call of the janitor is in flight */
  size_t calls;           /* others in flight */
  uint64_t look_after_ms; /* CLOCK_MONOTONIC: its groups are not all looked at before (duty_aggregate.h) */
  uint64_t listed;        /* the look at asynq:queues that found it last (duty_discover.h) */
  mc_settle_lane settling[MC_SETTLE_KINDS];
  UT_hash_handle hh; /* by name */
} mc_queue;

/* One entry of the configuration, and its queues. */
typedef struct mc_queue_share {
  const mc_config_queue *config; /* borrowed */
  bool pattern;
  mc_queue **queues;
  size_t count;
  size_t turn; /* modulo count: where the next round's rest, or the next turn in strict order, begins */
} mc_queue_share;

typedef struct mc_queues {
  mc_queue **items; /* in the order of serving: highest weight first */
  size_t count;
  mc_queue *by_name;
  mc_queue_share *shares; /* in the order of serving */
  size_t share_count;
  bool strict;
  bool patterns; /* there is one among the shares */
  int64_t archive_max_age_s, archive_max_size;
} mc_queues;

/* Makes the shares, and the queues that are named exactly. */
void mc_queues_init(mc_queues *queues, const mc_config *config);
void mc_queues_deinit(mc_queues *queues);
mc_queue *mc_queues_find(const mc_queues *queues, mc_slice name);

/* A new queue of the pattern that its name fits best; NULL when it fits none, or is there already. */
mc_queue *mc_queues_add(mc_queues *queues, mc_slice name);

/* Removes a queue of a pattern; false, and it stays, while something refers to it or it was named exactly. */
bool mc_queues_remove(mc_queues *queues, mc_queue *queue);

/* The queue to ask next, NULL when none may be asked now. slots: how many tasks the node can hold, for the quantum. */
mc_queue *mc_queues_next(mc_queues *queues, size_t slots, uint64_t now_ms);

/* How many tasks of `free` this queue may take now. */
size_t mc_queue_allowance(const mc_queues *queues, const mc_queue *queue, size_t free);

/* A dequeue was sent for `asked` tasks; a dequeue for `asked` brought `got`. */
void mc_queue_asked(mc_queue *queue, size_t asked);
void mc_queue_answered(mc_queue *queue, size_t asked, size_t got);

/* It has nothing to give until something changes: it forfeits the rest of its round. */
void mc_queue_set_waiting(mc_queue *queue);

void mc_queues_set_ready(mc_queues *queues); /* all of them */

#endif
