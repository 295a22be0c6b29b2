/* The process between a worker and a program that crew.exec runs: nothing that the program starts outlives it.
 *
 *   worker ──uv_spawn──▶ guard ──fork──▶ program ──▶ whatever that starts
 *
 * The guard is the subreaper of all below it: a daemon that forks twice and makes a session of its own becomes the
 * guard's child when its parent ends. When the program has ended, or at SIGTERM, the guard kills all that is left, and
 * ends. It gets SIGTERM when the worker wants the program to end, and from the kernel when the worker dies, however.
 * What it cannot kill (a program of another user's, by setuid) it leaves after GUARD_PATIENCE_MS.
 */
#ifndef MC_WORKER_GUARD_H
#define MC_WORKER_GUARD_H

#include <stdint.h>

#define MC_GUARD_REPORT_FD 3

/* What the guard writes to its descriptor 3, once; nothing when it was told to end before. */
typedef enum mc_guard_end {
  MC_GUARD_EXITED = 1, /* value: the exit status */
  MC_GUARD_SIGNALED,   /* value: the signal */
  MC_GUARD_NO_FOLDER,  /* the folder to run in cannot be entered; value: errno */
  MC_GUARD_NO_PROGRAM, /* the program cannot be run; value: errno */
} mc_guard_end;

typedef struct mc_guard_report {
  int32_t end; /* mc_guard_end */
  int32_t value;
} mc_guard_report;

/* mooncrew guard PARENT FOLDER PROGRAM ARGUMENT… — FOLDER empty: the current one. Its standard files and its
 * environment are the program's. Returns the exit status of the process. */
int mc_guard_run(int argc, char **argv);

#endif
