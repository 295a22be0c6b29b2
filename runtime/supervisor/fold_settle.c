/* The end of a fold: see fold_settle.h. */
#include "supervisor/fold_settle.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "protocol/backoff.h"
#include "supervisor/duty_aggregate.h"
#include "supervisor/fold_log.h"
#include "supervisor/node.h"

#include <stdio.h>

#define ERROR_MAX_SIZE 1024 /* bytes of an error text kept in Redis */

int64_t mc_fold_next_try_s(const mc_fold *fold) {
  return mc_clock_wall_s() + mc_backoff_fold_s(fold->failures + 1);
}

void mc_fold_settle(mc_fold *fold) {
  mc_fold_assign(fold, NULL);
  fold->settling = true;
  mc_list_push_back(&fold->node->folds.settling, &fold->in_settling);
}

void mc_fold_give_back(mc_fold *fold) {
  mc_enqueue_deinit(&fold->task);
  fold->has_task = false;
  mc_fold_settle(fold);
}

void mc_fold_fail(mc_fold *fold, mc_slice error, mc_slice trace) {
  mc_buf_clear(&fold->error);
  mc_utf8_sanitize(error.size ? error : MC_SLICE_LITERAL("no reason was given"), ERROR_MAX_SIZE, &fold->error);
  mc_fold_log_failed(fold, trace);
  mc_fold_give_back(fold);
}

static void fail_enqueue(mc_fold *fold, int code, const mc_value *reply) {
  char text[512];
  mc_slice detail = reply->kind == MC_VALUE_ERROR ? reply->text : mc_slice_of(mc_err_text(code));
  snprintf(text, sizeof text, "the folded task '%.*s' cannot be enqueued: %.*s", MC_SLICE_PRINT(fold->task.type),
           MC_SLICE_PRINT(detail));
  mc_fold_fail(fold, mc_slice_of(text), (mc_slice){0});
}

static void on_folded(mc_fold *fold, const mc_value *reply) {
  mc_node *node = fold->node;
  int code = mc_fold_answer(reply);
  bool refused = code == MC_ENOT_FOUND;
  if (code && !refused) {
    fail_enqueue(fold, code, reply);
    return;
  }
  if (refused && !fold->resent)
    mc_fold_log_refused(fold);
  else
    mc_fold_log_folded(fold, refused ? "its confirmation was lost; Redis had written it, or the set was taken from us"
                                     : NULL);
  mc_queue *queue = mc_queues_find(&node->queues, fold->queue);
  if (queue)
    queue->ready = true;
  if (fold->full)
    mc_aggregate_look_at(node, fold->queue, fold->group);
  mc_fold_free(fold);
}

static void on_regrouped(mc_fold *fold, const mc_value *reply) {
  if (reply->kind == MC_VALUE_ERROR)
    mc_fold_log_left(fold, reply->text);
  mc_fold_free(fold);
}

static void on_settled(void *arg, int status, const mc_value *reply) {
  mc_fold *fold = arg;
  if (status) {
    fold->resent = true;
    mc_list_push_back(&fold->node->folds.settling, &fold->in_settling);
  } else if (fold->has_task) {
    on_folded(fold, reply);
  } else {
    on_regrouped(fold, reply);
  }
}

static int send_settle(mc_fold *fold) {
  mc_call call = {0};
  mc_regroup regroup = {.queue = fold->queue,
                        .group = fold->group,
                        .set_id = fold->set_id,
                        .error = mc_buf_slice(&fold->error),
                        .failures = fold->error.size ? fold->failures + 1 : 0,
                        .next_try_s = mc_fold_next_try_s(fold),
                        .alone = fold->alone,
                        .alone_count = fold->alone_count};
  if (fold->has_task)
    mc_call_fold(&call, fold->group, fold->set_id, &fold->task, &fold->locks, mc_clock_wall_ns());
  else
    mc_call_regroup(&call, &regroup, mc_clock_wall_ns());
  return mc_conn_call(fold->node->link.commands, &call, on_settled, fold);
}

void mc_folds_flush(mc_node *node) {
  mc_list *link;
  while (node->link.up && (link = mc_list_pop_front(&node->folds.settling))) {
    mc_fold *fold = mc_container_of(link, mc_fold, in_settling);
    if (send_settle(fold)) {
      mc_list_push_front(&node->folds.settling, link);
      return;
    }
  }
}
