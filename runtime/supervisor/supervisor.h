/* The supervisor: one per node. It takes tasks from Redis, hands them to workers, and settles what became of them. */
#ifndef MC_SUPERVISOR_SUPERVISOR_H
#define MC_SUPERVISOR_SUPERVISOR_H

#include "config/config.h"

#include <sys/types.h>

/* Runs until it is told to stop (TERM, INT). own_redis: the pid of the redis-server that was started for it, with whose
 * end it stops too; 0: none. Returns the exit code of the process: 0 after a clean stop, 1 when it could not start, not
 * put everything back, or lost its own Redis (said in the log). The process is to end then by _exit: a name look-up may
 * still be under way, which exit would wait for. */
int mc_supervisor_run(const mc_config *config, pid_t own_redis);

#endif
