/* Cancellation asked for by anyone: a task id published on asynq:cancel. */
#ifndef MC_SUPERVISOR_CANCEL_H
#define MC_SUPERVISOR_CANCEL_H

#include "base/slice.h"

struct mc_node;
struct mc_held;

/* Every task with this id that a worker of ours has. */
void mc_cancel_by_id(struct mc_node *node, mc_slice id);

/* Asks the worker that has it to stop its coroutine; the result says what became of it. A worker that has not stopped
 * it within kill_grace is killed (duty_overdue.h). */
void mc_cancel_held(struct mc_held *held);

/* Of a cancelled task at a worker: says so in the shared page too, for a handler that computes and hears of no frame.
 * To be repeated: it may not have started. */
void mc_cancel_mark(const struct mc_held *held);

#endif
