/* Our pools and generations, told in Redis for `mooncrew server ls` and `mooncrew reload`. */
#ifndef MC_SUPERVISOR_STATUS_H
#define MC_SUPERVISOR_STATUS_H

struct mc_node;

/* With every heartbeat, and at once when something of it has changed. Nothing while Redis is away. */
void mc_status_tell(struct mc_node *node);
void mc_status_clear(struct mc_node *node); /* at the end */

#endif
