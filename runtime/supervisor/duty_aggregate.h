/* Groups: once a second, or less often where they are very many, the groups of every queue that scripts have rules for
 * are looked at, and those that are due move to aggregation sets, which are folded (folds.h). Every few seconds sets
 * whose deadline has passed, of whatever server, go back to their groups.
 *
 * A look goes through the names of a queue's groups a page at a time, and through the groups that have a rule a batch
 * at a time. Before a batch is asked for, a slot must be free at a worker for a set that it may bring. A look that
 * waits for one gets the next that comes free: at the end of a loop turn looks come before dispatch.
 */
#ifndef MC_SUPERVISOR_DUTY_AGGREGATE_H
#define MC_SUPERVISOR_DUTY_AGGREGATE_H

#include "base/slice.h"

struct mc_node;

void mc_duty_aggregate(struct mc_node *node);

/* Looks at one group now: there may be more of it. */
void mc_aggregate_look_at(struct mc_node *node, mc_slice queue, mc_slice group);

void mc_aggregate_flush(struct mc_node *node);  /* sends the batches for which there is a slot; once per loop turn */
void mc_aggregate_deinit(struct mc_node *node); /* after the loop has ended */

#endif
