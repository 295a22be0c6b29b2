/* The log lines at the end of an attempt, written when Redis has confirmed what became of it. */
#ifndef MC_SUPERVISOR_SETTLE_LOG_H
#define MC_SUPERVISOR_SETTLE_LOG_H

#include "supervisor/held.h"

void mc_settle_log_done(const mc_held *held, const char *detail); /* detail: what else is to be said; NULL: nothing */
void mc_settle_log_refused(const mc_held *held);                  /* no longer ours: nothing was written */

#endif
