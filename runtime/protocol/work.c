/* A task's working life: see work.h. Calls are built here and replies read; server/<name>.lua says what they do. */
#include "protocol/work.h"

#include <assert.h>

#include "base/mem.h"
#include "protocol/keys.h"
#include "protocol/scripts.h"

/* ---- what all calls share ---- */

static mc_args *call_begin(mc_call *call, const mc_script *script) {
  call->script = script;
  mc_args_clear(&call->args);
  return &call->args;
}

static void add_daily_key(mc_args *args, mc_slice queue, mc_queue_key key, int64_t at_s) {
  mc_key_daily(&args->bytes, queue, key, at_s);
  mc_args_end(args);
}

/* What stands in mc_owner before the attempt: "<server>:". */
static void add_owner_prefix(mc_args *args, mc_slice server) {
  mc_buf_add_slice(&args->bytes, server);
  mc_buf_add_char(&args->bytes, ':');
  mc_args_end(args);
}

static mc_slice text_at(const mc_value *array, size_t i) {
  const mc_value *item = mc_value_item(array, i);
  return item && item->kind == MC_VALUE_STRING ? item->text : (mc_slice){0};
}

/* ---- dequeue ---- */

/* The reply: [wait, [id, message, …], [missing id, …], [place, crashes, …], [concurrency, rate, interval, wait ms]],
 * places counted from 0; the last part is empty unless a limit is what it waits for. */
enum { DEQUEUED_WAIT, DEQUEUED_TASKS, DEQUEUED_MISSING, DEQUEUED_CRASHES, DEQUEUED_LIMITS, DEQUEUED_PARTS };
enum { LIMIT_CONCURRENCY, LIMIT_RATE, LIMIT_INTERVAL, LIMIT_WAIT, LIMIT_PARTS };

void mc_call_dequeue(mc_call *call, mc_slice queue, mc_slice server, uint64_t first_attempt, size_t count,
                     int64_t lease_until_s) {
  assert(count > 0);
  mc_args *args = call_begin(call, &mc_server_script_dequeue);
  mc_key_queue_arg(args, queue, MC_KEY_PENDING);
  mc_key_queue_arg(args, queue, MC_KEY_PAUSED);
  mc_key_queue_arg(args, queue, MC_KEY_ACTIVE);
  mc_key_queue_arg(args, queue, MC_KEY_LEASE);
  mc_key_queue_arg(args, queue, MC_KEY_LIMITS);
  mc_key_queue_arg(args, queue, MC_KEY_RATE);
  mc_key_task_prefix_arg(args, queue);
  add_owner_prefix(args, server);
  mc_args_add_int(args, (int64_t)first_attempt);
  mc_args_add_int(args, (int64_t)(count < MC_DEQUEUE_BATCH ? count : MC_DEQUEUE_BATCH));
  mc_args_add_int(args, lease_until_s);
}

static int limits_at(const mc_value *part, mc_dequeued *out, mc_err *err) {
  int64_t numbers[LIMIT_PARTS];
  for (size_t i = 0; i < LIMIT_PARTS; i++)
    if (mc_value_integer(mc_value_item(part, i), &numbers[i]) != 0)
      return mc_fail(err, MC_EMALFORMED, "dequeue: number %zu of the limits is missing", i + 1);
  out->limits = (mc_limits){numbers[LIMIT_CONCURRENCY], numbers[LIMIT_RATE], numbers[LIMIT_INTERVAL]};
  out->wait_ms = numbers[LIMIT_WAIT];
  return 0;
}

int mc_dequeued_read(const mc_value *reply, mc_dequeued *out, mc_err *err) {
  int64_t wait = 0;
  int code = mc_value_check_array(reply, "dequeue", err);
  if (code != 0)
    return code;
  if (reply->count != DEQUEUED_PARTS || mc_value_integer(reply->items[DEQUEUED_WAIT], &wait) != 0 || wait < 0 ||
      wait >= MC_WAITS)
    return mc_fail(err, MC_EMALFORMED, "dequeue: the reply has not the shape expected");
  for (size_t i = DEQUEUED_TASKS; i < DEQUEUED_PARTS; i++)
    if (reply->items[i]->kind != MC_VALUE_ARRAY)
      return mc_fail(err, MC_EMALFORMED, "dequeue: part %zu of the reply is no array", i + 1);
  if (reply->items[DEQUEUED_TASKS]->count % 2 != 0)
    return mc_fail(err, MC_EMALFORMED, "dequeue: an id came without its message");
  mc_dequeued read = {
      .reply = reply,
      .wait = (mc_wait)wait,
      .count = reply->items[DEQUEUED_TASKS]->count / 2,
      .missing_count = reply->items[DEQUEUED_MISSING]->count,
  };
  if (wait == MC_WAIT_SLOT || wait == MC_WAIT_RATE)
    code = limits_at(reply->items[DEQUEUED_LIMITS], &read, err);
  if (code == 0)
    *out = read;
  return code;
}

/* Hardly any task has crashed a worker before, so these are listed apart from the tasks and looked for one by one. */
static uint32_t crashes_of(const mc_dequeued *dequeued, size_t task) {
  const mc_value *list = dequeued->reply->items[DEQUEUED_CRASHES];
  for (size_t i = 0; i + 1 < list->count; i += 2) {
    int64_t place, crashes;
    if (mc_value_integer(list->items[i], &place) == 0 && place == (int64_t)task)
      return mc_value_integer(list->items[i + 1], &crashes) == 0 && crashes > 0 && crashes < UINT32_MAX
                 ? (uint32_t)crashes
                 : 0;
  }
  return 0;
}

int mc_dequeued_task_at(const mc_dequeued *dequeued, size_t i, mc_dequeued_task *out) {
  const mc_value *tasks = dequeued->reply->items[DEQUEUED_TASKS];
  const mc_value *id = mc_value_item(tasks, 2 * i), *message = mc_value_item(tasks, 2 * i + 1);
  if (!id || id->kind != MC_VALUE_STRING || !message || message->kind != MC_VALUE_STRING)
    return MC_EMALFORMED;
  *out = (mc_dequeued_task){id->text, message->text, crashes_of(dequeued, i)};
  return 0;
}

mc_slice mc_dequeued_missing_at(const mc_dequeued *dequeued, size_t i) {
  return text_at(dequeued->reply->items[DEQUEUED_MISSING], i);
}

/* ---- settle ---- */

typedef enum settle_counters { COUNT_NOTHING, COUNT_PROCESSED, COUNT_FAILED_TOO } settle_counters;

/* Every settle script has the keys active, lease, where the tasks go, and counters; the arguments task prefix, owner
 * prefix, what the script as a whole wants; and per task id, attempt, LREM count, what it wants of the task. */
typedef struct settle_plan {
  const mc_script *script;
  int destination; /* an mc_queue_key, or NOWHERE */
  settle_counters counters;
  void (*add_head)(mc_args *args, const mc_settle_context *context);
  void (*add_item)(mc_args *args, const mc_settle_item *item);
} settle_plan;

#define NOWHERE (-1)

static int64_t now_s(const mc_settle_context *context) {
  return context->now_ns / 1000000000;
}

static void add_no_head(mc_args *args, const mc_settle_context *context) {
  (void)args;
  (void)context;
}

static void add_state_retry(mc_args *args, const mc_settle_context *context) {
  (void)context;
  mc_args_add_text(args, "retry");
}

static void add_state_scheduled(mc_args *args, const mc_settle_context *context) {
  (void)context;
  mc_args_add_text(args, "scheduled");
}

static void add_archive_head(mc_args *args, const mc_settle_context *context) {
  mc_args_add_int(args, now_s(context));
  mc_args_add_int(args, now_s(context) - context->archive_max_age_s);
  mc_args_add_int(args, context->archive_max_size);
}

static void add_requeue_head(mc_args *args, const mc_settle_context *context) {
  mc_args_add_int(args, context->now_ns);
}

static void add_complete_item(mc_args *args, const mc_settle_item *item) {
  mc_args_add(args, item->unique_key);
}

static void add_retain_item(mc_args *args, const mc_settle_item *item) {
  mc_args_add(args, item->message);
  mc_args_add_int(args, item->at_s);
  mc_args_add(args, item->unique_key);
  mc_args_add_int(args, item->has_result);
  mc_args_add(args, item->result);
}

static void add_retry_item(mc_args *args, const mc_settle_item *item) {
  mc_args_add(args, item->message);
  mc_args_add_int(args, item->at_s);
  mc_args_add_int(args, item->counts_failure);
}

static void add_snooze_item(mc_args *args, const mc_settle_item *item) {
  mc_args_add(args, item->message);
  mc_args_add_int(args, item->at_s);
  mc_args_add_int(args, 0);
}

static void add_archive_item(mc_args *args, const mc_settle_item *item) {
  mc_args_add(args, item->message);
  mc_args_add(args, item->error);
  mc_args_add(args, item->crash);
}

static void add_requeue_item(mc_args *args, const mc_settle_item *item) {
  mc_args_add_int(args, item->crashes);
  mc_args_add(args, item->crash);
}

static const settle_plan plans[MC_SETTLE_KINDS] = {
    [MC_SETTLE_COMPLETE] = {&mc_server_script_complete, NOWHERE, COUNT_PROCESSED, add_no_head, add_complete_item},
    [MC_SETTLE_RETAIN] = {&mc_server_script_retain, MC_KEY_COMPLETED, COUNT_PROCESSED, add_no_head, add_retain_item},
    [MC_SETTLE_RETRY] = {&mc_server_script_retry, MC_KEY_RETRY, COUNT_FAILED_TOO, add_state_retry, add_retry_item},
    [MC_SETTLE_SNOOZE] = {&mc_server_script_retry, MC_KEY_SCHEDULED, COUNT_FAILED_TOO, add_state_scheduled,
                          add_snooze_item},
    [MC_SETTLE_ARCHIVE] = {&mc_server_script_archive, MC_KEY_ARCHIVED, COUNT_FAILED_TOO, add_archive_head,
                           add_archive_item},
    [MC_SETTLE_REQUEUE] = {&mc_server_script_requeue, MC_KEY_PENDING, COUNT_NOTHING, add_requeue_head,
                           add_requeue_item},
};

static void add_counter_keys(mc_args *args, settle_counters counters, const mc_settle_context *context) {
  static const mc_queue_key keys[] = {MC_KEY_PROCESSED, MC_KEY_FAILED};
  for (int i = 0; i < (int)counters; i++) {
    mc_key_queue_arg(args, context->queue, keys[i]);
    add_daily_key(args, context->queue, keys[i], now_s(context));
  }
}

void mc_call_settle(mc_call *call, mc_settle_kind kind, const mc_settle_context *context,
                    const mc_settle_item *const *items, size_t count) {
  assert(count > 0 && count <= MC_SETTLE_BATCH);
  const settle_plan *plan = &plans[kind];
  mc_args *args = call_begin(call, plan->script);
  mc_key_queue_arg(args, context->queue, MC_KEY_ACTIVE);
  mc_key_queue_arg(args, context->queue, MC_KEY_LEASE);
  if (plan->destination != NOWHERE)
    mc_key_queue_arg(args, context->queue, (mc_queue_key)plan->destination);
  add_counter_keys(args, plan->counters, context);
  mc_key_task_prefix_arg(args, context->queue);
  add_owner_prefix(args, context->server);
  plan->add_head(args, context);
  for (size_t i = 0; i < count; i++) {
    mc_args_add(args, items[i]->id);
    mc_args_add_int(args, (int64_t)items[i]->attempt);
    mc_args_add_int(args, items[i]->near_head ? 1 : -1);
    plan->add_item(args, items[i]);
  }
}

int mc_refused_read(const mc_value *reply, size_t *out_count, mc_err *err) {
  int code = mc_value_check_array(reply, "settle or extend", err);
  if (code == 0)
    *out_count = reply->count;
  return code;
}

bool mc_refused_has(const mc_value *reply, uint64_t attempt) {
  int64_t refused;
  for (size_t i = 0; i < reply->count; i++)
    if (mc_value_integer(reply->items[i], &refused) == 0 && (uint64_t)refused == attempt)
      return true;
  return false;
}

/* ---- the others ---- */

void mc_call_extend(mc_call *call, mc_slice queue, mc_slice server, int64_t lease_until_s, const mc_held_id *ids,
                    size_t count) {
  assert(count > 0 && count <= MC_SETTLE_BATCH);
  mc_args *args = call_begin(call, &mc_server_script_extend);
  mc_key_queue_arg(args, queue, MC_KEY_LEASE);
  mc_key_task_prefix_arg(args, queue);
  add_owner_prefix(args, server);
  mc_args_add_int(args, lease_until_s);
  for (size_t i = 0; i < count; i++) {
    mc_args_add(args, ids[i].id);
    mc_args_add_int(args, (int64_t)ids[i].attempt);
  }
}

static void add_number(mc_args *args, const char *format, double number) {
  mc_buf_printf(&args->bytes, format, number);
  mc_args_end(args);
}

void mc_call_progress(mc_call *call, mc_slice queue, mc_slice server, const mc_progress_item *items, size_t count) {
  assert(count > 0 && count <= MC_SETTLE_BATCH);
  mc_args *args = call_begin(call, &mc_server_script_progress);
  mc_key_queue_arg(args, queue, MC_KEY_LEASE);
  mc_key_task_prefix_arg(args, queue);
  add_owner_prefix(args, server);
  for (size_t i = 0; i < count; i++) {
    mc_args_add(args, items[i].id);
    mc_args_add_int(args, (int64_t)items[i].attempt);
    add_number(args, "%.6g", items[i].fraction);
    add_number(args, "%.3f", (double)items[i].at_ms / 1000);
    mc_args_add_int(args, items[i].has_text);
    mc_args_add(args, items[i].text);
  }
}

void mc_call_forward(mc_call *call, mc_slice queue, int64_t now_ns) {
  mc_args *args = call_begin(call, &mc_server_script_forward);
  mc_key_queue_arg(args, queue, MC_KEY_SCHEDULED);
  mc_key_queue_arg(args, queue, MC_KEY_RETRY);
  mc_key_queue_arg(args, queue, MC_KEY_PENDING);
  mc_key_queue_arg(args, queue, MC_KEY_GROUPS);
  mc_key_task_prefix_arg(args, queue);
  mc_key_group_prefix_arg(args, queue);
  mc_args_add_int(args, now_ns / 1000000000);
  mc_args_add_int(args, now_ns);
  mc_args_add_int(args, MC_FORWARD_BATCH);
}

void mc_call_janitor(mc_call *call, mc_slice queue, int64_t now_s, int64_t archive_max_age_s,
                     int64_t archive_max_size) {
  mc_args *args = call_begin(call, &mc_server_script_janitor);
  mc_key_queue_arg(args, queue, MC_KEY_COMPLETED);
  mc_key_queue_arg(args, queue, MC_KEY_ARCHIVED);
  mc_key_task_prefix_arg(args, queue);
  mc_args_add_int(args, now_s);
  mc_args_add_int(args, now_s - archive_max_age_s);
  mc_args_add_int(args, archive_max_size);
  mc_args_add_int(args, MC_JANITOR_BATCH);
}

void mc_call_recover(mc_call *call, mc_slice queue, int64_t now_ns, const mc_orphan *orphans, size_t count) {
  assert(count > 0 && count <= MC_SETTLE_BATCH);
  mc_args *args = call_begin(call, &mc_server_script_recover);
  mc_key_queue_arg(args, queue, MC_KEY_ACTIVE);
  mc_key_queue_arg(args, queue, MC_KEY_LEASE);
  mc_key_queue_arg(args, queue, MC_KEY_PENDING);
  mc_key_queue_arg(args, queue, MC_KEY_AGGREGATION_SETS);
  mc_key_task_prefix_arg(args, queue);
  mc_key_queue_prefix_arg(args, queue);
  mc_key_group_prefix_arg(args, queue);
  mc_args_add_int(args, now_ns);
  for (size_t i = 0; i < count; i++) {
    mc_args_add(args, orphans[i].id);
    mc_buf_printf(&args->bytes, "%.17g", orphans[i].lease_s); /* as Redis writes it */
    mc_args_end(args);
  }
}

int mc_recovered_at(const mc_value *reply, size_t i, mc_recovered *out) {
  int64_t answer;
  if (mc_value_integer(mc_value_item(reply, i), &answer) != 0 || answer < MC_RECOVER_CHANGED ||
      answer > MC_RECOVER_POSTPONED)
    return MC_EMALFORMED;
  *out = (mc_recovered)answer;
  return 0;
}
