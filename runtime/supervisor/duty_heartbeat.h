/* Heartbeat: who we are and what we hold, for the inspectors of other tools and for the recovery of other nodes. */
#ifndef MC_SUPERVISOR_DUTY_HEARTBEAT_H
#define MC_SUPERVISOR_DUTY_HEARTBEAT_H

struct mc_node;

void mc_duty_heartbeat(struct mc_node *node);

/* At the end: takes our entries away, so that nobody lists a server that is gone. */
void mc_heartbeat_clear(struct mc_node *node);

#endif
