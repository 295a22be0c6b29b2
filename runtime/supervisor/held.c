/* The tasks that this supervisor holds: see held.h. */
#include "supervisor/held.h"

#include "base/clock.h"
#include "base/mem.h"
#include "supervisor/pool.h"
#include "supervisor/progress.h"
#include "supervisor/queue.h"

mc_held *mc_held_new(mc_held_table *table, mc_queue *queue, uint64_t attempt, mc_message_box *box) {
  mc_held *held = mc_zalloc(sizeof *held);
  held->attempt = attempt;
  held->box = *box;
  held->queue = queue;
  held->worker_index = -1;
  held->renewed_boot_ms = mc_clock_boot_ms();
  mc_list_init(&held->in_worker);
  mc_list_init(&held->in_settle);
  mc_list_push_back(&queue->held, &held->in_queue);
  HASH_ADD(hh, table->by_attempt, attempt, sizeof held->attempt, held);
  table->count++;
  return held;
}

mc_held *mc_held_find(const mc_held_table *table, uint64_t attempt) {
  mc_held *held = NULL;
  HASH_FIND(hh, table->by_attempt, &attempt, sizeof attempt, held);
  return held;
}

void mc_held_free(mc_held_table *table, mc_held *held) {
  mc_held_assign(held, NULL);
  mc_progress_drop(held);
  mc_list_remove(&held->in_queue);
  mc_list_remove(&held->in_settle);
  HASH_DEL(table->by_attempt, held);
  table->count--;
  mc_message_free(&held->box);
  mc_buf_deinit(&held->message);
  mc_buf_deinit(&held->text);
  mc_buf_deinit(&held->trace);
  mc_buf_deinit(&held->crash);
  free(held);
}

void mc_held_assign(mc_held *held, mc_worker *worker) {
  if (held->worker) {
    mc_list_remove(&held->in_worker);
    held->worker->held_count--;
  }
  held->worker = worker;
  if (worker) {
    mc_list_push_back(&worker->held, &held->in_worker);
    worker->held_count++;
    held->worker_index = (int32_t)worker->index;
    held->pool = worker->config->name;
  }
}

bool mc_held_near_head(const mc_held *held) {
  const mc_list *list = &held->queue->held;
  uint64_t oldest = mc_container_of(list->next, mc_held, in_queue)->attempt;
  uint64_t newest = mc_container_of(list->prev, mc_held, in_queue)->attempt;
  return held->attempt - oldest > newest - held->attempt;
}
