/* Whose turn it is among the queues of one pool.
 *
 * Every entry of the pool's `queues` is a share: a weight for one queue, or, when it is a pattern, for all queues found
 * in Redis whose name begins so. An exact name beats a pattern, the longest pattern wins. A queue that several pools
 * serve has a seat in the turns of each, and its dequeue is in flight for one of them at a time.
 *
 * Shares: deficit round robin. A round gives every share with a ready queue weight × quantum tasks to take, which the
 * ready queues of a pattern divide evenly; the rest of that division goes to others of them in each round. So the
 * pattern's weight is that of all its queues together, however many come: they cannot crowd out the shares beside
 * them. A new round begins only when no ready queue has any left, so long-run shares are exact however large single
 * batches are. A queue that runs empty forfeits the rest of its round.
 *
 * With strict order the highest weight goes first, and nothing below it is asked while it may hold tasks; queues of one
 * pattern take turns.
 */
#ifndef MC_SUPERVISOR_TURNS_H
#define MC_SUPERVISOR_TURNS_H

#include "base/list.h"
#include "base/slice.h"
#include "config/config.h"

struct mc_queue;

/* One queue in the turns of one pool. */
typedef struct mc_seat {
  struct mc_queue *queue;
  mc_list in_queue; /* link in queue->seats */
  size_t deficit;   /* tasks it may still take in this round */
} mc_seat;

/* One entry of the configuration, and its queues. */
typedef struct mc_share {
  const mc_config_queue *config; /* borrowed */
  bool pattern;
  mc_seat **seats;
  size_t count;
  size_t turn; /* modulo count: where the next round's rest, or the next turn in strict order, begins */
} mc_share;

typedef struct mc_turns {
  mc_config_pool pool; /* everything filled in; what it points to is the configuration's */
  mc_share *shares;    /* in the order of serving: highest weight first */
  size_t share_count;
} mc_turns;

void mc_turns_init(mc_turns *turns, const mc_config_pool *pool);
void mc_turns_deinit(mc_turns *turns); /* while its queues still are */

bool mc_is_queue_pattern(mc_slice name);

/* Gives a queue a seat, if its name fits a share, whose entry is returned; else NULL. A queue has no seat here yet. */
const mc_config_queue *mc_turns_seat(mc_turns *turns, struct mc_queue *queue);
void mc_turns_leave(mc_turns *turns, struct mc_queue *queue); /* takes its seat away, if it has one */
bool mc_turns_serve(const mc_turns *turns, mc_slice queue);   /* whether a queue of this name has or would get a seat */

/* The queue to ask next, NULL when none may be asked now. slots: how many tasks the pool can hold, for the quantum. */
mc_seat *mc_turns_next(mc_turns *turns, size_t slots, uint64_t now_ms);

/* How many tasks of `free` may be taken from this queue now. */
size_t mc_seat_allowance(const mc_turns *turns, const mc_seat *seat, size_t free);

void mc_seat_asked(mc_seat *seat, size_t asked); /* a dequeue for so many was sent */

#endif
