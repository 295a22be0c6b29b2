/* Groups: see fold.h. Calls are built here and replies read; server/<name>.lua says what they do. */
#include "protocol/fold.h"

#include <assert.h>

#include "base/mem.h"
#include "protocol/keys.h"
#include "protocol/scripts.h"

/* What the fold script answers. */
enum { ANSWER_ACCEPTED = 1, ANSWER_CONFLICT = 0, ANSWER_DUPLICATE = -1, ANSWER_REFUSED = -2 };

static mc_args *call_begin(mc_call *call, const mc_script *script) {
  call->script = script;
  mc_args_clear(&call->args);
  return &call->args;
}

static void add_set_key(mc_args *args, mc_slice queue, mc_slice group, const char *set_id) {
  mc_key_aggregation_set(&args->bytes, queue, group, mc_slice_of(set_id));
  mc_args_end(args);
}

static int read_list(const mc_value *reply, const char *operation, size_t *out_count, mc_err *err) {
  int code = mc_value_check_array(reply, operation, err);
  if (code == 0)
    *out_count = reply->count;
  return code;
}

/* ---- aggregate ---- */

void mc_call_aggregate(mc_call *call, mc_slice queue, int64_t now_s, size_t sets, const mc_group_check *groups,
                       size_t count) {
  assert(count > 0 && count <= MC_AGGREGATE_BATCH && sets > 0);
  mc_args *args = call_begin(call, &mc_server_script_aggregate);
  mc_key_queue_arg(args, queue, MC_KEY_GROUPS);
  mc_key_queue_arg(args, queue, MC_KEY_AGGREGATION_SETS);
  mc_key_queue_arg(args, queue, MC_KEY_FOLD_FAILURES);
  mc_key_task_prefix_arg(args, queue);
  mc_key_group_prefix_arg(args, queue);
  mc_args_add_int(args, now_s);
  mc_args_add_int(args, MC_FOLD_LEASE_S);
  mc_args_add_int(args, (int64_t)(sets < MC_AGGREGATE_SETS ? sets : MC_AGGREGATE_SETS));
  mc_args_add_int(args, MC_FOLD_BYTES);
  for (size_t i = 0; i < count; i++) {
    uint32_t size = groups[i].max_size;
    mc_args_add(args, groups[i].group);
    mc_args_add_text(args, groups[i].set_id);
    mc_args_add_int(args, size);
    mc_args_add_int(args, size > 0 && size < MC_FOLD_TASKS ? size : MC_FOLD_TASKS);
    mc_args_add_int(args, groups[i].max_delay_s);
    mc_args_add_int(args, groups[i].grace_s);
  }
}

int mc_aggregated_read(const mc_value *reply, size_t *out_count, mc_err *err) {
  return read_list(reply, "aggregate", out_count, err);
}

static bool holds_only_texts(const mc_value *list) {
  for (size_t i = 0; i < list->count; i++)
    if (list->items[i]->kind != MC_VALUE_STRING)
      return false;
  return true;
}

int mc_aggregated_at(const mc_value *reply, size_t i, size_t groups, mc_aggregated *out) {
  const mc_value *set = mc_value_item(reply, i), *tasks = mc_value_item(set, 2);
  int64_t place, failures;
  if (!tasks || mc_value_integer(set->items[0], &place) || mc_value_integer(set->items[1], &failures))
    return MC_EMALFORMED;
  if (place < 0 || (size_t)place >= groups || failures < 0 || tasks->kind != MC_VALUE_ARRAY || tasks->count == 0 ||
      tasks->count % 2 || !holds_only_texts(tasks))
    return MC_EMALFORMED;
  *out =
      (mc_aggregated){(size_t)place, failures < UINT32_MAX ? (uint32_t)failures : UINT32_MAX, tasks->count / 2, tasks};
  return 0;
}

size_t mc_aggregated_seen(const mc_value *reply, size_t sets, size_t groups) {
  size_t bytes = 0, last = 0;
  mc_aggregated set;
  for (size_t i = 0; i < reply->count; i++) {
    if (mc_aggregated_at(reply, i, groups, &set))
      continue;
    last = set.place + 1;
    for (size_t k = 0; k < set.count; k++)
      bytes += set.tasks->items[2 * k + 1]->text.size;
  }
  bool stopped = reply->count >= sets || bytes > MC_FOLD_BYTES / 2; /* as in server/aggregate.lua */
  return stopped && last > 0 ? last : groups;
}

void mc_aggregated_task(const mc_aggregated *set, size_t k, mc_slice *id, mc_slice *message) {
  *id = set->tasks->items[2 * k]->text;
  *message = set->tasks->items[2 * k + 1]->text;
}

/* ---- what becomes of a set ---- */

void mc_call_extend_set(mc_call *call, mc_slice queue, mc_slice group, const char *set_id) {
  mc_args *args = call_begin(call, &mc_server_script_extend_set);
  add_set_key(args, queue, group, set_id);
  mc_key_queue_arg(args, queue, MC_KEY_AGGREGATION_SETS);
  mc_args_add_int(args, MC_FOLD_LEASE_S);
}

void mc_call_fold(mc_call *call, mc_slice group, const char *set_id, const mc_enqueue *task, const mc_args *locks,
                  int64_t now_ns) {
  bool scheduled = task->kind == MC_ENQUEUE_SCHEDULED;
  assert(scheduled || task->kind == MC_ENQUEUE_PENDING);
  mc_args *args = call_begin(call, &mc_server_script_fold);
  add_set_key(args, task->queue, group, set_id);
  mc_key_queue_arg(args, task->queue, MC_KEY_AGGREGATION_SETS);
  mc_key_queue_arg(args, task->queue, MC_KEY_FOLD_FAILURES);
  mc_key_queue_arg(args, task->queue, MC_KEY_PENDING);
  mc_key_queue_arg(args, task->queue, MC_KEY_SCHEDULED);
  mc_key_task_prefix_arg(args, task->queue);
  mc_args_add(args, group);
  mc_args_add_text(args, scheduled ? "scheduled" : "pending");
  mc_args_add(args, task->id);
  mc_args_add(args, task->message);
  mc_args_add(args, task->unique_key);
  mc_args_add_int(args, task->unique_ttl_s);
  mc_args_add_int(args, scheduled ? task->process_at_s : now_ns);
  for (size_t i = 0; i < locks->count; i++)
    mc_args_add(args, mc_args_at(locks, i));
}

int mc_fold_answer(const mc_value *reply) {
  static const struct {
    int64_t answer;
    int code;
  } codes[] = {
      {ANSWER_ACCEPTED, 0},
      {ANSWER_CONFLICT, MC_ECONFLICT},
      {ANSWER_DUPLICATE, MC_EDUPLICATE},
      {ANSWER_REFUSED, MC_ENOT_FOUND},
  };
  if (reply->kind == MC_VALUE_ERROR)
    return MC_ESERVER;
  for (size_t i = 0; reply->kind == MC_VALUE_INTEGER && i < MC_COUNT(codes); i++)
    if (codes[i].answer == reply->integer)
      return codes[i].code;
  return MC_EMALFORMED;
}

void mc_call_regroup(mc_call *call, const mc_regroup *regroup, int64_t now_ns) {
  mc_args *args = call_begin(call, &mc_server_script_regroup);
  add_set_key(args, regroup->queue, regroup->group, regroup->set_id);
  mc_key_queue_arg(args, regroup->queue, MC_KEY_AGGREGATION_SETS);
  mc_key_group(&args->bytes, regroup->queue, regroup->group);
  mc_args_end(args);
  mc_key_queue_arg(args, regroup->queue, MC_KEY_GROUPS);
  mc_key_queue_arg(args, regroup->queue, MC_KEY_PENDING);
  mc_key_queue_arg(args, regroup->queue, MC_KEY_FOLD_FAILURES);
  mc_key_task_prefix_arg(args, regroup->queue);
  mc_args_add(args, regroup->group);
  mc_args_add_int(args, now_ns);
  if (regroup->failures)
    mc_buf_printf(&args->bytes, "%u %lld %.*s", regroup->failures, (long long)regroup->next_try_s,
                  MC_SLICE_PRINT(regroup->error));
  mc_args_end(args);
  for (size_t i = 0; i < regroup->alone_count; i++)
    mc_args_add(args, regroup->alone[i]);
}

/* ---- reclaim ---- */

void mc_call_reclaim(mc_call *call, mc_slice queue) {
  mc_args *args = call_begin(call, &mc_server_script_reclaim);
  mc_key_queue_arg(args, queue, MC_KEY_AGGREGATION_SETS);
  mc_key_queue_arg(args, queue, MC_KEY_GROUPS);
  mc_key_group_prefix_arg(args, queue);
  mc_args_add_int(args, MC_RECLAIM_BATCH);
}

int mc_reclaimed_read(const mc_value *reply, size_t *out_count, mc_err *err) {
  return read_list(reply, "reclaim", out_count, err);
}

int mc_reclaimed_at(const mc_value *reply, size_t i, mc_slice *group, int64_t *tasks) {
  const mc_value *set = mc_value_item(reply, i), *name = mc_value_item(set, 0), *count = mc_value_item(set, 1);
  if (!name || name->kind != MC_VALUE_STRING || !count || mc_value_integer(count, tasks))
    return MC_EMALFORMED;
  *group = name->text;
  return 0;
}
