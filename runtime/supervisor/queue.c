/* The queues that this supervisor serves: see queue.h. */
#include "supervisor/queue.h"

#include "base/mem.h"
#include "config/pools.h"

#include <stdlib.h>

/* Highest weight first; of equal weights the one that came first. */
static void insert_sorted(mc_queues *queues, mc_queue *queue) {
  queues->items = mc_realloc(queues->items, (queues->count + 1) * sizeof *queues->items);
  size_t at = queues->count++;
  for (; at > 0 && queues->items[at - 1]->weight < queue->weight; at--)
    queues->items[at] = queues->items[at - 1];
  queues->items[at] = queue;
}

static mc_queue *queue_new(const mc_queues *queues, mc_slice name) {
  mc_queue *queue = mc_zalloc(sizeof *queue);
  *queue = (mc_queue){
      .name = {mc_strndup(name.data, name.size), name.size},
      .archive_max_age_s = queues->archive_max_age_s,
      .archive_max_size = queues->archive_max_size,
      .ready = true,
  };
  mc_list_init(&queue->seats);
  mc_list_init(&queue->held);
  for (size_t kind = 0; kind < MC_SETTLE_KINDS; kind++)
    mc_list_init(&queue->settling[kind].items);
  return queue;
}

static void queue_free(mc_queue *queue) {
  mc_sightings_clear(&queue->sightings);
  free((char *)queue->name.data);
  free(queue);
}

/* What a pool's entry for it says. Where several pools have settings of their own for a queue, the last one's hold. */
static void take_settings(mc_queue *queue, const mc_config_queue *config) {
  if (config->weight > queue->weight)
    queue->weight = config->weight;
  if (config->archive_max_age_s)
    queue->archive_max_age_s = config->archive_max_age_s;
  if (config->archive_max_size)
    queue->archive_max_size = config->archive_max_size;
}

static mc_queue *add(mc_queues *queues, mc_slice name) {
  mc_queue *queue = queue_new(queues, name);
  for (size_t i = 0; i < queues->turns_count; i++) {
    const mc_config_queue *config = mc_turns_seat(&queues->turns[i], queue);
    if (config)
      take_settings(queue, config);
  }
  if (mc_list_empty(&queue->seats)) {
    queue_free(queue);
    return NULL;
  }
  HASH_ADD_KEYPTR(hh, queues->by_name, queue->name.data, queue->name.size, queue);
  insert_sorted(queues, queue);
  return queue;
}

mc_queue *mc_queues_add(mc_queues *queues, mc_slice name) {
  return mc_queues_find(queues, name) ? NULL : add(queues, name);
}

/* An entry of a pool: a pattern, whose queues are found later, or the name of a queue. */
static void add_entry(mc_queues *queues, const mc_config_queue *config) {
  mc_slice name = mc_slice_of(config->name);
  if (mc_is_queue_pattern(name)) {
    queues->patterns = true;
    return;
  }
  mc_queues_add(queues, name);
  mc_queues_find(queues, name)->named = true;
}

void mc_queues_init(mc_queues *queues, const mc_config *config) {
  mc_config_pool *pools;
  *queues = (mc_queues){
      .archive_max_age_s = config->archive_max_age_s,
      .archive_max_size = config->archive_max_size,
  };
  mc_config_pools(config, &pools, &queues->turns_count);
  queues->turns = mc_zalloc(queues->turns_count * sizeof *queues->turns);
  for (size_t i = 0; i < queues->turns_count; i++)
    mc_turns_init(&queues->turns[i], &pools[i]);
  for (size_t i = 0; i < queues->turns_count; i++)
    for (size_t k = 0; k < pools[i].queue_count; k++)
      add_entry(queues, &pools[i].queues[k]);
  free(pools);
}

void mc_queues_deinit(mc_queues *queues) {
  for (size_t i = 0; i < queues->turns_count; i++)
    mc_turns_deinit(&queues->turns[i]);
  HASH_CLEAR(hh, queues->by_name);
  for (size_t i = 0; i < queues->count; i++)
    queue_free(queues->items[i]);
  free(queues->turns);
  free(queues->items);
  *queues = (mc_queues){0};
}

mc_queue *mc_queues_find(const mc_queues *queues, mc_slice name) {
  mc_queue *queue = NULL;
  HASH_FIND(hh, queues->by_name, name.data, name.size, queue);
  return queue;
}

static bool is_in_use(const mc_queue *queue) {
  for (size_t kind = 0; kind < MC_SETTLE_KINDS; kind++)
    if (queue->settling[kind].count || queue->settling[kind].calls)
      return true;
  return queue->asking || queue->arming || queue->looking || queue->sweeping || queue->calls ||
         !mc_list_empty(&queue->held);
}

bool mc_queues_remove(mc_queues *queues, mc_queue *queue) {
  if (queue->named || is_in_use(queue))
    return false;
  size_t at = 0;
  while (queues->items[at] != queue)
    at++;
  queues->count--;
  memmove(&queues->items[at], &queues->items[at + 1], (queues->count - at) * sizeof *queues->items);
  for (size_t i = 0; i < queues->turns_count; i++)
    mc_turns_leave(&queues->turns[i], queue);
  HASH_DEL(queues->by_name, queue);
  queue_free(queue);
  return true;
}

void mc_queue_answered(mc_queue *queue, size_t asked, size_t got) {
  queue->asking = false;
  if (got < asked)
    mc_queue_set_waiting(queue);
}

void mc_queue_set_waiting(mc_queue *queue) {
  queue->ready = false;
  MC_LIST_EACH(link, &queue->seats) {
    mc_container_of(link, mc_seat, in_queue)->deficit = 0;
  }
}

bool mc_queues_strict(const mc_queues *queues) {
  size_t strict = 0;
  for (size_t i = 0; i < queues->turns_count; i++)
    strict += queues->turns[i].pool.strict;
  return strict == queues->turns_count;
}

void mc_queues_set_ready(mc_queues *queues) {
  for (size_t i = 0; i < queues->count; i++)
    queues->items[i]->ready = true;
}
