/* The queues that this supervisor serves, each once, whichever pools serve it.
 *
 * A queue is `ready` when it may hold tasks: at the start, after a dequeue that came back full, after a notice. It is
 * not ready after a dequeue that came back short, or that brought it to a limit of its own; then it is armed (wake.h)
 * and waits for a notice. At most one dequeue per queue is in flight, for one pool; turns.h says whose turn it is.
 *
 * Queues that a pattern stands for are found in Redis (duty_discover.h).
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
#include "supervisor/turns.h"

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
  mc_list seats; /* mc_seat.in_queue: the pools that serve it */
  bool named;    /* exactly, by one of them: it stays */
  int weight;    /* the largest that it has in a pool */
  int64_t archive_max_age_s, archive_max_size;
  bool ready;
  bool asking;            /* a dequeue is in flight */
  unsigned arming;        /* answers to an arm that are still due */
  mc_wait waits_for;      /* said by the last dequeue: what the queue is armed for */
  mc_limits limits;       /* as the last dequeue found them, where it waits for one of them */
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

typedef struct mc_queues {
  mc_queue **items; /* highest weight first */
  size_t count;
  mc_queue *by_name;
  mc_turns *turns; /* one per pool of the configuration */
  size_t turns_count;
  bool patterns; /* a pool has one */
  int64_t archive_max_age_s, archive_max_size;
} mc_queues;

/* Makes the turns of every pool, and the queues that are named exactly. */
void mc_queues_init(mc_queues *queues, const mc_config *config);
void mc_queues_deinit(mc_queues *queues);
mc_queue *mc_queues_find(const mc_queues *queues, mc_slice name);

/* A new queue, for every pool with a pattern that its name fits; NULL when there is none, or the queue is there. */
mc_queue *mc_queues_add(mc_queues *queues, mc_slice name);

/* Removes a queue of a pattern; false, and it stays, while something refers to it or it was named exactly. */
bool mc_queues_remove(mc_queues *queues, mc_queue *queue);

/* A dequeue for `asked` tasks brought `got`. */
void mc_queue_answered(mc_queue *queue, size_t asked, size_t got);

/* It has nothing to give until something changes: it forfeits the rest of its rounds. */
void mc_queue_set_waiting(mc_queue *queue);

bool mc_queues_strict(const mc_queues *queues); /* whether every pool serves its queues in strict order */
void mc_queues_set_ready(mc_queues *queues);    /* all of them */

#endif
