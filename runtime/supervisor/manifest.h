/* The manifests of this node's workers, and which of them is in force: whose cron entries and rules for groups this
 * node follows.
 *
 * All workers of a generation load the same scripts (reload.h), and the places change to the next generation in one
 * moment. Scripts may still declare other things each time they are loaded (by chance, or the time of day), and what
 * one worker's entries enqueue and its rules fold would reach workers that know nothing of it. So a manifest comes into
 * force only when all serving workers have it: the first worker's at once, a changed one when no other is left. Until
 * then the one before stays, and the log says so once; tasks are dispatched as ever.
 */
#ifndef MC_SUPERVISOR_MANIFEST_H
#define MC_SUPERVISOR_MANIFEST_H

#include "protocol/frames.h"

struct mc_node;
struct mc_worker;

/* Of one worker. Zeroed: it is not ready yet. */
typedef struct mc_manifest {
  mc_buf body;     /* of its READY */
  uint64_t digest; /* of what it declares, in whatever order and on whatever lines */
} mc_manifest;

/* Of the node. Zeroed: none is in force. */
typedef struct mc_manifest_force {
  bool any;
  uint64_t digest; /* of the one that is in force */
  bool differ;     /* workers disagree, and the log says so */
} mc_manifest_force;

/* A worker is ready: keeps a copy of its manifest. */
void mc_manifest_take(struct mc_worker *worker, mc_slice body, const mc_frame_ready *ready);

/* To be called when a worker has become ready or has ended: what all serving workers have now comes into force. */
void mc_manifest_agree(struct mc_node *node);

#endif
