/* The end of a fold, written to Redis in one script call: its task is accepted and its set deleted, or its set goes
 * back to the group. A fold stays in hand until Redis has answered. When the connection goes first, the call is sent
 * again after the reconnect: both scripts are fenced. What Redis refuses otherwise has failed; a set that cannot even
 * go back is left to be reclaimed.
 */
#ifndef MC_SUPERVISOR_FOLD_SETTLE_H
#define MC_SUPERVISOR_FOLD_SETTLE_H

#include "supervisor/folds.h"

void mc_fold_settle(mc_fold *fold);    /* as fold->has_task says */
void mc_fold_give_back(mc_fold *fold); /* regroups; nothing has failed */

/* Regroups with one more failure in a row. The trace is for the log, and may be empty. */
void mc_fold_fail(mc_fold *fold, mc_slice error, mc_slice trace);

int64_t mc_fold_next_try_s(const mc_fold *fold); /* when it fails now: unix s */

void mc_folds_flush(struct mc_node *node); /* sends what settles; once per loop turn */

#endif
