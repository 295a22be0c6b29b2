/* Stopping, in steps that only ever go forward.
 *
 *   running ── TSTP ──▶ quiet        nothing new is fetched
 *      │                  │
 *      └── TERM, INT ─────┴──▶ draining    workers hand back what they have not started; handlers go on
 *                                 │ all settled, or shutdown_timeout, or a second INT
 *                                 ▼
 *                             cancelling   coroutines are cancelled, then workers are killed; what is left goes back
 *                                 │ all settled, or too late for Redis to answer
 *                                 ▼
 *                             closing      heartbeat taken away, and when Redis has confirmed that, connections and
 *                                          workers are closed, which run what scripts gave to crew.on_stop, for
 *                                          kill_grace at most; the loop ends
 *
 * No retry is spent on any task by our stopping.
 */
#ifndef MC_SUPERVISOR_SHUTDOWN_H
#define MC_SUPERVISOR_SHUTDOWN_H

#include <stdbool.h>
#include <uv.h>

struct mc_node;

typedef enum mc_phase { MC_RUNNING, MC_QUIET, MC_DRAINING, MC_CANCELLING, MC_CLOSING } mc_phase;

typedef struct mc_shutdown {
  mc_phase phase;
  int exit_code;
  bool cut_short;    /* the loop did not come to its end: a name look-up is under way, which nothing can stop */
  bool workers_late; /* connections had their time to close, workers still have theirs */
  uv_timer_t timer;  /* ends the phase at hand */
} mc_shutdown;

void mc_shutdown_open(struct mc_node *node); /* signals and timer */

bool mc_shutdown_fetching(const struct mc_node *node); /* true while new tasks are fetched */
bool mc_shutdown_started(const struct mc_node *node);  /* true from draining on */

void mc_shutdown_close(struct mc_node *node); /* after the loop has ended: the last handle */

void mc_shutdown_check(struct mc_node *node); /* once per loop turn: goes on when nothing is held any more */
void mc_shutdown_fail(struct mc_node *node);  /* cannot go on: stops with exit code 1 */

#endif
