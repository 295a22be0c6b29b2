/* The queues that this supervisor serves: see queue.h. */
#include "supervisor/queue.h"

#include "base/mem.h"

#include <stdlib.h>

/* Highest weight first; equal weights in the order of the configuration, which insertion sort keeps. */
static void insert_sorted(mc_queues *queues, mc_queue queue) {
  size_t at = queues->count++;
  for (; at > 0 && queues->items[at - 1].weight < queue.weight; at--)
    queues->items[at] = queues->items[at - 1];
  queues->items[at] = queue;
}

void mc_queues_init(mc_queues *queues, const mc_config *config) {
  *queues = (mc_queues){.strict = config->strict};
  queues->items = mc_zalloc(config->queue_count * sizeof *queues->items);
  for (size_t i = 0; i < config->queue_count; i++) {
    const mc_config_queue *from = &config->queues[i];
    insert_sorted(queues, (mc_queue){.name = mc_slice_of(from->name), .weight = from->weight, .ready = true});
  }
  for (size_t i = 0; i < queues->count; i++) { /* only now: the sorting moved them */
    mc_list_init(&queues->items[i].held);
    for (size_t kind = 0; kind < MC_SETTLE_KINDS; kind++)
      mc_list_init(&queues->items[i].settling[kind].items);
  }
}

void mc_queues_deinit(mc_queues *queues) {
  free(queues->items);
  *queues = (mc_queues){0};
}

mc_queue *mc_queues_find(const mc_queues *queues, mc_slice name) {
  for (size_t i = 0; i < queues->count; i++)
    if (mc_slice_equal(queues->items[i].name, name))
      return &queues->items[i];
  return NULL;
}

static bool is_ready(const mc_queue *queue, uint64_t now_ms) {
  return queue->ready && queue->hold_until_ms <= now_ms;
}

/* Strict: the first ready one; while its dequeue is in flight nothing below it is asked. */
static mc_queue *next_strict(mc_queues *queues, uint64_t now_ms) {
  for (size_t i = 0; i < queues->count; i++) {
    mc_queue *queue = &queues->items[i];
    if (is_ready(queue, now_ms))
      return queue->asking ? NULL : queue;
  }
  return NULL;
}

/* Gives every ready queue its share of a new round; false when none is ready. */
static bool begin_round(mc_queues *queues, size_t slots, uint64_t now_ms) {
  size_t weights = 0;
  for (size_t i = 0; i < queues->count; i++)
    weights += (size_t)queues->items[i].weight;
  size_t quantum = slots / weights ? slots / weights : 1;
  bool any = false;
  for (size_t i = 0; i < queues->count; i++) {
    mc_queue *queue = &queues->items[i];
    if (!is_ready(queue, now_ms))
      continue;
    queue->deficit = (size_t)queue->weight * quantum;
    any = any || !queue->asking;
  }
  return any;
}

static mc_queue *next_weighted(mc_queues *queues, size_t slots, uint64_t now_ms) {
  bool round_over = true;
  for (size_t i = 0; i < queues->count; i++) {
    mc_queue *queue = &queues->items[i];
    if (!is_ready(queue, now_ms) || queue->deficit == 0)
      continue;
    if (!queue->asking)
      return queue;
    round_over = false; /* its reply is awaited: it still has tasks to take in this round */
  }
  if (!round_over || !begin_round(queues, slots, now_ms))
    return NULL;
  return next_weighted(queues, slots, now_ms);
}

mc_queue *mc_queues_next(mc_queues *queues, size_t slots, uint64_t now_ms) {
  return queues->strict ? next_strict(queues, now_ms) : next_weighted(queues, slots, now_ms);
}

size_t mc_queue_allowance(const mc_queues *queues, const mc_queue *queue, size_t free) {
  return queues->strict || queue->deficit > free ? free : queue->deficit;
}

void mc_queue_asked(mc_queue *queue, size_t asked) {
  queue->asking = true;
  queue->deficit -= asked < queue->deficit ? asked : queue->deficit;
}

void mc_queue_answered(mc_queue *queue, size_t asked, size_t got) {
  queue->asking = false;
  if (got == asked)
    return;
  queue->ready = false;
  queue->deficit = 0;
}

void mc_queues_set_ready(mc_queues *queues) {
  for (size_t i = 0; i < queues->count; i++)
    queues->items[i].ready = true;
}
