/* The supervisor: one per node. It takes tasks from Redis, hands them to workers, and settles what became of them. */
#ifndef MC_SUPERVISOR_SUPERVISOR_H
#define MC_SUPERVISOR_SUPERVISOR_H

#include "config/config.h"

/* Runs until it is told to stop (TERM, INT). Returns the exit code of the process: 0 after a clean stop, 1 when it
 * could not start or not put everything back (said in the log). The process is to end then by _exit: a name look-up may
 * still be under way, which exit would wait for. */
int mc_supervisor_run(const mc_config *config);

#endif
