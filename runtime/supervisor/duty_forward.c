/* Delayed tasks: see duty_forward.h. One call per queue; a full one is followed by another until none is due. */
#include "supervisor/duty_forward.h"

#include "base/clock.h"
#include "base/mem.h"
#include "supervisor/node.h"
#include "supervisor/refusal.h"

#include <stdlib.h>

struct request {
  mc_node *node;
  mc_queue *queue;
};

static void forward(mc_node *node, mc_queue *queue);

static void on_forwarded(void *arg, int status, const mc_value *reply) {
  struct request request = *(struct request *)arg;
  int64_t moved = 0;
  free(arg);
  request.queue->calls--;
  if (status || !mc_granted(MC_REFUSED_FORWARD, &request.queue->refused, request.queue->name, reply) ||
      mc_value_integer(reply, &moved) || moved == 0)
    return; /* what is due stays due: the next second tries again */
  request.queue->ready = true;
  if (moved >= MC_FORWARD_BATCH)
    forward(request.node, request.queue);
}

static void forward(mc_node *node, mc_queue *queue) {
  struct request *sent = mc_alloc(sizeof *sent);
  *sent = (struct request){node, queue};
  mc_call call = {0};
  mc_call_forward(&call, queue->name, mc_clock_wall_ns());
  queue->calls++;
  if (mc_conn_call(node->link.commands, &call, on_forwarded, sent) == 0)
    return;
  queue->calls--;
  free(sent);
}

void mc_duty_forward(mc_node *node) {
  for (size_t i = 0; i < node->queues.count; i++)
    forward(node, node->queues.items[i]);
}
