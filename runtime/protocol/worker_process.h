/* What a supervisor and the process of a worker agree on beside the frames: descriptors and exit codes. */
#ifndef MC_PROTOCOL_WORKER_PROCESS_H
#define MC_PROTOCOL_WORKER_PROCESS_H

#define MC_WORKER_SOCKET_FD 3
#define MC_WORKER_PAGE_FD 4

/* Exit codes of `mooncrew worker`. */
#define MC_WORKER_EXIT_DONE 0
#define MC_WORKER_EXIT_LOAD_FAILED 78 /* the scripts do not load: not respawned in a loop */
#define MC_WORKER_EXIT_CUT_OFF 79     /* what runs has closed descriptors that the worker needs */

#endif
