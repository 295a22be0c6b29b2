/* The folds in hand: see folds.h. */
#include "supervisor/folds.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "protocol/backoff.h"
#include "supervisor/duty_aggregate.h"
#include "supervisor/node.h"

#include <stdatomic.h>
#include <stdlib.h>

#define ERROR_MAX_SIZE 1024 /* bytes of an error text kept in Redis */
#define EXTEND_MS 5000

typedef struct mc_fold {
  uint64_t number;
  mc_buf names; /* what queue and group point into */
  mc_slice queue, group;
  char set_id[MC_UUID_SIZE];
  mc_args ids;       /* of the tasks, in the order in which the worker has them */
  uint32_t failures; /* in a row, before this one */
  bool full;         /* the set has max_size tasks: there may be more in the group */
  uint64_t extended_ms;
  mc_worker *worker; /* who has it; NULL before and after */
  mc_list in_worker;

  /* Set when settling begins. */
  mc_list in_settling; /* alone while it is not settling, and while a call is in flight */
  bool settling;
  bool resent;   /* a call was sent and its reply was lost */
  bool has_task; /* fold; else regroup */
  mc_enqueue task;
  mc_buf error;    /* empty: it has not failed */
  mc_slice *alone; /* into ids: tasks that go to pending */
  size_t alone_count;
  uint64_t duration_us;

  struct mc_node *node; /* for callbacks */
  UT_hash_handle hh;
} mc_fold;

void mc_folds_init(mc_folds *folds) {
  mc_list_init(&folds->settling);
  mc_list_init(&folds->passes);
}

static mc_fold *find_fold(const mc_folds *folds, uint64_t number) {
  mc_fold *fold = NULL;
  HASH_FIND(hh, folds->by_number, &number, sizeof number, fold);
  return fold;
}

bool mc_folds_has(const mc_folds *folds, mc_slice queue, mc_slice group) {
  for (const mc_fold *fold = folds->by_number; fold; fold = fold->hh.next)
    if (mc_slice_equal(fold->group, group) && mc_slice_equal(fold->queue, queue))
      return true;
  return false;
}

static void assign(mc_fold *fold, mc_worker *worker) {
  if (fold->worker) {
    mc_list_remove(&fold->in_worker);
    fold->worker->fold_count--;
  }
  fold->worker = worker;
  if (worker) {
    mc_list_push_back(&worker->folds, &fold->in_worker);
    worker->fold_count++;
  }
}

static mc_fold *fold_new(mc_node *node, mc_slice queue, const mc_group_check *group, const mc_aggregated *set) {
  mc_fold *fold = mc_zalloc(sizeof *fold);
  fold->node = node;
  fold->number = node->next_attempt++;
  mc_buf_add_slice(&fold->names, queue);
  mc_buf_add_slice(&fold->names, group->group);
  fold->queue = (mc_slice){fold->names.data, queue.size};
  fold->group = (mc_slice){fold->names.data + queue.size, group->group.size};
  memcpy(fold->set_id, group->set_id, sizeof fold->set_id);
  fold->failures = set->failures;
  fold->full = group->max_size > 0 && set->count >= group->max_size;
  fold->extended_ms = mc_clock_mono_ms();
  mc_list_init(&fold->in_worker);
  mc_list_init(&fold->in_settling);
  HASH_ADD(hh, node->folds.by_number, number, sizeof fold->number, fold);
  node->folds.count++;
  return fold;
}

static void fold_free(mc_fold *fold) {
  mc_folds *folds = &fold->node->folds;
  assign(fold, NULL);
  mc_list_remove(&fold->in_settling);
  HASH_DEL(folds->by_number, fold);
  folds->count--;
  mc_enqueue_deinit(&fold->task);
  mc_buf_deinit(&fold->names);
  mc_buf_deinit(&fold->error);
  mc_args_deinit(&fold->ids);
  free(fold->alone);
  free(fold);
}

/* ---- log lines ---- */

static void log_begin(const mc_fold *fold, mc_log_level level, const char *event) {
  mc_log_begin(level, event);
  mc_log_slice("queue", fold->queue);
  mc_log_slice("group", fold->group);
  mc_log_int("tasks", (int64_t)fold->ids.count);
}

static void log_folded(const mc_fold *fold, const char *detail) {
  log_begin(fold, MC_LOG_INFO, "group folded");
  mc_log_slice("type", fold->task.type);
  mc_log_slice("task_id", fold->task.id);
  mc_log_float("duration_ms", (double)fold->duration_us / 1000);
  mc_log_text("detail", detail);
  mc_log_end();
}

static void log_refused(const mc_fold *fold) {
  log_begin(fold, MC_LOG_WARN, "fold refused");
  mc_log_text("detail",
              "the set was taken from us meanwhile (its deadline passed); its tasks are in their group again");
  mc_log_end();
}

static int64_t next_try_s(const mc_fold *fold) {
  return mc_clock_wall_s() + mc_backoff_fold_s(fold->failures + 1);
}

static void log_failed(const mc_fold *fold, mc_slice trace) {
  log_begin(fold, MC_LOG_ERROR, "group fold failed");
  mc_log_slice("error", mc_buf_slice(&fold->error));
  mc_log_int("failures", (int64_t)fold->failures + 1);
  mc_log_int("next_try", next_try_s(fold));
  if (trace.size)
    mc_log_slice("trace", trace);
  mc_log_end();
}

static void log_left(const mc_fold *fold, mc_slice why) {
  log_begin(fold, MC_LOG_ERROR, "group set left");
  mc_log_slice("detail", why);
  mc_log_text("then", "its tasks go back to their group when the set's deadline has passed");
  mc_log_end();
}

/* ---- settling ---- */

static void settle(mc_fold *fold) {
  assign(fold, NULL);
  fold->settling = true;
  mc_list_push_back(&fold->node->folds.settling, &fold->in_settling);
}

static void give_back(mc_fold *fold) {
  mc_enqueue_deinit(&fold->task);
  fold->has_task = false;
  settle(fold);
}

static void fail_fold(mc_fold *fold, mc_slice error, mc_slice trace) {
  mc_buf_clear(&fold->error);
  mc_utf8_sanitize(error.size ? error : MC_SLICE_LITERAL("no reason was given"), ERROR_MAX_SIZE, &fold->error);
  log_failed(fold, trace);
  give_back(fold);
}

static void fail_enqueue(mc_fold *fold, int code, const mc_value *reply) {
  char text[512];
  mc_slice detail = reply->kind == MC_VALUE_ERROR ? reply->text : mc_slice_of(mc_err_text(code));
  snprintf(text, sizeof text, "the folded task '%.*s' cannot be enqueued: %.*s", MC_SLICE_PRINT(fold->task.type),
           MC_SLICE_PRINT(detail));
  fail_fold(fold, mc_slice_of(text), (mc_slice){0});
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
    log_refused(fold);
  else
    log_folded(fold, refused ? "its confirmation was lost; Redis had written it, or the set was taken from us" : NULL);
  mc_queue *queue = mc_queues_find(&node->queues, fold->queue);
  if (queue)
    queue->ready = true;
  if (fold->full)
    mc_aggregate_look_at(node, fold->queue, fold->group);
  fold_free(fold);
}

static void on_regrouped(mc_fold *fold, const mc_value *reply) {
  if (reply->kind == MC_VALUE_ERROR)
    log_left(fold, reply->text);
  fold_free(fold);
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
                        .next_try_s = next_try_s(fold),
                        .alone = fold->alone,
                        .alone_count = fold->alone_count};
  if (fold->has_task)
    mc_call_fold(&call, fold->group, fold->set_id, &fold->task, mc_clock_wall_ns());
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

/* ---- the start ---- */

/* Decodes the messages; what cannot be decoded goes to pending, where it is archived with the reason. */
static void decode_tasks(mc_fold *fold, const mc_aggregated *set, mc_message_box *boxes) {
  for (size_t i = 0; i < set->count; i++) {
    mc_slice id, message;
    mc_aggregated_task(set, i, &id, &message);
    mc_args_add(&fold->ids, id);
    boxes[i] = (mc_message_box){0};
    if (mc_message_decode(message, &boxes[i], NULL))
      fold->alone_count++;
  }
}

static void send_to_worker(mc_fold *fold, mc_worker *worker, const mc_frame_group_rule *rule,
                           const mc_message_box *boxes) {
  size_t count = fold->ids.count;
  mc_frame_fold_task *tasks = mc_alloc(count * sizeof *tasks);
  for (size_t i = 0; i < count; i++) {
    const mc_message *message = &boxes[i].message;
    tasks[i] = (mc_frame_fold_task){mc_args_at(&fold->ids, i), message->type, message->payload, message->headers,
                                    message->header_count};
  }
  mc_frame_fold frame = {.attempt = fold->number,
                         .rule_queue = rule->queue,
                         .pattern = rule->pattern,
                         .queue = fold->queue,
                         .group = fold->group,
                         .timeout_ms = rule->timeout_ms,
                         .tasks = tasks,
                         .count = count};
  assign(fold, worker);
  mc_frame_fold_encode(mc_channel_out(&worker->channel), &frame);
  free(tasks);
}

static void log_unfit(const mc_fold *fold) {
  log_begin(fold, MC_LOG_WARN, "tasks of a group cannot be folded");
  mc_log_int("unfit", (int64_t)fold->alone_count);
  mc_log_text("detail", "their messages or payloads are not what they should be; each is dealt with alone");
  mc_log_end();
}

/* places: of the tasks that go to pending; the rest goes back to the group, and is folded without them. */
static void set_apart(mc_fold *fold, const uint64_t *places, size_t count) {
  fold->alone = mc_alloc((count + 1) * sizeof *fold->alone);
  fold->alone_count = 0;
  for (size_t i = 0; i < count; i++)
    if (places[i] < fold->ids.count)
      fold->alone[fold->alone_count++] = mc_args_at(&fold->ids, places[i]);
  log_unfit(fold);
  give_back(fold);
}

static void set_apart_undecoded(mc_fold *fold, const mc_message_box *boxes) {
  uint64_t *places = mc_alloc(fold->ids.count * sizeof *places);
  size_t count = 0;
  for (size_t i = 0; i < fold->ids.count; i++)
    if (!boxes[i].memory)
      places[count++] = i;
  set_apart(fold, places, count);
  free(places);
}

void mc_folds_take(mc_node *node, mc_slice queue, const mc_group_check *group, const mc_aggregated *set) {
  mc_fold *fold = fold_new(node, queue, group, set);
  mc_message_box *boxes = mc_alloc(set->count * sizeof *boxes);
  const mc_frame_group_rule *rule = mc_group_rules_find(&node->folds.rules, queue, group->group);
  mc_worker *worker = mc_shutdown_started(node) ? NULL : mc_pool_pick(node);
  decode_tasks(fold, set, boxes);
  if (fold->alone_count)
    set_apart_undecoded(fold, boxes);
  else if (worker && rule)
    send_to_worker(fold, worker, rule, boxes);
  else
    give_back(fold);
  for (size_t i = 0; i < set->count; i++)
    mc_message_free(&boxes[i]);
  free(boxes);
}

/* ---- how it ended ---- */

static void log_late(uint64_t number) {
  mc_log_begin(MC_LOG_WARN, "fold refused");
  mc_log_int("attempt", (int64_t)number);
  mc_log_text("detail", "it is no longer in hand");
  mc_log_end();
}

void mc_folds_end(mc_node *node, const mc_frame_folded *folded) {
  mc_fold *fold = find_fold(&node->folds, folded->attempt);
  mc_err err;
  if (!fold || fold->settling) {
    log_late(folded->attempt);
    return;
  }
  fold->duration_us = folded->duration_us;
  if (folded->unfit_count) {
    set_apart(fold, folded->unfit, folded->unfit_count);
    return;
  }
  mc_enqueue_options options = folded->options;
  options.queue = fold->queue; /* one script, one queue */
  options.group = (mc_slice){0};
  options.has_group = false;
  if (mc_enqueue_init(&fold->task, &options, mc_clock_wall_ms(), &err)) {
    fail_fold(fold, mc_slice_of(err.text), (mc_slice){0});
    return;
  }
  fold->has_task = true;
  settle(fold);
}

bool mc_folds_fail(mc_node *node, const mc_frame_result *result) {
  mc_fold *fold = find_fold(&node->folds, result->attempt);
  if (!fold || fold->settling)
    return fold != NULL;
  bool by_us = result->outcome == MC_OUTCOME_CANCELLED && mc_shutdown_started(node);
  if (result->outcome == MC_OUTCOME_NOT_STARTED || by_us)
    give_back(fold);
  else
    fail_fold(fold, result->text, result->trace);
  return true;
}

/* What the fold that was running is told to have failed of. It may have been killed for the sake of a task beside it,
 * which it did not let run. */
static void blame(mc_fold *fold, const mc_worker *worker, const char *death) {
  char reason[256];
  if (worker->overdue_attempt == fold->number)
    snprintf(reason, sizeof reason, "context deadline exceeded");
  else
    snprintf(reason, sizeof reason, "the worker died of %s while it folded this group", death);
  fail_fold(fold, mc_slice_of(reason), (mc_slice){0});
}

void mc_folds_bury(mc_worker *worker, const char *death, bool by_us) {
  uint64_t running = atomic_load(&worker->page->current);
  uint64_t blamed = by_us ? 0 : running ? running : worker->overdue_attempt;
  MC_LIST_EACH(link, &worker->folds) {
    mc_fold *fold = mc_container_of(link, mc_fold, in_worker);
    if (fold->number == blamed)
      blame(fold, worker, death);
    else
      give_back(fold);
  }
}

/* ---- every so often ---- */

void mc_folds_extend(mc_node *node) {
  uint64_t now_ms = mc_clock_mono_ms();
  mc_args args = {0};
  for (mc_fold *fold = node->folds.by_number; fold; fold = fold->hh.next) {
    if (now_ms - fold->extended_ms < EXTEND_MS)
      continue;
    mc_fold_extend(&args, fold->queue, fold->group, fold->set_id, mc_clock_wall_s() + MC_FOLD_LEASE_S);
    if (mc_conn_send(node->link.commands, &args, NULL, NULL) == 0)
      fold->extended_ms = now_ms;
    mc_args_clear(&args);
  }
  mc_args_deinit(&args);
}

void mc_folds_cancel(mc_node *node) {
  for (mc_fold *fold = node->folds.by_number; fold; fold = fold->hh.next)
    if (fold->worker)
      mc_frame_cancel_encode(mc_channel_out(&fold->worker->channel), &(mc_frame_attempt){fold->number});
}

void mc_folds_deinit(mc_node *node) {
  mc_fold *fold, *next;
  HASH_ITER(hh, node->folds.by_number, fold, next) {
    log_left(fold, MC_SLICE_LITERAL("Redis did not take it back before the stop"));
    fold_free(fold);
  }
  mc_aggregate_deinit(node);
  mc_group_rules_deinit(&node->folds.rules);
}
