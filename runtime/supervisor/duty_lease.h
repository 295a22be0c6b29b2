/* Leases: everything held is extended every 5 s, prefetched tasks included. A task that Redis says is no longer ours,
 * or that could not be renewed for as long as its lease lasts (on the clock that goes on while the host sleeps), is
 * given up: its handler is cancelled and its result is not written.
 */
#ifndef MC_SUPERVISOR_DUTY_LEASE_H
#define MC_SUPERVISOR_DUTY_LEASE_H

struct mc_node;

void mc_duty_lease(struct mc_node *node);
void mc_duty_lease_loss(struct mc_node *node);

#endif
