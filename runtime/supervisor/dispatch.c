/* Dispatch: see dispatch.h. */
#include "supervisor/dispatch.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "supervisor/duty_recover.h"
#include "supervisor/node.h"
#include "supervisor/outcome.h"
#include "supervisor/refusal.h"
#include "supervisor/wake.h"

#include <stdlib.h>

#define REFUSED_PAUSE_MS 1000

struct request {
  mc_node *node;
  mc_section *section; /* whose slots it has spoken for */
  mc_queue *queue;
  size_t count;
  uint64_t first_attempt;
  uint64_t sent_boot_ms; /* the lease counts from before the call */
};

static void send_to_worker(mc_worker *worker, mc_held *held) {
  const mc_message *message = &held->box.message;
  mc_frame_task frame = {
      .attempt = held->attempt,
      .id = message->id,
      .type = message->type,
      .queue = held->queue->name,
      .payload = message->payload,
      .retried = message->retried,
      .max_retry = message->max_retry,
      .timeout_ms = mc_clock_clamp_s(message->timeout_s) * 1000,
      .deadline_ms = mc_clock_clamp_s(message->deadline_s) * 1000,
      .headers = message->headers,
      .header_count = message->header_count,
  };
  mc_held_assign(held, worker);
  mc_frame_task_encode(mc_channel_out(&worker->channel), &frame);
}

/* Tasks of one reply are handed out in runs: neighbours in `active` go to the same worker, end about the same time and
 * are settled together, which spares Redis long searches. */
struct run {
  mc_worker *worker;
  size_t length, left;
};

static void hand_out(const struct request *request, struct run *run, mc_held *held) {
  if (run->left == 0 || !mc_worker_has_room(run->worker)) {
    run->worker = mc_shutdown_started(request->node) ? NULL : mc_section_pick(request->section);
    run->left = run->length;
  }
  run->left--;
  if (run->worker)
    send_to_worker(run->worker, held);
  else
    mc_outcome_requeue(request->node, held);
}

/* Held all the same, so that its archiving is fenced and repeated like any other; the id is ours to keep. */
static void bury(mc_node *node, mc_queue *queue, uint64_t attempt, mc_slice id, const char *reason) {
  mc_message_box empty = {0};
  mc_held *held = mc_held_new(&node->held, queue, attempt, &empty);
  mc_buf_add_slice(&held->message, id);
  held->box.message.id = mc_buf_slice(&held->message);
  mc_outcome_bury(node, held, reason);
}

/* We stood still between the call and the reading of its reply, for so long that others may have recovered the tasks:
 * none is started, and those that are ours after all go back. */
static bool is_stale(const struct request *request) {
  return mc_clock_boot_ms() - request->sent_boot_ms >= MC_RECOVER_AFTER_MS;
}

static void take_task(mc_node *node, const struct request *request, uint64_t attempt, const mc_dequeued_task *task,
                      struct run *run) {
  mc_message_box box;
  mc_err err;
  if (mc_message_decode(task->message, &box, &err)) {
    bury(node, request->queue, attempt, task->id, err.text);
    return;
  }
  if (!mc_slice_equal(box.message.id, task->id)) {
    mc_message_free(&box);
    bury(node, request->queue, attempt, task->id, "the message bears another id than its key");
    return;
  }
  mc_held *held = mc_held_new(&node->held, request->queue, attempt, &box);
  held->crashes = task->crashes;
  held->renewed_boot_ms = request->sent_boot_ms;
  if (is_stale(request))
    mc_outcome_requeue(node, held);
  else
    hand_out(request, run, held);
}

static void log_missing(const mc_queue *queue, mc_slice id) {
  mc_log_begin(MC_LOG_WARN, "task without data dropped");
  mc_log_slice("task_id", id);
  mc_log_slice("queue", queue->name);
  mc_log_text("detail", "its id stood in `pending` but its hash is gone (evicted, or deleted by hand)");
  mc_log_end();
}

static void take_tasks(mc_node *node, const struct request *request, const mc_dequeued *dequeued) {
  for (size_t i = 0; i < dequeued->missing_count; i++)
    log_missing(request->queue, mc_dequeued_missing_at(dequeued, i));
  struct run run = {.length = dequeued->count / (2 * request->section->count) + 1};
  for (size_t i = 0; i < dequeued->count; i++) {
    mc_dequeued_task task;
    if (mc_dequeued_task_at(dequeued, i, &task) == 0)
      take_task(node, request, request->first_attempt + i, &task, &run);
  }
}

static void on_dequeued(void *arg, int status, const mc_value *reply) {
  struct request request = *(struct request *)arg;
  mc_queue *queue = request.queue;
  mc_dequeued dequeued = {0};
  free(arg);
  request.section->asked -= request.count;
  if (status) { /* what the lost reply held is found by the recover duty */
    mc_queue_answered(queue, request.count, 0);
    return;
  }
  if (!mc_granted(MC_REFUSED_DEQUEUE, &queue->refused, queue->name, reply) ||
      mc_dequeued_read(reply, &dequeued, NULL)) {
    mc_queue_answered(queue, request.count, request.count);       /* it stays ready … */
    queue->hold_until_ms = mc_clock_mono_ms() + REFUSED_PAUSE_MS; /* … and is asked again by then */
    return;
  }
  size_t taken = dequeued.count + dequeued.missing_count;
  mc_queue_answered(queue, request.count, taken);
  mc_wake_on_answer(queue, taken);
  take_tasks(request.node, &request, &dequeued);
  mc_wake_wait(request.node, queue, &dequeued);
}

static int ask(mc_node *node, mc_section *section, mc_seat *seat, size_t count) {
  mc_queue *queue = seat->queue;
  struct request *sent = mc_alloc(sizeof *sent);
  *sent = (struct request){node, section, queue, count, node->next_attempt, mc_clock_boot_ms()};
  mc_call call = {0};
  mc_call_dequeue(&call, queue->name, mc_node_server(node), sent->first_attempt, count, mc_clock_wall_s() + MC_LEASE_S);
  int rc = mc_conn_call(node->link.commands, &call, on_dequeued, sent);
  if (rc) {
    free(sent);
    return rc;
  }
  node->next_attempt += count;
  section->asked += count;
  mc_seat_asked(seat, count);
  return 0;
}

/* One dequeue for one section; false when it has no free slot, no queue may be asked, or nothing can be sent. */
static bool ask_one(mc_node *node, mc_section *section, uint64_t now_ms) {
  mc_turns *turns = section->turns;
  size_t free_slots = mc_section_free_slots(section);
  mc_seat *seat = free_slots ? mc_turns_next(turns, mc_section_capacity(section), now_ms) : NULL;
  if (!seat)
    return false;
  size_t count = mc_seat_allowance(turns, seat, free_slots);
  return ask(node, section, seat, count < MC_DEQUEUE_BATCH ? count : MC_DEQUEUE_BATCH) == 0;
}

/* Sections take turns, dequeue by dequeue and from one run to the next: of two that serve the same queues neither is
 * always too late. */
void mc_dispatch_run(mc_node *node) {
  mc_pool *pool = &node->pool;
  uint64_t now_ms = mc_clock_mono_ms();
  if (!node->link.up || !mc_shutdown_fetching(node))
    return;
  for (size_t idle = 0; idle < pool->section_count; pool->turn++)
    idle = ask_one(node, &pool->sections[pool->turn % pool->section_count], now_ms) ? 0 : idle + 1;
}
