/* The janitor: see duty_janitor.h. */
#include "supervisor/duty_janitor.h"

#include "base/clock.h"
#include "base/mem.h"
#include "supervisor/node.h"
#include "supervisor/refusal.h"

#include <stdlib.h>

struct request {
  mc_node *node;
  mc_queue *queue;
};

static void sweep(mc_node *node, mc_queue *queue);

static void on_swept(void *arg, int status, const mc_value *reply) {
  struct request request = *(struct request *)arg;
  int64_t gone = 0;
  free(arg);
  request.queue->sweeping = false;
  if (status || !mc_granted(MC_REFUSED_JANITOR, &request.queue->refused, request.queue->name, reply) ||
      mc_value_integer(reply, &gone))
    return; /* what has expired stays so: the next round tries again */
  if (gone >= MC_JANITOR_BATCH)
    sweep(request.node, request.queue);
}

static void sweep(mc_node *node, mc_queue *queue) {
  if (queue->sweeping)
    return;
  struct request *sent = mc_alloc(sizeof *sent);
  *sent = (struct request){node, queue};
  mc_call call = {0};
  mc_call_janitor(&call, queue->name, mc_clock_wall_s(), queue->archive_max_age_s, queue->archive_max_size);
  queue->sweeping = true;
  if (mc_conn_call(node->link.commands, &call, on_swept, sent) == 0)
    return;
  queue->sweeping = false;
  free(sent);
}

void mc_duty_janitor(mc_node *node) {
  for (size_t i = 0; i < node->queues.count; i++)
    sweep(node, node->queues.items[i]);
}
