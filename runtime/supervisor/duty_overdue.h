/* Handlers that do not stop: ten times a second the workers are looked at. One with a handler that is past its time, or
 * was cancelled, by more than kill_grace is killed; so is one that has not loaded its scripts in 30 s; one that does
 * not answer gets no new tasks until it does (pulse.h), one whose handlers all take long gives back what it has in
 * advance, and one that takes too much memory is replaced or killed (memory.h).
 */
#ifndef MC_SUPERVISOR_DUTY_OVERDUE_H
#define MC_SUPERVISOR_DUTY_OVERDUE_H

struct mc_node;

void mc_duty_overdue(struct mc_node *node);

#endif
