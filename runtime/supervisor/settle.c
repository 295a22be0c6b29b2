/* Settling: see settle.h. */
#include "supervisor/settle.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "supervisor/node.h"
#include "supervisor/outcome.h"
#include "supervisor/settle_log.h"

#include <stdio.h>
#include <stdlib.h>

#define RETRY_MS 1000

struct batch {
  mc_node *node;
  mc_queue *queue;
  mc_settle_kind kind;
  size_t count;
  mc_held *items[];
};

/* The server will take it later. */
static const char *const passing_errors[] = {"READONLY", "OOM",        "MISCONF",    "LOADING",
                                             "BUSY",     "NOREPLICAS", "MASTERDOWN", "CLUSTERDOWN"};

/* Before which link it goes, so that the lane ascends by attempt; mostly at the end. */
static mc_list *place_by_attempt(mc_settle_lane *lane, const mc_held *held) {
  mc_list *link = &lane->items;
  while (link->prev != &lane->items && mc_container_of(link->prev, mc_held, in_settle)->attempt > held->attempt)
    link = link->prev;
  return link;
}

void mc_settle_add(mc_node *node, mc_held *held, mc_settle_kind kind) {
  mc_held_assign(held, NULL);
  held->settling = true;
  held->kind = kind;
  held->item.id = held->box.message.id;
  held->item.attempt = held->attempt;
  held->item.near_head = mc_held_near_head(held);
  mc_settle_lane *lane = &held->queue->settling[kind];
  mc_list_insert_before(kind == MC_SETTLE_REQUEUE ? place_by_attempt(lane, held) : &lane->items, &held->in_settle);
  lane->count++;
  node->settle.waiting++;
}

static void put_back(struct batch *batch, bool resent) {
  mc_settle_lane *lane = &batch->queue->settling[batch->kind];
  for (size_t i = batch->count; i-- > 0;) {
    mc_held *held = batch->items[i];
    held->resent |= resent;
    mc_list *place = batch->kind == MC_SETTLE_REQUEUE ? place_by_attempt(lane, held) : lane->items.next;
    mc_list_insert_before(place, &held->in_settle);
  }
  lane->count += batch->count;
  batch->node->settle.waiting += batch->count;
}

static bool is_passing(const mc_value *reply) {
  for (size_t i = 0; i < MC_COUNT(passing_errors); i++) {
    char wrapped[32]; /* as older servers report what failed inside a script: "ERR Error running script … -OOM …" */
    int size = snprintf(wrapped, sizeof wrapped, "-%s ", passing_errors[i]);
    if (mc_value_is_error(reply, passing_errors[i]) ||
        (reply->kind == MC_VALUE_ERROR && memmem(reply->text.data, reply->text.size, wrapped, (size_t)size)))
      return true;
  }
  return false;
}

static void log_refusal(mc_settle *settle, const struct batch *batch, mc_slice why) {
  if (settle->refusing)
    return;
  settle->refusing = true;
  mc_log_begin(MC_LOG_ERROR, "redis refuses to settle");
  mc_log_slice("queue", batch->queue->name);
  mc_log_slice("detail", why);
  mc_log_text("then", "results wait in memory and are sent again every second");
  mc_log_end();
}

/* What Redis will not take in this form goes to the archive with the reason; only what it does not take even there
 * stays in `active`. */
static void give_up(struct batch *batch, mc_slice why) {
  mc_held *held = batch->items[0];
  if (batch->kind == MC_SETTLE_RETAIN || batch->kind == MC_SETTLE_RETRY || batch->kind == MC_SETTLE_SNOOZE) {
    char reason[256];
    snprintf(reason, sizeof reason, "its outcome could not be written: %.*s", MC_SLICE_PRINT(why));
    mc_outcome_archive(batch->node, held, mc_slice_of(reason));
    return;
  }
  mc_log_begin(MC_LOG_ERROR, "task cannot be settled");
  mc_log_slice("task_id", held->box.message.id);
  mc_log_slice("queue", held->queue->name);
  mc_log_slice("detail", why);
  mc_log_text("then", "it is left in `active`; recovery will try it again");
  mc_log_end();
  mc_held_free(&batch->node->held, held);
}

static void on_error(struct batch *batch, const mc_value *reply) {
  mc_settle *settle = &batch->node->settle;
  mc_slice why = reply->kind == MC_VALUE_ERROR ? reply->text : MC_SLICE_LITERAL("the reply makes no sense");
  if (is_passing(reply)) {
    log_refusal(settle, batch, why);
    settle->retry_at_ms = mc_clock_mono_ms() + RETRY_MS;
    put_back(batch, false);
  } else if (batch->count > 1) {
    settle->one_by_one = true;
    put_back(batch, false);
  } else {
    give_up(batch, why);
  }
}

static void finish(struct batch *batch, const mc_value *reply) {
  mc_settle *settle = &batch->node->settle;
  if (settle->refusing)
    mc_log_event(MC_LOG_INFO, "redis settles again", "results that waited are written");
  settle->refusing = false;
  for (size_t i = 0; i < batch->count; i++) {
    mc_held *held = batch->items[i];
    if (!mc_refused_has(reply, held->attempt))
      mc_settle_log_done(held, NULL);
    else if (held->resent)
      mc_settle_log_done(held, "its confirmation was lost; Redis had written it, or the task was no longer ours");
    else
      mc_settle_log_refused(held);
    mc_held_free(&batch->node->held, held);
  }
}

static void on_settled(void *arg, int status, const mc_value *reply) {
  struct batch *batch = arg;
  size_t refused = 0;
  batch->queue->settling[batch->kind].calls--;
  if (status)
    put_back(batch, true);
  else if (mc_refused_read(reply, &refused, NULL))
    on_error(batch, reply);
  else
    finish(batch, reply);
  free(batch);
}

/* Those to be looked for from the old end first, oldest first; then the others, newest first. */
static int by_nearness(const void *a, const void *b) {
  const mc_held *left = *(mc_held *const *)a, *right = *(mc_held *const *)b;
  if (left->item.near_head != right->item.near_head)
    return left->item.near_head ? 1 : -1;
  int order = (left->attempt > right->attempt) - (left->attempt < right->attempt);
  return left->item.near_head ? -order : order;
}

/* Requeued tasks go youngest batch first, each in order, since every call puts its tasks before those already there. */
static struct batch *take_batch(mc_node *node, mc_queue *queue, mc_settle_kind kind, size_t limit) {
  mc_settle_lane *lane = &queue->settling[kind];
  size_t count = lane->count < limit ? lane->count : limit;
  struct batch *taken = mc_alloc(sizeof *taken + count * sizeof(mc_held *));
  *taken = (struct batch){.node = node, .queue = queue, .kind = kind, .count = count};
  for (size_t i = 0; i < count; i++) {
    mc_list *link = kind == MC_SETTLE_REQUEUE ? lane->items.prev : lane->items.next;
    size_t place = kind == MC_SETTLE_REQUEUE ? count - 1 - i : i;
    mc_list_remove(link);
    taken->items[place] = mc_container_of(link, mc_held, in_settle);
  }
  lane->count -= count;
  node->settle.waiting -= count;
  if (kind != MC_SETTLE_REQUEUE)
    qsort(taken->items, count, sizeof(mc_held *), by_nearness);
  return taken;
}

static int send_batch(struct batch *batch) {
  mc_node *node = batch->node;
  const mc_settle_item *items[MC_SETTLE_BATCH];
  mc_settle_context context = {
      .queue = batch->queue->name,
      .server = mc_node_server(node),
      .now_ns = mc_clock_wall_ns(),
      .archive_max_age_s = batch->queue->archive_max_age_s,
      .archive_max_size = batch->queue->archive_max_size,
  };
  mc_call call = {0};
  for (size_t i = 0; i < batch->count; i++)
    items[i] = &batch->items[i]->item;
  mc_call_settle(&call, batch->kind, &context, items, batch->count);
  return mc_conn_call(node->link.commands, &call, on_settled, batch);
}

static int flush_lane(mc_node *node, mc_queue *queue, mc_settle_kind kind) {
  mc_settle_lane *lane = &queue->settling[kind];
  size_t limit = node->settle.one_by_one ? 1 : MC_SETTLE_BATCH;
  if (kind == MC_SETTLE_REQUEUE && lane->calls)
    return 0; /* its order counts: one call after the other */
  while (lane->count && (lane->count >= limit || lane->calls == 0)) {
    struct batch *batch = take_batch(node, queue, kind, limit);
    int rc = send_batch(batch);
    if (rc) {
      put_back(batch, false);
      free(batch);
      return rc;
    }
    lane->calls++;
    if (kind == MC_SETTLE_REQUEUE)
      break;
  }
  return 0;
}

void mc_settle_flush(mc_node *node) {
  mc_settle *settle = &node->settle;
  if (settle->waiting == 0 || !node->link.up || mc_clock_mono_ms() < settle->retry_at_ms)
    return;
  for (size_t i = 0; i < node->queues.count; i++)
    for (size_t kind = 0; kind < MC_SETTLE_KINDS; kind++)
      if (flush_lane(node, node->queues.items[i], (mc_settle_kind)kind))
        return;
  if (settle->waiting == 0)
    settle->one_by_one = false;
}
