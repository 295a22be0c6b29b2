/* The folds in hand: see folds.h. */
#include "supervisor/folds.h"

#include "base/clock.h"
#include "base/mem.h"
#include "supervisor/duty_aggregate.h"
#include "supervisor/fold_log.h"
#include "supervisor/death.h"
#include "supervisor/fold_settle.h"
#include "supervisor/node.h"

#include <stdatomic.h>
#include <stdlib.h>

#define EXTEND_MS 5000

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

void mc_fold_assign(mc_fold *fold, mc_worker *worker) {
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

void mc_fold_free(mc_fold *fold) {
  mc_folds *folds = &fold->node->folds;
  mc_fold_assign(fold, NULL);
  mc_list_remove(&fold->in_settling);
  HASH_DEL(folds->by_number, fold);
  folds->count--;
  mc_enqueue_deinit(&fold->task);
  mc_buf_deinit(&fold->names);
  mc_buf_deinit(&fold->error);
  mc_args_deinit(&fold->ids);
  mc_args_deinit(&fold->locks);
  free(fold->alone);
  free(fold);
}

/* ---- the start ---- */

static void keep_lock(mc_fold *fold, mc_slice id, mc_slice lock) {
  if (lock.size == 0)
    return;
  mc_args_add(&fold->locks, id);
  mc_args_add(&fold->locks, lock);
}

/* Decodes the messages; what cannot be decoded goes to pending, where it is archived with the reason. */
static void decode_tasks(mc_fold *fold, const mc_aggregated *set, mc_message_box *boxes) {
  for (size_t i = 0; i < set->count; i++) {
    mc_slice id, message;
    mc_aggregated_task(set, i, &id, &message);
    mc_args_add(&fold->ids, id);
    boxes[i] = (mc_message_box){0};
    if (mc_message_decode(message, &boxes[i], NULL))
      fold->alone_count++;
    else
      keep_lock(fold, id, boxes[i].message.unique_key);
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
  mc_fold_assign(fold, worker);
  mc_frame_fold_encode(mc_channel_out(&worker->channel), &frame);
  free(tasks);
}

/* places: of the tasks that go to pending; the rest goes back to the group, and is folded without them. */
static void set_apart(mc_fold *fold, const uint64_t *places, size_t count) {
  fold->alone = mc_alloc((count + 1) * sizeof *fold->alone);
  fold->alone_count = 0;
  for (size_t i = 0; i < count; i++)
    if (places[i] < fold->ids.count)
      fold->alone[fold->alone_count++] = mc_args_at(&fold->ids, places[i]);
  mc_fold_log_unfit(fold);
  mc_fold_give_back(fold);
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

void mc_folds_take(mc_node *node, const mc_section *section, mc_slice queue, const mc_group_check *group,
                   const mc_aggregated *set) {
  mc_fold *fold = fold_new(node, queue, group, set);
  mc_message_box *boxes = mc_alloc(set->count * sizeof *boxes);
  const mc_frame_group_rule *rule = mc_group_rules_find(&node->folds.rules, queue, group->group);
  mc_worker *worker = mc_shutdown_started(node) ? NULL : mc_section_pick(section);
  decode_tasks(fold, set, boxes);
  if (fold->alone_count)
    set_apart_undecoded(fold, boxes);
  else if (worker && rule)
    send_to_worker(fold, worker, rule, boxes);
  else
    mc_fold_give_back(fold);
  for (size_t i = 0; i < set->count; i++)
    mc_message_free(&boxes[i]);
  free(boxes);
}

/* ---- how it ended ---- */

static void ended(mc_fold *fold, uint64_t duration_us) {
  fold->duration_us = duration_us;
  if (fold->worker)
    mc_worker_ended_one(fold->worker, duration_us);
}

void mc_folds_end(mc_node *node, const mc_frame_folded *folded) {
  mc_fold *fold = find_fold(&node->folds, folded->attempt);
  mc_err err;
  if (!fold || fold->settling) {
    mc_fold_log_late(folded->attempt);
    return;
  }
  ended(fold, folded->duration_us);
  if (folded->unfit_count) {
    set_apart(fold, folded->unfit, folded->unfit_count);
    return;
  }
  mc_enqueue_options options = folded->options;
  options.queue = fold->queue; /* one script, one queue */
  options.has_queue = false;   /* it is there already, whatever its name */
  options.group = (mc_slice){0};
  options.has_group = false;
  if (mc_enqueue_init(&fold->task, &options, mc_clock_wall_ms(), &err)) {
    mc_fold_fail(fold, mc_slice_of(err.text), (mc_slice){0});
    return;
  }
  fold->has_task = true;
  mc_fold_settle(fold);
}

bool mc_folds_fail(mc_node *node, const mc_frame_result *result) {
  mc_fold *fold = find_fold(&node->folds, result->attempt);
  if (!fold || fold->settling)
    return fold != NULL;
  if (result->outcome != MC_OUTCOME_NOT_STARTED)
    ended(fold, result->duration_us);
  bool by_us = result->outcome == MC_OUTCOME_CANCELLED && mc_shutdown_started(node);
  if (result->outcome == MC_OUTCOME_NOT_STARTED || by_us)
    mc_fold_give_back(fold);
  else
    mc_fold_fail(fold, result->text, result->trace);
  return true;
}

/* What the fold that was running has failed of. */
static void blame(mc_fold *fold, const mc_worker *worker, const char *death) {
  char reason[384];
  if (worker->overdue_attempt == fold->number)
    snprintf(reason, sizeof reason, "context deadline exceeded");
  else if (worker->overdue_attempt)
    snprintf(reason, sizeof reason, "it did not let others run: the worker was killed when one was past its time");
  else if (worker->killed_for[0])
    snprintf(reason, sizeof reason, "the worker was killed while it folded this group: %s", worker->killed_for);
  else
    snprintf(reason, sizeof reason, "the worker died of %s while it folded this group", death);
  mc_fold_fail(fold, mc_slice_of(reason), (mc_slice){0});
}

void mc_folds_bury(mc_worker *worker, const char *death, bool by_us) {
  uint64_t blamed = by_us ? 0 : mc_death_blamed(worker);
  MC_LIST_EACH(link, &worker->folds) {
    mc_fold *fold = mc_container_of(link, mc_fold, in_worker);
    if (fold->number == blamed)
      blame(fold, worker, death);
    else
      mc_fold_give_back(fold);
  }
}

/* ---- every so often ---- */

void mc_folds_extend(mc_node *node) {
  uint64_t now_ms = mc_clock_mono_ms();
  for (mc_fold *fold = node->folds.by_number; fold; fold = fold->hh.next) {
    if (now_ms - fold->extended_ms < EXTEND_MS)
      continue;
    mc_call call = {0};
    mc_call_extend_set(&call, fold->queue, fold->group, fold->set_id);
    if (mc_conn_call(node->link.commands, &call, NULL, NULL) == 0)
      fold->extended_ms = now_ms;
  }
}

void mc_folds_cancel(mc_node *node) {
  for (mc_fold *fold = node->folds.by_number; fold; fold = fold->hh.next)
    if (fold->worker)
      mc_frame_cancel_encode(mc_channel_out(&fold->worker->channel), &(mc_frame_attempt){fold->number});
}

void mc_folds_deinit(mc_node *node) {
  mc_fold *fold, *next;
  HASH_ITER(hh, node->folds.by_number, fold, next) {
    mc_fold_log_left(fold, MC_SLICE_LITERAL("Redis did not take it back before the stop"));
    mc_fold_free(fold);
  }
  mc_aggregate_deinit(node);
  mc_group_rules_deinit(&node->folds.rules);
}
