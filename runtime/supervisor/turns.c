/* Whose turn it is among the queues of one pool: see turns.h. */
#include "supervisor/turns.h"

#include "base/mem.h"
#include "supervisor/queue.h"

#include <stdlib.h>
#include <string.h>

/* ---- shares and their queues ---- */

static mc_slice share_name(const mc_share *share) {
  return mc_slice_of(share->config->name);
}

bool mc_is_queue_pattern(mc_slice name) {
  return name.size && name.data[name.size - 1] == '*';
}

/* Highest weight first; equal weights in the order of the configuration, which insertion sort keeps. */
static void insert_sorted(mc_turns *turns, mc_share share) {
  size_t at = turns->share_count++;
  for (; at > 0 && turns->shares[at - 1].config->weight < share.config->weight; at--)
    turns->shares[at] = turns->shares[at - 1];
  turns->shares[at] = share;
}

void mc_turns_init(mc_turns *turns, const mc_config_pool *pool) {
  *turns = (mc_turns){.pool = *pool, .shares = mc_zalloc(pool->queue_count * sizeof *turns->shares)};
  for (size_t i = 0; i < pool->queue_count; i++) {
    const mc_config_queue *from = &pool->queues[i];
    insert_sorted(turns, (mc_share){.config = from, .pattern = mc_is_queue_pattern(mc_slice_of(from->name))});
  }
}

static void seat_free(mc_seat *seat) {
  mc_list_remove(&seat->in_queue);
  free(seat);
}

void mc_turns_deinit(mc_turns *turns) {
  for (size_t i = 0; i < turns->share_count; i++) {
    mc_share *share = &turns->shares[i];
    for (size_t k = 0; k < share->count; k++)
      seat_free(share->seats[k]);
    free(share->seats);
  }
  free(turns->shares);
  *turns = (mc_turns){0};
}

static bool fits(const mc_share *share, mc_slice name) {
  size_t prefix = share_name(share).size - 1;
  if (!share->pattern)
    return mc_slice_equal(share_name(share), name);
  return name.size >= prefix && memcmp(name.data, share->config->name, prefix) == 0;
}

static bool is_better(const mc_share *share, const mc_share *than) {
  if (!than || share->pattern != than->pattern)
    return !than || than->pattern;
  return share_name(share).size > share_name(than).size;
}

static mc_share *find_share(const mc_turns *turns, mc_slice name) {
  mc_share *best = NULL;
  for (size_t i = 0; i < turns->share_count; i++) {
    mc_share *share = &turns->shares[i];
    if (fits(share, name) && is_better(share, best))
      best = share;
  }
  return best;
}

bool mc_turns_serve(const mc_turns *turns, mc_slice queue) {
  return find_share(turns, queue) != NULL;
}

const mc_config_queue *mc_turns_seat(mc_turns *turns, mc_queue *queue) {
  mc_share *share = find_share(turns, queue->name);
  if (!share)
    return NULL;
  mc_seat *seat = mc_zalloc(sizeof *seat);
  seat->queue = queue;
  mc_list_push_back(&queue->seats, &seat->in_queue);
  share->seats = mc_realloc(share->seats, (share->count + 1) * sizeof *share->seats);
  share->seats[share->count++] = seat;
  return share->config;
}

void mc_turns_leave(mc_turns *turns, mc_queue *queue) {
  mc_share *share = find_share(turns, queue->name);
  if (!share)
    return;
  size_t at = 0;
  while (share->seats[at]->queue != queue)
    at++;
  seat_free(share->seats[at]);
  share->count--;
  memmove(&share->seats[at], &share->seats[at + 1], (share->count - at) * sizeof *share->seats);
}

/* ---- whose turn it is ---- */

static bool is_ready(const mc_seat *seat, uint64_t now_ms) {
  return seat->queue->ready && seat->queue->hold_until_ms <= now_ms;
}

/* The share's queues, beginning where its turn is. */
static mc_seat *share_at(const mc_share *share, size_t i) {
  return share->seats[(share->turn + i) % share->count];
}

/* Strict: the first share with a ready queue; while the dequeues of all its ready queues are in flight nothing below is
 * asked. */
static mc_seat *next_strict(mc_turns *turns, uint64_t now_ms) {
  for (size_t i = 0; i < turns->share_count; i++) {
    mc_share *share = &turns->shares[i];
    bool waits = false;
    for (size_t k = 0; k < share->count; k++) {
      mc_seat *seat = share_at(share, k);
      if (!is_ready(seat, now_ms))
        continue;
      if (!seat->queue->asking) {
        share->turn += k + 1;
        return seat;
      }
      waits = true;
    }
    if (waits)
      return NULL;
  }
  return NULL;
}

/* Divides what the share may take in this round among its ready queues. True when one of them can be asked. */
static bool share_begin_round(mc_share *share, size_t tasks, uint64_t now_ms) {
  size_t ready = 0, seen = 0, next = share->turn;
  bool any = false;
  for (size_t i = 0; i < share->count; i++)
    ready += is_ready(share->seats[i], now_ms);
  for (size_t i = 0; i < share->count && seen < ready; i++) {
    mc_seat *seat = share_at(share, i);
    if (!is_ready(seat, now_ms))
      continue;
    if (seen == tasks % ready)
      next = share->turn + i; /* the first that gets nothing of the rest */
    seat->deficit = tasks / ready + (seen++ < tasks % ready);
    any = any || (seat->deficit && !seat->queue->asking);
  }
  share->turn = next;
  return any;
}

/* Gives every share with ready queues its part of a new round; false when no queue can be asked. */
static bool begin_round(mc_turns *turns, size_t slots, uint64_t now_ms) {
  size_t weights = 0;
  for (size_t i = 0; i < turns->share_count; i++)
    weights += turns->shares[i].count ? (size_t)turns->shares[i].config->weight : 0;
  size_t quantum = weights && slots / weights ? slots / weights : 1;
  bool any = false;
  for (size_t i = 0; i < turns->share_count; i++)
    any |= share_begin_round(&turns->shares[i], (size_t)turns->shares[i].config->weight * quantum, now_ms);
  return any;
}

/* The first that has tasks to take in this round; *out_over: none of the ready ones has any left. */
static mc_seat *next_of_round(const mc_turns *turns, uint64_t now_ms, bool *out_over) {
  *out_over = true;
  for (size_t i = 0; i < turns->share_count; i++)
    for (size_t k = 0; k < turns->shares[i].count; k++) {
      mc_seat *seat = turns->shares[i].seats[k];
      if (!is_ready(seat, now_ms) || seat->deficit == 0)
        continue;
      if (!seat->queue->asking)
        return seat;
      *out_over = false; /* its reply is awaited: it still has tasks to take */
    }
  return NULL;
}

mc_seat *mc_turns_next(mc_turns *turns, size_t slots, uint64_t now_ms) {
  bool over;
  if (turns->pool.strict)
    return next_strict(turns, now_ms);
  mc_seat *seat = next_of_round(turns, now_ms, &over);
  if (seat || !over || !begin_round(turns, slots, now_ms))
    return seat;
  return next_of_round(turns, now_ms, &over);
}

size_t mc_seat_allowance(const mc_turns *turns, const mc_seat *seat, size_t free) {
  return turns->pool.strict || seat->deficit > free ? free : seat->deficit;
}

void mc_seat_asked(mc_seat *seat, size_t asked) {
  seat->queue->asking = true;
  seat->deficit -= asked < seat->deficit ? asked : seat->deficit;
}
