/* Dispatch: asks Redis for as many tasks as the workers of a pool have free slots, one script call per queue, and hands
 * each to the least busy worker of that pool. A task that no worker can take any more by the time the reply comes goes
 * back to the head of its queue.
 */
#ifndef MC_SUPERVISOR_DISPATCH_H
#define MC_SUPERVISOR_DISPATCH_H

struct mc_node;

/* Sends the dequeues that are due; once per loop turn. */
void mc_dispatch_run(struct mc_node *node);

#endif
