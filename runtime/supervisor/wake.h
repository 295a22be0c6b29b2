/* Wake-ups: how an idle queue learns of a task without polling.
 *
 * A dequeue that came back short arms its queue: CLIENT CACHING YES and a look at each key to wait for. If an answer
 * says that there is something to do already, the queue is ready at once; if not, the next change of the key, by
 * whomever, sends one notice, and the key is forgotten until armed again. Nothing is missed between a dequeue and its
 * arm, since the arm looks again.
 *
 *   it waits for        keys                   ready at once when
 *   tasks               pending                it exists
 *   the end of a pause  paused                 it does not
 *   a slot              lease, mc_limits       fewer are leased than its concurrency allows; the limits are others
 *   its rate            mc_limits, and a time  the limits are others
 *
 * A slow check makes every queue ready every 5 s, for whatever was missed all the same. Without tracking that check
 * runs at task_check_interval.
 */
#ifndef MC_SUPERVISOR_WAKE_H
#define MC_SUPERVISOR_WAKE_H

#include "protocol/work.h"

#include <stdint.h>

struct mc_node;
struct mc_queue;

/* After each answer to a dequeue: arms the queue, or holds it off, for what the answer said it waits for. */
void mc_wake_wait(struct mc_node *node, struct mc_queue *queue, const mc_dequeued *dequeued);

/* An invalidation message: an array of keys, or nil when everything changed. */
void mc_wake_on_notice(struct mc_node *node, const mc_value *keys);

/* A dequeue that a notice had asked for came back empty, or full of something: adapts the hold-off. */
void mc_wake_on_answer(struct mc_queue *queue, size_t got);

/* The duty that checks slowly, or polls. */
void mc_wake_check(struct mc_node *node);

#endif
