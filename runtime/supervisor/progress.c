/* How far tasks have come: see progress.h. */
#include "supervisor/progress.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "supervisor/node.h"

#include <stdlib.h>

#define TEXT_MAX_SIZE 1024 /* bytes kept in Redis */

struct mc_progress {
  mc_list link; /* in node->progress */
  mc_held *held;
  mc_buf text; /* item.text points into it */
  mc_progress_item item;
};

static mc_progress *progress_of(mc_list *link) {
  return mc_container_of(link, mc_progress, link);
}

static mc_progress *progress_get(mc_node *node, mc_held *held) {
  if (held->progress)
    return held->progress;
  mc_progress *progress = mc_zalloc(sizeof *progress);
  progress->held = held;
  progress->item.id = held->box.message.id;
  progress->item.attempt = held->attempt;
  mc_list_push_back(&node->progress, &progress->link);
  return held->progress = progress;
}

void mc_progress_take(mc_worker *worker, const mc_frame_progress *frame) {
  mc_held *held = mc_held_find(&worker->node->held, frame->attempt);
  if (!held || held->worker != worker || held->lost)
    return;
  mc_progress *progress = progress_get(worker->node, held);
  mc_buf_clear(&progress->text);
  mc_utf8_sanitize(frame->text, TEXT_MAX_SIZE, &progress->text);
  progress->item.fraction = frame->fraction;
  progress->item.at_ms = frame->at_ms;
  progress->item.has_text = frame->has_text;
  progress->item.text = mc_buf_slice(&progress->text);
}

void mc_progress_drop(mc_held *held) {
  mc_progress *progress = held->progress;
  if (!progress)
    return;
  held->progress = NULL;
  mc_list_remove(&progress->link);
  mc_buf_deinit(&progress->text);
  free(progress);
}

/* Of the queue that the first one is of, up to a full call. */
static size_t take_batch(mc_node *node, mc_progress **taken) {
  const mc_queue *queue = progress_of(node->progress.next)->held->queue;
  size_t count = 0;
  MC_LIST_EACH(link, &node->progress) {
    mc_progress *progress = progress_of(link);
    if (progress->held->queue == queue && count < MC_SETTLE_BATCH)
      taken[count++] = progress;
  }
  return count;
}

static int send_batch(mc_node *node, mc_progress *const *batch, size_t count) {
  mc_progress_item items[MC_SETTLE_BATCH];
  mc_call call = {0};
  for (size_t i = 0; i < count; i++)
    items[i] = batch[i]->item;
  mc_call_progress(&call, batch[0]->held->queue->name, mc_node_server(node), items, count);
  return mc_conn_call(node->link.commands, &call, NULL, NULL);
}

static void drop_settling(mc_node *node) {
  MC_LIST_EACH(link, &node->progress) {
    mc_held *held = progress_of(link)->held;
    if (held->settling || held->lost)
      mc_progress_drop(held);
  }
}

void mc_progress_flush(mc_node *node) {
  mc_progress *batch[MC_SETTLE_BATCH];
  if (mc_list_empty(&node->progress))
    return;
  drop_settling(node);
  while (node->link.up && !mc_list_empty(&node->progress)) {
    size_t count = take_batch(node, batch);
    if (send_batch(node, batch, count))
      return;
    for (size_t i = 0; i < count; i++)
      mc_progress_drop(batch[i]->held);
  }
}
