/* On whose behalf the loop works outside of any step: bytes arrive for an operation that a task has begun, are kept,
 * and become values of Lua. In between the shared page's `current` names that task, so that memory which comes with
 * them is put down to it (growth.h), and so is a crash.
 *
 *   the operation begins, in a step      attempt = mc_behalf_now()
 *   a callback of the loop for it        outer = mc_behalf_begin(attempt) … mc_behalf_end(outer)
 *
 * They nest. For attempt 0, and outside of a worker, nothing happens. An attempt that has ended is charged with
 * nothing.
 */
#ifndef MC_WORKER_BEHALF_H
#define MC_WORKER_BEHALF_H

#include "worker/growth.h"

/* What the worker has; lent for good. */
void mc_behalf_use(mc_growth *growth);

uint64_t mc_behalf_now(void); /* the attempt whose code runs; 0: none */

uint64_t mc_behalf_begin(uint64_t attempt);
void mc_behalf_end(uint64_t outer);

#endif
