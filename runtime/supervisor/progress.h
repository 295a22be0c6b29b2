/* How far tasks have come, as their handlers tell: written to Redis for whoever looks at a task.
 *
 * Only the latest word of a task is kept until the end of the loop turn, or until Redis is there again; then all that
 * came go in one call per queue. How often a task speaks is limited in the worker (lua/mooncrew/worker.lua). Nothing
 * hangs on it: what Redis refuses, or what is under way when the connection goes, is not sent again. A task that is
 * being settled has nothing to tell any more, and settling takes the field away.
 */
#ifndef MC_SUPERVISOR_PROGRESS_H
#define MC_SUPERVISOR_PROGRESS_H

#include "base/list.h"
#include "protocol/frames.h"

struct mc_node;
struct mc_held;
struct mc_worker;

typedef struct mc_progress mc_progress; /* told by one held task and not yet sent */

/* A PROGRESS frame; nothing when the attempt is not the worker's any more. */
void mc_progress_take(struct mc_worker *worker, const mc_frame_progress *frame);

void mc_progress_drop(struct mc_held *held);  /* what was not sent of it; idempotent */
void mc_progress_flush(struct mc_node *node); /* once per loop turn, before tasks are settled */

#endif
