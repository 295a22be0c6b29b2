/* What Redis refused, said once in the log until it is granted again: an error reply to something that is asked over
 * and over must neither pass in silence nor fill the log.
 */
#ifndef MC_SUPERVISOR_REFUSAL_H
#define MC_SUPERVISOR_REFUSAL_H

#include "base/value.h"

typedef enum mc_refusal {
  MC_REFUSED_DEQUEUE,
  MC_REFUSED_FORWARD,
  MC_REFUSED_EXTEND,
  MC_REFUSED_RECOVER,
  MC_REFUSED_HEARTBEAT,
  MC_REFUSED_JANITOR,
  MC_REFUSED_DISCOVER,
  MC_REFUSED_CRON,
  MC_REFUSED_CRON_TELL,
  MC_REFUSED_AGGREGATE,
  MC_REFUSED_RECLAIM,
} mc_refusal;

/* A reply came: true when it is no error. said: a bit per mc_refusal, kept by the caller. queue: for the log, may be
 * empty. */
bool mc_granted(mc_refusal what, unsigned *said, mc_slice queue, const mc_value *reply);

#endif
