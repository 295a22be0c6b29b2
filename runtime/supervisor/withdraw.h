/* Taking back what a worker has not started without its help: it is stuck and would not hear DRAIN. It learns from the
 * shared page that it is not to start them (protocol/shared_page.h); when it moves on it hands them back all the same,
 * which is then of no interest any more. They go back to the head of their queues; one that was cancelled meanwhile
 * fails.
 *
 * A worker starts its tasks in the order of their attempts, but for a few (folds are numbered in another order than
 * they are handed out). So what is newer than the newest one that it has started has not started; the few stay with it.
 */
#ifndef MC_SUPERVISOR_WITHDRAW_H
#define MC_SUPERVISOR_WITHDRAW_H

#include "supervisor/pool.h"

void mc_worker_withdraw(mc_worker *worker);

#endif
