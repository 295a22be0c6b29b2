/* Log lines about folds. */
#ifndef MC_SUPERVISOR_FOLD_LOG_H
#define MC_SUPERVISOR_FOLD_LOG_H

#include "supervisor/folds.h"

void mc_fold_log_folded(const mc_fold *fold, const char *detail); /* detail may be NULL */
void mc_fold_log_failed(const mc_fold *fold, mc_slice trace);     /* error is in fold->error; trace may be empty */
void mc_fold_log_refused(const mc_fold *fold);                    /* the set was taken from us */
void mc_fold_log_left(const mc_fold *fold, mc_slice why);         /* the set stays in Redis, to be reclaimed */
void mc_fold_log_unfit(const mc_fold *fold);                      /* alone_count of its tasks go to pending */
void mc_fold_log_late(uint64_t number);                           /* a result came for a fold that is not in hand */

#endif
