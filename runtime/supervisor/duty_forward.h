/* Delayed tasks: at every whole second, what is due in `scheduled` and `retry` goes to `pending`. */
#ifndef MC_SUPERVISOR_DUTY_FORWARD_H
#define MC_SUPERVISOR_DUTY_FORWARD_H

struct mc_node;

void mc_duty_forward(struct mc_node *node);

#endif
