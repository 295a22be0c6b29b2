/* The process of a private redis-server: fork, exec, and waiting for its end. */
#ifndef MC_CLI_REDIS_PROCESS_H
#define MC_CLI_REDIS_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

/* Executes redis-server in its own session, in `folder`, listening on `socket` alone and writing to redis.log. lock: a
 * descriptor that it inherits. The kernel sends it a TERM when the caller's process dies. 0 and the pid once the new
 * program runs; else the errno of what went wrong, ENOENT when there is no redis-server. */
int mc_redis_process_spawn(const char *folder, const char *socket, int lock, pid_t *pid);

/* Waits until the process has ended: true, and it is still to be reaped; false when the time was up. A kernel without
 * pidfd_open (before 5.3) cannot be asked to wait no longer than that: there this waits for the end. */
bool mc_redis_process_wait(pid_t pid, int limit_ms);

/* Takes the ended process away and returns its wait status. */
int mc_redis_process_reap(pid_t pid);

#endif
