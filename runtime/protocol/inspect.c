/* Looking at queues and tasks, and moving tasks by hand: see inspect.h. */
#include "protocol/inspect.h"

#include <assert.h>

#include "base/mem.h"
#include "protocol/keys.h"
#include "protocol/scripts.h"

#define MEMORY_SAMPLES 20 /* tasks measured per state */
#define GROUP_SAMPLES 5   /* groups whose tasks are measured */
#define GROUP_PAGE 1000   /* groups counted per call, about */

static const struct state {
  const char *name;
  bool is_list;
  mc_queue_key key; /* of aggregating: not used, each group has its own */
} states[MC_TASK_STATES] = {
    [MC_TASK_ACTIVE] = {"active", true, MC_KEY_ACTIVE},
    [MC_TASK_PENDING] = {"pending", true, MC_KEY_PENDING},
    [MC_TASK_SCHEDULED] = {"scheduled", false, MC_KEY_SCHEDULED},
    [MC_TASK_RETRY] = {"retry", false, MC_KEY_RETRY},
    [MC_TASK_ARCHIVED] = {"archived", false, MC_KEY_ARCHIVED},
    [MC_TASK_COMPLETED] = {"completed", false, MC_KEY_COMPLETED},
    [MC_TASK_AGGREGATING] = {"aggregating", false, MC_KEY_GROUPS},
};

const char *mc_state_name(mc_task_state state) {
  return states[state].name;
}

int mc_state_find(mc_slice name, mc_task_state *out) {
  for (size_t i = 0; i < MC_COUNT(states); i++) {
    if (!mc_slice_equal(name, mc_slice_of(states[i].name)))
      continue;
    *out = (mc_task_state)i;
    return 0;
  }
  return MC_ENOT_FOUND;
}

bool mc_state_is_list(mc_task_state state) {
  return states[state].is_list;
}

void mc_key_state(mc_buf *out, mc_slice queue, mc_task_state state, mc_slice group) {
  if (state == MC_TASK_AGGREGATING)
    mc_key_group(out, queue, group);
  else
    mc_key_queue(out, queue, states[state].key);
}

/* ---- what all calls share ---- */

static mc_args *call_begin(mc_call *call, const mc_script *script) {
  call->script = script;
  mc_args_clear(&call->args);
  return &call->args;
}

static void add_keys(mc_args *args, mc_slice queue, const mc_queue_key *keys, size_t count) {
  for (size_t i = 0; i < count; i++) {
    mc_key_queue_arg(args, queue, keys[i]);
  }
}

static void add_prefix(mc_args *args, mc_slice queue, void (*prefix)(mc_buf *, mc_slice)) {
  prefix(&args->bytes, queue);
  mc_args_end(args);
}

static int check_reply(const mc_value *reply, mc_err *err) {
  if (reply && reply->kind == MC_VALUE_ERROR)
    return mc_fail(err, MC_ESERVER, "Redis answered: %.*s", MC_SLICE_PRINT(reply->text));
  if (!reply || reply->kind != MC_VALUE_ARRAY)
    return mc_fail(err, MC_EMALFORMED, "the answer of Redis is no array");
  return 0;
}

static int refuse_shape(mc_err *err) {
  return mc_fail(err, MC_EMALFORMED, "the answer of Redis has not the shape expected");
}

/* ---- one queue ---- */

void mc_call_queue_info(mc_call *call, mc_slice queue, int64_t now_s) {
  static const mc_queue_key keys[] = {MC_KEY_PENDING,   MC_KEY_ACTIVE,    MC_KEY_SCHEDULED, MC_KEY_RETRY,
                                      MC_KEY_ARCHIVED,  MC_KEY_COMPLETED, MC_KEY_GROUPS,    MC_KEY_PAUSED,
                                      MC_KEY_PROCESSED, MC_KEY_FAILED};
  mc_args *args = call_begin(call, &mc_server_script_queue_info);
  add_keys(args, queue, keys, MC_COUNT(keys));
  mc_key_daily(&args->bytes, queue, MC_KEY_PROCESSED, now_s);
  mc_args_end(args);
  mc_key_daily(&args->bytes, queue, MC_KEY_FAILED, now_s);
  mc_args_end(args);
  add_prefix(args, queue, mc_key_task_prefix);
  add_prefix(args, queue, mc_key_group_prefix);
  mc_args_add_int(args, MEMORY_SAMPLES);
  mc_args_add_int(args, GROUP_SAMPLES);
  mc_args_add_int(args, GROUP_PAGE);
}

void mc_call_walk_groups(mc_call *call, mc_slice queue, mc_slice cursor, bool forget) {
  static const mc_queue_key keys[] = {MC_KEY_GROUPS};
  mc_args *args = call_begin(call, &mc_server_script_walk_groups);
  add_keys(args, queue, keys, MC_COUNT(keys));
  add_prefix(args, queue, mc_key_group_prefix);
  mc_args_add(args, cursor);
  mc_args_add_int(args, GROUP_PAGE);
  mc_args_add_int(args, forget);
}

int mc_group_page_read(const mc_value *reply, mc_slice *cursor, int64_t *tasks, mc_err *err) {
  int code = check_reply(reply, err);
  if (code)
    return code;
  if (reply->count != 2 || reply->items[0]->kind != MC_VALUE_STRING || mc_value_integer(reply->items[1], tasks))
    return refuse_shape(err);
  *cursor = reply->items[0]->text;
  return 0;
}

int mc_queue_info_read(const mc_value *reply, mc_queue_info *out, mc_err *err) {
  mc_queue_info info = {0};
  int64_t *const places[] = {
      &info.sizes[MC_TASK_PENDING],
      &info.sizes[MC_TASK_ACTIVE],
      &info.sizes[MC_TASK_SCHEDULED],
      &info.sizes[MC_TASK_RETRY],
      &info.sizes[MC_TASK_ARCHIVED],
      &info.sizes[MC_TASK_COMPLETED],
      &info.sizes[MC_TASK_AGGREGATING],
      &info.groups,
      &info.paused,
      &info.processed,
      &info.failed,
      &info.processed_today,
      &info.failed_today,
      &info.pending_since_ns,
      &info.memory_bytes,
  };
  int code = check_reply(reply, err);
  if (code)
    return code;
  if (reply->count != MC_COUNT(places))
    return refuse_shape(err);
  for (size_t i = 0; i < MC_COUNT(places); i++)
    if (mc_value_integer(reply->items[i], places[i]))
      *places[i] = 0; /* someone wrote a counter that is no number: the rest is still worth reading */
  *out = info;
  return 0;
}

/* ---- tasks ---- */

void mc_call_list_tasks(mc_call *call, mc_slice queue, mc_task_state state, mc_slice group, const mc_page_start *start,
                        size_t size) {
  static const mc_queue_key keys[] = {MC_KEY_LEASE};
  assert(size > 0 && size <= MC_PAGE_MAX);
  mc_args *args = call_begin(call, &mc_server_script_list_tasks);
  mc_key_state(&args->bytes, queue, state, group);
  mc_args_end(args);
  add_keys(args, queue, keys, MC_COUNT(keys));
  add_prefix(args, queue, mc_key_task_prefix);
  mc_args_add_text(args, mc_state_is_list(state) ? "list" : "zset");
  mc_args_add_int(args, (int64_t)size);
  mc_args_add_int(args, start->skip);
  mc_args_add(args, start->after_score);
  mc_args_add(args, start->after_id);
}

enum { PAGE_TOTAL, PAGE_SKIPPED, PAGE_TASKS, PAGE_PARTS };
enum { ITEM_ID, ITEM_SCORE, ITEM_FIELDS, ITEM_PARTS };

int mc_task_page_read(const mc_value *reply, mc_task_page *out, mc_err *err) {
  mc_task_page page;
  int code = check_reply(reply, err);
  if (code)
    return code;
  if (reply->count != PAGE_PARTS || mc_value_integer(reply->items[PAGE_TOTAL], &page.total) ||
      mc_value_integer(reply->items[PAGE_SKIPPED], &page.skipped))
    return refuse_shape(err);
  page.tasks = reply->items[PAGE_TASKS];
  if (page.tasks->kind != MC_VALUE_ARRAY || page.tasks->count % ITEM_PARTS != 0)
    return refuse_shape(err);
  page.count = page.tasks->count / ITEM_PARTS;
  *out = page;
  return 0;
}

static bool is_text(const mc_value *value) {
  return value && value->kind == MC_VALUE_STRING;
}

static bool are_fields(const mc_value *value) {
  if (!value || value->kind != MC_VALUE_ARRAY || value->count % 2 != 0)
    return false;
  for (size_t i = 0; i < value->count; i++)
    if (!is_text(value->items[i]))
      return false;
  return true;
}

int mc_task_page_at(const mc_task_page *page, size_t i, mc_task_record *out) {
  const mc_value *id = mc_value_item(page->tasks, i * ITEM_PARTS + ITEM_ID);
  const mc_value *score = mc_value_item(page->tasks, i * ITEM_PARTS + ITEM_SCORE);
  const mc_value *fields = mc_value_item(page->tasks, i * ITEM_PARTS + ITEM_FIELDS);
  if (!is_text(id) || !is_text(score) || !are_fields(fields))
    return MC_EMALFORMED;
  *out = (mc_task_record){id->text, score->text, fields};
  return 0;
}

void mc_call_read_task(mc_call *call, mc_slice queue, mc_slice id) {
  static const mc_queue_key keys[] = {MC_KEY_LEASE};
  mc_args *args = call_begin(call, &mc_server_script_read_task);
  mc_key_task(&args->bytes, queue, id);
  mc_args_end(args);
  add_keys(args, queue, keys, MC_COUNT(keys));
  mc_args_add(args, id);
  add_prefix(args, queue, mc_key_queue_prefix);
  add_prefix(args, queue, mc_key_group_prefix);
}

int mc_task_record_read(const mc_value *reply, mc_task_record *out, mc_err *err) {
  int code = check_reply(reply, err);
  if (code)
    return code;
  if (reply->count == 0)
    return mc_fail(err, MC_ENOT_FOUND, "there is no such task");
  if (reply->count != 2 || !is_text(reply->items[0]) || !are_fields(reply->items[1]))
    return refuse_shape(err);
  *out = (mc_task_record){.score = reply->items[0]->text, .fields = reply->items[1]};
  return 0;
}

bool mc_task_record_field(const mc_task_record *record, const char *name, mc_slice *out) {
  for (size_t i = 0; i + 1 < record->fields->count; i += 2) {
    if (!mc_value_is_text(record->fields->items[i], name))
      continue;
    *out = record->fields->items[i + 1]->text;
    return true;
  }
  return false;
}

/* ---- moving tasks ---- */

static void add_now_ns(mc_args *args, int64_t now_ns) {
  mc_args_add_int(args, now_ns);
}

static void add_now_s(mc_args *args, int64_t now_ns) {
  mc_args_add_int(args, now_ns / 1000000000);
}

static void add_no_time(mc_args *args, int64_t now_ns) {
  (void)args;
  (void)now_ns;
}

static const struct plan {
  const mc_script *script;
  size_t key_count; /* of the keys below */
  void (*add_time)(mc_args *args, int64_t now_ns);
} plans[] = {
    [MC_MOVE_RUN] = {&mc_server_script_run_tasks, 3, add_now_ns},
    [MC_MOVE_ARCHIVE] = {&mc_server_script_shelve_tasks, 4, add_now_s},
    [MC_MOVE_DELETE] = {&mc_server_script_delete_tasks, 3, add_no_time},
};

void mc_call_move(mc_call *call, mc_move move, const mc_move_source *source, int64_t now_ns, const mc_slice *ids,
                  size_t count) {
  static const mc_queue_key keys[] = {MC_KEY_PENDING, MC_KEY_GROUPS, MC_KEY_FOLD_FAILURES, MC_KEY_ARCHIVED};
  assert(count > 0 && count <= MC_MOVE_BATCH);
  mc_args *args = call_begin(call, plans[move].script);
  add_keys(args, source->queue, keys, plans[move].key_count);
  add_prefix(args, source->queue, mc_key_task_prefix);
  add_prefix(args, source->queue, mc_key_queue_prefix);
  add_prefix(args, source->queue, mc_key_group_prefix);
  mc_args_add_text(args, source->found_in == MC_TASK_STATES ? "" : mc_state_name(source->found_in));
  mc_args_add(args, source->group);
  plans[move].add_time(args, now_ns);
  for (size_t i = 0; i < count; i++)
    mc_args_add(args, ids[i]);
}

int mc_moved_at(const mc_value *reply, size_t i, mc_moved *out) {
  int64_t answer;
  int code = mc_verdict_read(mc_value_item(reply, i), MC_MOVE_CHANGED, MC_MOVED, &answer, NULL);
  if (code == 0)
    *out = (mc_moved)answer;
  return code;
}

/* ---- the rest ---- */

void mc_call_update_task(mc_call *call, mc_slice queue, mc_slice id, mc_slice old_message, mc_slice new_message,
                         mc_slice old_lock, mc_slice new_lock) {
  mc_args *args = call_begin(call, &mc_server_script_update_task);
  mc_key_task(&args->bytes, queue, id);
  mc_args_end(args);
  mc_args_add(args, id);
  mc_args_add(args, old_message);
  mc_args_add(args, new_message);
  mc_args_add(args, new_lock);
  add_prefix(args, queue, mc_key_group_prefix);
  mc_args_add(args, old_lock);
}

void mc_call_remove_queue(mc_call *call, mc_slice queue) {
  static const mc_queue_key keys[] = {
      MC_KEY_PENDING,  MC_KEY_ACTIVE,    MC_KEY_LEASE,        MC_KEY_SCHEDULED,        MC_KEY_RETRY,
      MC_KEY_ARCHIVED, MC_KEY_COMPLETED, MC_KEY_GROUPS,       MC_KEY_AGGREGATION_SETS, MC_KEY_PAUSED,
      MC_KEY_LIMITS,   MC_KEY_RATE,      MC_KEY_FOLD_FAILURES};
  mc_args *args = call_begin(call, &mc_server_script_remove_queue);
  add_keys(args, queue, keys, MC_COUNT(keys));
  add_prefix(args, queue, mc_key_group_prefix);
}

void mc_queue_filled(mc_args *args, mc_slice queue) {
  static const mc_queue_key keys[] = {MC_KEY_PENDING, MC_KEY_ACTIVE, MC_KEY_SCHEDULED,
                                      MC_KEY_RETRY,   MC_KEY_GROUPS, MC_KEY_AGGREGATION_SETS};
  mc_args_add_text(args, "EXISTS");
  add_keys(args, queue, keys, MC_COUNT(keys));
}

int mc_verdict_read(const mc_value *reply, int64_t low, int64_t high, int64_t *out, mc_err *err) {
  int64_t answer;
  if (reply && reply->kind == MC_VALUE_ERROR)
    return mc_fail(err, MC_ESERVER, "Redis answered: %.*s", MC_SLICE_PRINT(reply->text));
  if (!reply || mc_value_integer(reply, &answer) || answer < low || answer > high)
    return refuse_shape(err);
  *out = answer;
  return 0;
}
