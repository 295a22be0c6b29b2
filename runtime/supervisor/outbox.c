/* What handlers enqueue: see outbox.h. */
#include "supervisor/outbox.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "protocol/keys.h"
#include "supervisor/node.h"

#include <stdlib.h>

struct letter {
  mc_list link;
  mc_enqueue task;
  pid_t pid; /* of the worker that asked */
  uint64_t request;
  bool resent;
};

struct batch {
  mc_node *node;
  size_t count;
  struct letter *letters[];
};

void mc_outbox_init(mc_outbox *outbox) {
  mc_list_init(&outbox->waiting);
  outbox->pending = 0;
}

static void answer(mc_node *node, const struct letter *letter, int code, const char *message) {
  mc_worker *worker = mc_pool_find(&node->pool, letter->pid);
  if (!worker)
    return;
  mc_frame_enqueued frame = {
      .request = letter->request,
      .code = code,
      .id = letter->task.id,
      .message = mc_slice_of(message),
      .process_at_s = letter->task.kind == MC_ENQUEUE_SCHEDULED ? letter->task.process_at_s : 0,
  };
  mc_frame_enqueued_encode(mc_channel_out(&worker->channel), &frame);
}

static void letter_free(struct letter *letter) {
  mc_enqueue_deinit(&letter->task);
  free(letter);
}

void mc_outbox_add(mc_node *node, mc_worker *worker, const mc_frame_enqueue *request) {
  mc_err err;
  struct letter *fresh = mc_zalloc(sizeof *fresh);
  fresh->pid = worker->process.pid;
  fresh->request = request->request;
  int rc = mc_enqueue_init(&fresh->task, &request->options, mc_clock_wall_ms(), &err);
  if (rc) {
    answer(node, fresh, rc, err.text);
    free(fresh);
    return;
  }
  mc_list_push_back(&node->outbox.waiting, &fresh->link);
  node->outbox.pending++;
}

static void log_enqueued(const struct letter *letter) {
  mc_log_begin(MC_LOG_INFO, "enqueued task");
  mc_log_slice("type", letter->task.type);
  mc_log_slice("task_id", letter->task.id);
  mc_log_slice("queue", letter->task.queue);
  if (letter->task.kind == MC_ENQUEUE_SCHEDULED)
    mc_log_int("process_at", letter->task.process_at_s);
  mc_log_end();
}

static void settle_letter(mc_node *node, struct letter *letter, const mc_value *reply, size_t i) {
  int code = mc_enqueue_answer(reply, i, &letter->task, letter->resent);
  char text[512];
  const mc_value *item = reply->kind == MC_VALUE_ARRAY ? mc_value_item(reply, i) : reply;
  mc_slice detail = item && item->kind == MC_VALUE_ERROR ? item->text : mc_slice_of(mc_err_text(code));
  if (code == 0)
    log_enqueued(letter);
  snprintf(text, sizeof text, "%s '%.*s' on queue '%.*s': %.*s", code ? "cannot enqueue" : "enqueued",
           MC_SLICE_PRINT(letter->task.type), MC_SLICE_PRINT(letter->task.queue), MC_SLICE_PRINT(detail));
  answer(node, letter, code, text);
  letter_free(letter);
}

static void put_back(mc_node *node, struct batch *batch, bool resent) {
  for (size_t i = batch->count; i-- > 0;) {
    batch->letters[i]->resent |= resent;
    mc_list_push_front(&node->outbox.waiting, &batch->letters[i]->link);
  }
}

static void on_enqueued(void *arg, int status, const mc_value *reply) {
  struct batch *batch = arg;
  mc_node *node = batch->node;
  if (status) {
    put_back(node, batch, true);
  } else {
    node->outbox.pending -= batch->count;
    for (size_t i = 0; i < batch->count; i++)
      settle_letter(node, batch->letters[i], reply, i);
  }
  free(batch);
}

/* The first letter's queue, and all others for the same queue up to a full call. */
static struct batch *take_batch(mc_node *node) {
  struct batch *taken = mc_alloc(sizeof *taken + MC_ENQUEUE_BATCH * sizeof *taken->letters);
  *taken = (struct batch){.node = node};
  mc_slice queue = mc_container_of(node->outbox.waiting.next, struct letter, link)->task.queue;
  MC_LIST_EACH(link, &node->outbox.waiting) {
    struct letter *at = mc_container_of(link, struct letter, link);
    if (taken->count == MC_ENQUEUE_BATCH || !mc_slice_equal(at->task.queue, queue))
      continue;
    mc_list_remove(link);
    taken->letters[taken->count++] = at;
  }
  return taken;
}

static int send_batch(mc_node *node, struct batch *batch) {
  const mc_enqueue *tasks[MC_ENQUEUE_BATCH];
  mc_args add = {0};
  mc_call call = {0};
  for (size_t i = 0; i < batch->count; i++)
    tasks[i] = &batch->letters[i]->task;
  mc_args_add_text(&add, "SADD");
  mc_args_add_text(&add, MC_KEY_QUEUES);
  mc_args_add(&add, tasks[0]->queue);
  mc_conn_send(node->link.commands, &add, NULL, NULL);
  mc_args_deinit(&add);
  mc_call_enqueue(&call, tasks, batch->count, mc_clock_wall_ns());
  return mc_conn_call(node->link.commands, &call, on_enqueued, batch);
}

void mc_outbox_flush(mc_node *node) {
  while (node->link.up && !mc_list_empty(&node->outbox.waiting)) {
    struct batch *batch = take_batch(node);
    if (send_batch(node, batch)) {
      put_back(node, batch, false);
      free(batch);
      return;
    }
  }
}

void mc_outbox_deinit(mc_node *node) {
  mc_list *link;
  while ((link = mc_list_pop_front(&node->outbox.waiting))) {
    struct letter *letter = mc_container_of(link, struct letter, link);
    mc_log_begin(MC_LOG_ERROR, letter->resent ? "task perhaps not enqueued" : "task not enqueued");
    mc_log_slice("type", letter->task.type);
    mc_log_slice("task_id", letter->task.id);
    mc_log_slice("queue", letter->task.queue);
    mc_log_text("detail", "Redis could not be reached before the stop; the handler that asked for it runs again");
    mc_log_end();
    letter_free(letter);
  }
}
