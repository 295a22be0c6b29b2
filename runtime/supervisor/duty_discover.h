/* Discovery: finds the queues that the configuration names by a pattern ("tenant:*") in asynq:queues, where every
 * producer puts a queue before its first task.
 *
 * The set is read every few seconds, under tracking, so that a new queue is known, and served, about as soon as it is
 * made. A queue that is not in the set any more is let go when it has no tasks that wait and nothing of it is in hand;
 * until then it is served on. One that has such tasks is put into the set again: their producers would not do it.
 */
#ifndef MC_SUPERVISOR_DUTY_DISCOVER_H
#define MC_SUPERVISOR_DUTY_DISCOVER_H

#include <stdbool.h>
#include <stdint.h>

struct mc_node;

typedef struct mc_discovery {
  bool asking;   /* a look is under way */
  bool again;    /* the set changed meanwhile */
  uint64_t look; /* number of the last one */
  bool said_odd; /* a name that is no text was found: it is in the log */
} mc_discovery;

/* Looks now; does nothing where no pattern is configured. */
void mc_duty_discover(struct mc_node *node);

#endif
