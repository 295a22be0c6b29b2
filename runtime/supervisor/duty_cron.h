/* Cron: at every whole second, what is due is enqueued, by the one node that wins the tick (protocol/cron_tick.h).
 *
 * All ticks are whole seconds, and the duty looks at each of them on the wall clock, so that it sleeps for no more than
 * a second whatever happens to the clock. An entry's ticks are dealt with one after the other: the next one is tried
 * when the one before is answered. A reply that is lost, or an error of Redis, leaves the tick where it is, and the
 * next second tries it again, with the same task.
 */
#ifndef MC_SUPERVISOR_DUTY_CRON_H
#define MC_SUPERVISOR_DUTY_CRON_H

struct mc_node;

void mc_duty_cron(struct mc_node *node);

#endif
