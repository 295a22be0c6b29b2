/* The private Redis of `mooncrew dev`: a redis-server of its own for one folder, on a unix socket, that keeps what it
 * holds in that folder.
 *
 * It runs in its own session, so that a terminal's Ctrl-C reaches mooncrew alone and the tasks in flight can still be
 * settled; when mooncrew dies, the kernel sends it a TERM. A lock in the folder, held as long as the server lives,
 * refuses a second one.
 *
 * In the folder: redis.log (output), redis.pid, lock, appendonlydir/ (the data).
 */
#ifndef MC_CLI_PRIVATE_REDIS_H
#define MC_CLI_PRIVATE_REDIS_H

#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

#define MC_SOCKET_PATH_MAX 107 /* bytes, as Linux limits it */

/* Starts the server and waits until it answers. folder must exist; socket is an absolute path of at most
 * MC_SOCKET_PATH_MAX bytes. 0 and the pid, to be ended by mc_private_redis_stop; MC_ECONFLICT when one runs there;
 * MC_ENOT_FOUND when there is no redis-server to run; MC_EIO and MC_ETIMEOUT when it does not come up (then it is gone
 * again). */
int mc_private_redis_start(const char *folder, const char *socket, pid_t *pid, mc_err *err);

/* Asks the server to save and end, waits up to 10 s, then kills it. */
void mc_private_redis_stop(pid_t pid);

/* Does a Redis answer on this socket now (also one that asks for a password or is still loading)? */
bool mc_private_redis_alive(const char *socket);

#endif
