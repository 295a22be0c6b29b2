/* What handlers enqueue: gathered over a loop turn, sent in one call per queue, answered to the worker that asked.
 *
 * When the connection goes before the answer, the same tasks with the same ids are sent again after the reconnect
 * (protocol/enqueue.h says how the answer is then read). While Redis is away they wait; a worker that died meanwhile
 * gets no answer, but what it asked for is enqueued all the same.
 */
#ifndef MC_SUPERVISOR_OUTBOX_H
#define MC_SUPERVISOR_OUTBOX_H

#include "base/list.h"
#include "protocol/frames.h"

struct mc_node;
struct mc_worker;

typedef struct mc_outbox {
  mc_list waiting;
  size_t pending; /* waiting or sent and not answered */
} mc_outbox;

void mc_outbox_init(mc_outbox *outbox);
void mc_outbox_add(struct mc_node *node, struct mc_worker *worker, const mc_frame_enqueue *request);
void mc_outbox_flush(struct mc_node *node);  /* once per loop turn */
void mc_outbox_deinit(struct mc_node *node); /* logs what could not be sent */

#endif
