/* The janitor: deletes completed tasks when their retention ends, and trims the archive of each queue by age and size.
 *
 * Every two seconds, one call per queue that deletes up to MC_JANITOR_BATCH tasks. A full call is followed by another
 * once it is answered, so that a backlog, of whatever size, goes in small bites with everybody else's commands between.
 */
#ifndef MC_SUPERVISOR_DUTY_JANITOR_H
#define MC_SUPERVISOR_DUTY_JANITOR_H

struct mc_node;

void mc_duty_janitor(struct mc_node *node);

#endif
