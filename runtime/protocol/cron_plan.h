/* Which tick of an entry a node is to enqueue now. No I/O, and time is an argument.
 *
 * All nodes with the same entry plan the same ticks, each by its own clock, and one of them wins each tick in Redis
 * (cron_tick.h). A node deals with its ticks in order, one after the other:
 *
 *   a tick is due from its second on. Up to MC_CRON_LATE_S after it, it is enqueued late, but enqueued: a short stall
 *   or outage, or a restart, loses nothing.
 *   What is older when the node comes to it was missed. With MC_CRON_SKIP it is passed over; with MC_CRON_LATEST the
 *   last missed tick is tried, unless a later one is due in time.
 *
 * A clock that jumps forward is a stall; one that is set back makes the node wait until it has caught up, or, after a
 * jump of more than MC_CRON_LATE_S, begin anew from the time it then shows: Redis knows which ticks there were.
 */
#ifndef MC_PROTOCOL_CRON_PLAN_H
#define MC_PROTOCOL_CRON_PLAN_H

#include "protocol/cron_entry.h"

#define MC_CRON_LATE_S 30

typedef struct mc_cron_plan {
  const mc_cron *cron;
  mc_cron_missed missed;
  int64_t done_s;    /* every tick up to here is dealt with */
  int64_t until_s;   /* ticks after this are not ours: the entry was replaced then; INT64_MAX: it stands */
  int64_t next_s;    /* the first tick after done_s … */
  bool next_known;   /* … once it was looked for; INT64_MAX: none */
  int64_t skipped_s; /* the last tick that was passed over, until somebody has logged it and set it to 0 */
} mc_cron_plan;

typedef struct mc_cron_tick {
  int64_t at_s;
  bool missed; /* older than MC_CRON_LATE_S: to be enqueued only if no later one ever was */
} mc_cron_tick;

/* A plan whose ticks begin after done_s. The schedule is borrowed. */
void mc_cron_plan_init(mc_cron_plan *plan, const mc_cron *cron, mc_cron_missed missed, int64_t done_s);

/* The tick to be enqueued now: true and *out; false: none is due. Asked again without mc_cron_plan_done in between, it
 * gives the same one, as long as it is not too late for it. */
bool mc_cron_plan_due(mc_cron_plan *plan, int64_t now_s, mc_cron_tick *out);

/* A tick was enqueued, by us or by somebody else. */
void mc_cron_plan_done(mc_cron_plan *plan, int64_t tick_s);

#endif
