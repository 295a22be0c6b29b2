/* Handlers that do not stop: ten times a second the shared pages are looked at. A worker with a handler that is past
 * its time by more than kill_grace is killed; one that has been running the same piece of Lua code since the last look
 * or two gets no new tasks until it moves on.
 */
#ifndef MC_SUPERVISOR_DUTY_OVERDUE_H
#define MC_SUPERVISOR_DUTY_OVERDUE_H

struct mc_node;

void mc_duty_overdue(struct mc_node *node);

#endif
