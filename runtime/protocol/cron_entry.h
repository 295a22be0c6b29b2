/* A cron entry: a schedule and the task that each of its ticks enqueues. Scripts declare them, the manifest carries
 * them, the supervisor's cron duty keeps them.
 */
#ifndef MC_PROTOCOL_CRON_ENTRY_H
#define MC_PROTOCOL_CRON_ENTRY_H

#include "protocol/cron.h"
#include "protocol/enqueue.h"

/* What becomes of ticks that nobody could enqueue in time (cron_plan.h). */
typedef enum mc_cron_missed {
  MC_CRON_SKIP,   /* nothing */
  MC_CRON_LATEST, /* the last of them is enqueued late */
} mc_cron_missed;

typedef struct mc_cron_entry {
  mc_slice id; /* empty: mc_cron_entry_name gives it one */
  mc_slice spec;
  mc_slice source; /* "file:line", for people */
  mc_cron_missed missed;
  int64_t process_in_ms; /* from the tick; 0: the task is for now */
  mc_enqueue_options options;
} mc_cron_entry;

/* A copy that owns all it points to, in one block of memory: free(block) ends it. */
void *mc_cron_entry_copy(const mc_cron_entry *from, mc_cron_entry *out);

#define MC_CRON_NAME_SIZE 33 /* with the NUL */

/* A name made of all that says when and what: zone, schedule, type, queue, payload and options (not `missed`, which
 * changes neither), so that nodes with the same scripts agree on it. */
void mc_cron_entry_name(const mc_cron_entry *entry, const mc_cron *cron, char out[MC_CRON_NAME_SIZE]);

/* ---- as asynq's tools read them ---- */

/* A SchedulerEntry, an item of asynq:schedulers:{…}. Times are unix seconds; 0: none. */
void mc_cron_entry_encode(const mc_cron_entry *entry, mc_slice id, int64_t next_s, int64_t prev_s, mc_buf *out);

/* A SchedulerEnqueueEvent, a member of asynq:scheduler_history:<id>. */
void mc_cron_event_encode(mc_slice task_id, int64_t at_ns, mc_buf *out);

#endif
