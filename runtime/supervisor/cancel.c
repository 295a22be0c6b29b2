/* Cancellation: see cancel.h. */
#include "supervisor/cancel.h"

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/node.h"

#include <stdatomic.h>

void mc_cancel_held(mc_held *held) {
  if (!held->worker || held->cancelled_ms)
    return;
  held->cancelled_ms = mc_clock_mono_ms();
  mc_frame_cancel_encode(mc_channel_out(&held->worker->channel), &(mc_frame_attempt){held->attempt});
  mc_cancel_mark(held);
}

void mc_cancel_mark(const mc_held *held) {
  mc_page *page = held->worker->page;
  for (int64_t i = 0; i < held->worker->config->concurrency; i++)
    if (atomic_load(&page->slots[i].attempt) == held->attempt)
      atomic_store(&page->slots[i].cancelled, held->attempt);
}

void mc_cancel_by_id(mc_node *node, mc_slice id) {
  mc_held *held, *next;
  HASH_ITER(hh, node->held.by_attempt, held, next) {
    if (!held->worker || !mc_slice_equal(held->box.message.id, id))
      continue;
    mc_cancel_held(held);
    mc_log_begin(MC_LOG_INFO, "cancelling task");
    mc_log_slice("task_id", id);
    mc_log_slice("queue", held->queue->name);
    mc_log_end();
  }
}
