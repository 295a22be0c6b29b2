/* Starting one worker process: socketpair, shared page, scrubbed environment, its own process group. */
#ifndef MC_SUPERVISOR_SPAWN_H
#define MC_SUPERVISOR_SPAWN_H

#include "supervisor/pool.h"

/* sources: descriptor of the scripts' copy, lent. Fills process, channel and page of a worker. 0 or MC_EIO; what was
 * opened by then is for the caller to close. */
int mc_spawn_worker(mc_worker *worker, char **environment, int sources, uv_exit_cb on_exit, mc_err *err);

/* A copy without MOONCREW_*: a worker inherits no credentials of ours. */
char **mc_spawn_environment(char **from);
void mc_spawn_environment_free(char **environment);

#endif
