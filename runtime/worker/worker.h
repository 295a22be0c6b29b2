/* A worker: one LuaJIT state that runs handlers as coroutines, told what to do through frames. */
#ifndef MC_WORKER_WORKER_H
#define MC_WORKER_WORKER_H

/* Runs `mooncrew worker`, which only a supervisor starts: the socket is descriptor 3, the shared page descriptor 4.
 * Returns the exit code (MC_WORKER_EXIT_…). */
int mc_worker_run(void);

#endif
