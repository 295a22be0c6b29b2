/* Cron entries for asynq's tools: this node's list in asynq:schedulers, written anew every 10 s, and the history of
 * what was enqueued, at most 1,000 events for each entry.
 */
#ifndef MC_SUPERVISOR_DUTY_CRON_TELL_H
#define MC_SUPERVISOR_DUTY_CRON_TELL_H

#include "base/slice.h"

#include <stdint.h>

struct mc_node;

void mc_duty_cron_tell(struct mc_node *node);
void mc_cron_tell_clear(struct mc_node *node); /* at the end: takes the list away; the history stays */

/* A tick of the entry has just enqueued a task. lasts_s: how long the history is kept from now on. */
void mc_cron_tell_event(struct mc_node *node, mc_slice entry, mc_slice task_id, int64_t lasts_s);

#endif
