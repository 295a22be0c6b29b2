/* Ticks in Redis: the calls by which nodes agree who enqueues one.
 *
 *   asynq:{q}:mc_cron:<entry>          hash, the entry's record: `newest`, the newest tick that anybody dealt with;
 *                                      `enqueued`, the newest that was enqueued
 *   asynq:{q}:mc_cron:<entry>:<tick>   string, the claim: SET NX by the node that enqueues the tick; the task's id
 *
 * Why no tick is ever enqueued twice: one that is newer than `newest` never was. Any other one was if its claim is
 * there, and a claim outlives the tick by MC_CRON_CLAIM_S on Redis' own clock; after that the script refuses the tick
 * as too late, by the same clock. So it matters neither how far the clocks of nodes are apart, nor how long a node or a
 * command on its way to Redis was held up, nor that the task was long finished.
 */
#ifndef MC_PROTOCOL_CRON_TICK_H
#define MC_PROTOCOL_CRON_TICK_H

#include "protocol/cron_plan.h"

#define MC_CRON_CLAIM_S 300
#define MC_CRON_RECORD_S (30 * 86400) /* how long a record lives beyond the tick that should renew it */

/* Opens an entry's record; one that is new begins at start_s, from which on ticks can be missed. lasts_s: how long it
 * is kept. */
void mc_call_cron_open(mc_call *call, mc_slice queue, mc_slice entry, int64_t start_s, int64_t lasts_s);

typedef struct mc_cron_record {
  int64_t newest_s;
  int64_t enqueued_s; /* 0: no tick was enqueued so far */
} mc_cron_record;

int mc_cron_record_read(const mc_value *reply, mc_cron_record *out, mc_err *err);

/* Claims a tick and enqueues its task, at once or not at all. */
void mc_call_cron_tick(mc_call *call, mc_slice entry, const mc_cron_tick *tick, const mc_enqueue *task, int64_t lasts_s,
                       int64_t now_ns);

/* What became of the tick; whatever it is, the tick is dealt with. */
typedef enum mc_cron_answer {
  MC_CRON_ENQUEUED = 1,   /* by this call, or by one of the same task whose reply was lost */
  MC_CRON_TAKEN = 0,      /* another node has enqueued it */
  MC_CRON_DUPLICATE = -1, /* the uniqueness lock is held: no task this time */
  MC_CRON_CONFLICT = -2,  /* a task with the entry's task_id exists: no task this time */
  MC_CRON_TOO_LATE = -3,  /* nobody can tell any more whether it was enqueued, or a later one was */
} mc_cron_answer;

int mc_cron_answer_read(const mc_value *reply, const mc_enqueue *task, mc_cron_answer *out, mc_err *err);

#endif
