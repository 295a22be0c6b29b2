/* Leases: see duty_lease.h. */
#include "supervisor/duty_lease.h"

#include "base/clock.h"
#include "base/mem.h"
#include "supervisor/node.h"
#include "supervisor/outcome.h"
#include "supervisor/refusal.h"

#include <stdlib.h>

#define GIVE_UP_MS ((MC_LEASE_S + MC_LEASE_VOID_S) * 1000)

/* Attempts, not pointers: a held task may be settled and gone before the answer comes. */
struct request {
  mc_node *node;
  mc_queue *queue;
  uint64_t sent_boot_ms;
  size_t count;
  uint64_t attempts[MC_SETTLE_BATCH];
};

static void on_extended(void *arg, int status, const mc_value *reply) {
  struct request *request = arg;
  size_t refused = 0;
  request->queue->calls--;
  if (status == 0 && mc_granted(MC_REFUSED_EXTEND, &request->queue->refused, request->queue->name, reply) &&
      mc_refused_read(reply, &refused, NULL) == 0) {
    for (size_t i = 0; i < request->count; i++) {
      mc_held *held = mc_held_find(&request->node->held, request->attempts[i]);
      if (!held || held->settling)
        continue;
      if (mc_refused_has(reply, held->attempt))
        mc_outcome_lose(request->node, held, "its lease is no longer ours: another server has it, or it was removed");
      else
        held->renewed_boot_ms = request->sent_boot_ms;
    }
  }
  free(request);
}

static void send_batch(mc_node *node, struct request *request, const mc_held_id *ids) {
  mc_call call = {0};
  mc_call_extend(&call, request->queue->name, mc_node_server(node), mc_clock_wall_s() + MC_LEASE_S, ids,
                 request->count);
  request->queue->calls++;
  if (mc_conn_call(node->link.commands, &call, on_extended, request) == 0)
    return;
  request->queue->calls--;
  free(request);
}

static struct request *new_request(mc_node *node, mc_queue *queue) {
  struct request *fresh = mc_alloc(sizeof *fresh);
  fresh->node = node;
  fresh->queue = queue;
  fresh->sent_boot_ms = mc_clock_boot_ms();
  fresh->count = 0;
  return fresh;
}

static void extend_queue(mc_node *node, mc_queue *queue) {
  mc_held_id ids[MC_SETTLE_BATCH];
  struct request *batch = NULL;
  MC_LIST_EACH(link, &queue->held) {
    mc_held *held = mc_container_of(link, mc_held, in_queue);
    if (held->lost)
      continue;
    if (!batch)
      batch = new_request(node, queue);
    ids[batch->count] = (mc_held_id){held->box.message.id, held->attempt};
    batch->attempts[batch->count++] = held->attempt;
    if (batch->count == MC_SETTLE_BATCH) {
      send_batch(node, batch, ids);
      batch = NULL;
    }
  }
  if (batch)
    send_batch(node, batch, ids);
}

void mc_duty_lease(mc_node *node) {
  for (size_t i = 0; i < node->queues.count; i++)
    extend_queue(node, node->queues.items[i]);
}

void mc_duty_lease_loss(mc_node *node) {
  uint64_t now_ms = mc_clock_boot_ms();
  mc_held *held, *next;
  HASH_ITER(hh, node->held.by_attempt, held, next) {
    if (!held->settling && now_ms - held->renewed_boot_ms >= GIVE_UP_MS)
      mc_outcome_lose(node, held, "its lease could not be renewed in time");
  }
}
