/* From what a handler did to what is written: the outcome of an attempt decides how its task is settled.
 *
 *   done ─▶ complete | retain      failed, timed out, cancelled, retry_in ─▶ retry | archive     snoozed ─▶ scheduled
 *   revoked ─▶ complete            skip_retry, invalid payload ─▶ archive                        not started ─▶ requeue
 *
 * While the supervisor shuts down, cancelled means requeue: no retry is spent on our stopping.
 */
#ifndef MC_SUPERVISOR_OUTCOME_H
#define MC_SUPERVISOR_OUTCOME_H

#include "protocol/frames.h"
#include "supervisor/held.h"

struct mc_node;

/* A RESULT frame. An attempt that is not held any more is logged and dropped. */
void mc_outcome_take(struct mc_node *node, const mc_frame_result *result);

/* A failure: retried with the delay (-1: the default formula), or archived when its retries are spent. */
void mc_outcome_fail(struct mc_node *node, mc_held *held, mc_slice error, int64_t delay_ms);
void mc_outcome_archive(struct mc_node *node, mc_held *held, mc_slice reason);
void mc_outcome_requeue(struct mc_node *node, mc_held *held);

/* Its worker died, and it is to blame; what happened and what that means (empty: nothing to add) are for people. It
 * runs again, or is archived at max_crashes; either way both stand on the task from then on, with the time. */
void mc_outcome_crash(struct mc_node *node, mc_held *held, const char *what, mc_slice meaning);

/* A task whose message cannot be decoded: archived with the reason, its bytes untouched. */
void mc_outcome_bury(struct mc_node *node, mc_held *held, const char *reason);

/* No longer ours (lease lost, refused): its handler is cancelled, its result will not be written. */
void mc_outcome_lose(struct mc_node *node, mc_held *held, const char *why);

#endif
