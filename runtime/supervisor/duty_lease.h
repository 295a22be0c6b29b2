/* Leases: everything held is extended every 5 s, prefetched tasks included. A task that Redis says is no longer ours is
 * given up: its handler is cancelled and its result is not written.
 *
 * So is one whose lease has been over for 30 s (on the clock that goes on while the host sleeps): from then on asynq's
 * servers take it, too, if they reach Redis and we do not. It is not given up as soon as its lease ends, since then
 * every outage of Redis of half a minute would cancel all handlers of the fleet, though nobody took anything from
 * anyone. That two run it for a while when a node is cut off cannot be ruled out by either; fencing sees to it that
 * only one of them writes.
 */
#ifndef MC_SUPERVISOR_DUTY_LEASE_H
#define MC_SUPERVISOR_DUTY_LEASE_H

struct mc_node;

void mc_duty_lease(struct mc_node *node);
void mc_duty_lease_loss(struct mc_node *node);

#endif
