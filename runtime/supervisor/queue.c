/* The queues that this supervisor serves: see queue.h. */
#include "supervisor/queue.h"

#include "base/mem.h"

#include <stdlib.h>

/* ---- shares and their queues ---- */

static mc_slice share_name(const mc_queue_share *share) {
  return mc_slice_of(share->config->name);
}

static bool is_pattern(mc_slice name) {
  return name.size && name.data[name.size - 1] == '*';
}

/* Highest weight first; equal weights in the order of the configuration, which insertion sort keeps. */
static void insert_sorted(mc_queues *queues, mc_queue_share share) {
  size_t at = queues->share_count++;
  for (; at > 0 && queues->shares[at - 1].config->weight < share.config->weight; at--)
    queues->shares[at] = queues->shares[at - 1];
  queues->shares[at] = share;
}

/* The flat list, from the shares. */
static void list_items(mc_queues *queues) {
  size_t count = 0;
  for (size_t i = 0; i < queues->share_count; i++)
    count += queues->shares[i].count;
  queues->items = mc_realloc(queues->items, (count + 1) * sizeof *queues->items);
  queues->count = 0;
  for (size_t i = 0; i < queues->share_count; i++)
    for (size_t k = 0; k < queues->shares[i].count; k++)
      queues->items[queues->count++] = queues->shares[i].queues[k];
}

static mc_queue *queue_new(const mc_queues *queues, mc_queue_share *share, mc_slice name) {
  const mc_config_queue *config = share->config;
  mc_queue *queue = mc_zalloc(sizeof *queue);
  *queue = (mc_queue){
      .name = {mc_strndup(name.data, name.size), name.size},
      .share = share,
      .weight = config->weight,
      .archive_max_age_s = config->archive_max_age_s ? config->archive_max_age_s : queues->archive_max_age_s,
      .archive_max_size = config->archive_max_size ? config->archive_max_size : queues->archive_max_size,
      .ready = true,
  };
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

static mc_queue *share_add(mc_queues *queues, mc_queue_share *share, mc_slice name) {
  share->queues = mc_realloc(share->queues, (share->count + 1) * sizeof *share->queues);
  mc_queue *queue = queue_new(queues, share, name);
  share->queues[share->count++] = queue;
  HASH_ADD_KEYPTR(hh, queues->by_name, queue->name.data, queue->name.size, queue);
  return queue;
}

void mc_queues_init(mc_queues *queues, const mc_config *config) {
  *queues = (mc_queues){
      .strict = config->strict,
      .archive_max_age_s = config->archive_max_age_s,
      .archive_max_size = config->archive_max_size,
  };
  queues->shares = mc_zalloc(config->queue_count * sizeof *queues->shares);
  for (size_t i = 0; i < config->queue_count; i++) {
    const mc_config_queue *from = &config->queues[i];
    bool pattern = is_pattern(mc_slice_of(from->name));
    queues->patterns |= pattern;
    insert_sorted(queues, (mc_queue_share){.config = from, .pattern = pattern});
  }
  for (size_t i = 0; i < queues->share_count; i++) /* only now: the sorting moved them */
    if (!queues->shares[i].pattern)
      share_add(queues, &queues->shares[i], share_name(&queues->shares[i]));
  list_items(queues);
}

void mc_queues_deinit(mc_queues *queues) {
  HASH_CLEAR(hh, queues->by_name);
  for (size_t i = 0; i < queues->count; i++)
    queue_free(queues->items[i]);
  for (size_t i = 0; i < queues->share_count; i++)
    free(queues->shares[i].queues);
  free(queues->shares);
  free(queues->items);
  *queues = (mc_queues){0};
}

mc_queue *mc_queues_find(const mc_queues *queues, mc_slice name) {
  mc_queue *queue = NULL;
  HASH_FIND(hh, queues->by_name, name.data, name.size, queue);
  return queue;
}

/* ---- queues that come and go ---- */

static bool fits(const mc_queue_share *share, mc_slice name) {
  size_t prefix = share_name(share).size - 1;
  return share->pattern && name.size >= prefix && memcmp(name.data, share->config->name, prefix) == 0;
}

mc_queue *mc_queues_add(mc_queues *queues, mc_slice name) {
  mc_queue_share *best = NULL;
  if (mc_queues_find(queues, name))
    return NULL;
  for (size_t i = 0; i < queues->share_count; i++) {
    mc_queue_share *share = &queues->shares[i];
    if (fits(share, name) && (!best || share_name(share).size > share_name(best).size))
      best = share;
  }
  if (!best)
    return NULL;
  mc_queue *queue = share_add(queues, best, name);
  list_items(queues);
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
  mc_queue_share *share = queue->share;
  if (!share->pattern || is_in_use(queue))
    return false;
  size_t at = 0;
  while (share->queues[at] != queue)
    at++;
  share->count--;
  memmove(&share->queues[at], &share->queues[at + 1], (share->count - at) * sizeof *share->queues);
  HASH_DEL(queues->by_name, queue);
  queue_free(queue);
  list_items(queues);
  return true;
}

/* ---- whose turn it is ---- */

static bool is_ready(const mc_queue *queue, uint64_t now_ms) {
  return queue->ready && queue->hold_until_ms <= now_ms;
}

/* The share's queues, beginning where its turn is. */
static mc_queue *share_at(const mc_queue_share *share, size_t i) {
  return share->queues[(share->turn + i) % share->count];
}

/* Strict: the first share with a ready queue; while the dequeues of all its ready queues are in flight nothing below is
 * asked. */
static mc_queue *next_strict(mc_queues *queues, uint64_t now_ms) {
  for (size_t i = 0; i < queues->share_count; i++) {
    mc_queue_share *share = &queues->shares[i];
    bool waits = false;
    for (size_t k = 0; k < share->count; k++) {
      mc_queue *queue = share_at(share, k);
      if (!is_ready(queue, now_ms))
        continue;
      if (!queue->asking) {
        share->turn += k + 1;
        return queue;
      }
      waits = true;
    }
    if (waits)
      return NULL;
  }
  return NULL;
}

/* Divides what the share may take in this round among its ready queues. True when one of them can be asked. */
static bool share_begin_round(mc_queue_share *share, size_t tasks, uint64_t now_ms) {
  size_t ready = 0, seen = 0, next = share->turn;
  bool any = false;
  for (size_t i = 0; i < share->count; i++)
    ready += is_ready(share->queues[i], now_ms);
  for (size_t i = 0; i < share->count && seen < ready; i++) {
    mc_queue *queue = share_at(share, i);
    if (!is_ready(queue, now_ms))
      continue;
    if (seen == tasks % ready)
      next = share->turn + i; /* the first that gets nothing of the rest */
    queue->deficit = tasks / ready + (seen++ < tasks % ready);
    any = any || (queue->deficit && !queue->asking);
  }
  share->turn = next;
  return any;
}

/* Gives every share with ready queues its part of a new round; false when no queue can be asked. */
static bool begin_round(mc_queues *queues, size_t slots, uint64_t now_ms) {
  size_t weights = 0;
  for (size_t i = 0; i < queues->share_count; i++)
    weights += queues->shares[i].count ? (size_t)queues->shares[i].config->weight : 0;
  size_t quantum = weights && slots / weights ? slots / weights : 1;
  bool any = false;
  for (size_t i = 0; i < queues->share_count; i++)
    any |= share_begin_round(&queues->shares[i], (size_t)queues->shares[i].config->weight * quantum, now_ms);
  return any;
}

static mc_queue *next_weighted(mc_queues *queues, size_t slots, uint64_t now_ms) {
  bool round_over = true;
  for (size_t i = 0; i < queues->count; i++) {
    mc_queue *queue = queues->items[i];
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
  if (got < asked)
    mc_queue_set_waiting(queue);
}

void mc_queue_set_waiting(mc_queue *queue) {
  queue->ready = false;
  queue->deficit = 0;
}

void mc_queues_set_ready(mc_queues *queues) {
  for (size_t i = 0; i < queues->count; i++)
    queues->items[i]->ready = true;
}
