/* Whether a worker answers, and what is done when it does not.
 *
 * Looked at ten times a second, by two signs: the shared page says which step of which attempt it is doing, and once a
 * second it is sent a PING, which it answers whenever it comes back to its loop. What is counted are looks, not time: a
 * supervisor that stood still has read no answers meanwhile.
 *
 *   answers ── the same step at two looks, or no PONG for 1 s ──▶ stuck: gets no new tasks
 *      ▲                                                            │ for 0.5 s: what it has not started is taken
 *      │                                                            │ back, through the page
 *      └──────────────── another step, or the PONG ─────────────────┤
 *                                                                   │ no PONG for 1 s, and for kill_grace since then
 *                                                                   ▼ no attempt was resumed
 *                                                                killed
 *
 * A handler that computes all the time, but waits now and then if only by crew.sleep(0), is not stuck: each of its
 * steps is another one.
 *
 * A worker whose end of the socket is closed and that lives on (a handler closed descriptors that are not its own) will
 * never say anything again: it is killed, and who ran when that was seen is to blame.
 *
 * A worker that is stuck in a task's code is killed when that task's time is up (duty_overdue.h): how long a handler
 * may compute is the task's affair. Outside of any task (in a callback of luv, or since the process was stopped)
 * nothing else would ever free its slots.
 */
#ifndef MC_SUPERVISOR_PULSE_H
#define MC_SUPERVISOR_PULSE_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mc_worker;

/* Of one worker. Zeroed: nothing is known yet. */
typedef struct mc_pulse {
  bool asked;            /* a PING is under way */
  bool told;             /* the log says that it does not answer */
  unsigned waited;       /* looks since the last PING or PONG */
  unsigned stuck_for;    /* looks in a row at which it was stuck */
  unsigned lost_for;     /* looks in a row at which it did not answer and resumed no attempt */
  uint64_t token;        /* of the last PING */
  uint64_t last_current; /* the attempt it was resuming at the last look; 0: none */
  uint64_t last_steps;   /* and how many steps had begun by then */
  unsigned cut_for;      /* looks since its end of the socket was closed */
  bool cut_off;          /* it is closed */
  uint64_t cut_by;       /* by whom; 0: cannot be told */
  size_t last_unsent;    /* bytes that it had not taken from us at the last look */
} mc_pulse;

void mc_pulse_look(struct mc_worker *worker);                   /* at each look */
void mc_pulse_cut(struct mc_worker *worker);                    /* its end of the socket was closed */
int mc_pulse_answered(struct mc_worker *worker, mc_slice body); /* a PONG frame; MC_EMALFORMED */

#endif
