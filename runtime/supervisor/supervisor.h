/* The supervisor: one per node. It takes tasks from Redis, hands them to workers, and settles what became of them. */
#ifndef MC_SUPERVISOR_SUPERVISOR_H
#define MC_SUPERVISOR_SUPERVISOR_H

#include "config/config.h"

/* Runs until it is told to stop (TERM, INT). program: the path of this binary, for starting workers. Returns the exit
 * code of the process: 0 after a clean stop, 1 when it could not start (said in the log). */
int mc_supervisor_run(const mc_config *config, const char *program);

#endif
