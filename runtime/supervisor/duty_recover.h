/* Recovery of orphans: tasks in `active` that nobody works on any more.
 *
 * A task is an orphan when its (id, lease score) pair was seen unchanged for 10 s on our own monotonic clock while we
 * were connected, and the id is in no live server's workers hash; the same for an id in `active` without any lease, and
 * for a lease whose id is not in `active`. Owners extend every 5 s, so an unchanged pair means two missed beats.
 * Observing begins anew after a reconnect: an outage of Redis, during which nobody could extend, makes nobody steal. A
 * lease that expired more than 30 s ago and stands unchanged is recovered even if a server claims the task (asynq's own
 * rule); what is still extended never is, however far the clocks of two nodes are apart.
 *
 * An orphan goes back to the head of its queue and no retry is spent. The script checks once more that the task is as
 * it was seen. What this node itself holds is never looked at, so a dequeue whose reply was lost is found as well.
 */
#ifndef MC_SUPERVISOR_DUTY_RECOVER_H
#define MC_SUPERVISOR_DUTY_RECOVER_H

struct mc_node;

#define MC_RECOVER_AFTER_MS 10000

void mc_duty_recover(struct mc_node *node);
void mc_recover_forget(struct mc_node *node); /* after a reconnect: observing begins anew */

#endif
