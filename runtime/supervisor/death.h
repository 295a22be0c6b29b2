/* What becomes of the tasks of a worker that has ended.
 *
 * The shared page tells which attempt the worker was resuming: it alone is blamed. If it was resuming none, but a
 * single one had started, and the worker crashed by itself and was not killed from outside, that one is. For want of
 * memory others may be to blame: memory.h. If the
 * supervisor killed the worker since a task was past its time, the blamed attempt fails as timed out (a retry is spent,
 * as for any time-out). If the worker crashed, the blamed attempt goes back with one more crash to its name, or, at
 * max_crashes, to the archive. All others go back to the head of their queues as if they had not been started, in the
 * order they came from there. An exit with code 0 while tasks were in flight is a crash like any other.
 */
#ifndef MC_SUPERVISOR_DEATH_H
#define MC_SUPERVISOR_DEATH_H

#include "supervisor/pool.h"

/* Called once, after the worker's socket was drained. status and signal as libuv's exit callback has them. */
void mc_death_settle(mc_worker *worker, int64_t status, int signal);

/* The attempt to blame for what a worker does now: the one that is being resumed, else the only one that has started;
 * 0: nobody. */
uint64_t mc_death_suspect(const mc_worker *worker);

/* The attempt to blame for the end of a worker: the one that took its memory or closed its socket, if that was why
 * it ended; else the one that was being resumed; if none was, the one that the worker was killed for; 0: nobody. */
uint64_t mc_death_blamed(const mc_worker *worker);

#endif
