/* What a caller is told of a task: see task_info.h. */
#include "client/task_info.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "protocol/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One task being told. */
struct telling {
  mooncrew_task_info *out;
  mc_memory *memory;
  const mc_task_record *record;
};

static void tell_message(const struct telling *telling);
static void tell_place(const struct telling *telling, mc_task_state state);
static void tell_result(const struct telling *telling);
static void tell_crash(const struct telling *telling);
static void tell_extra(const struct telling *telling);
static void tell_problem(const struct telling *telling, const char *text);

void mc_task_info_fill(mooncrew_task_info *out, mc_memory *memory, mc_slice queue, mc_task_state state,
                       const mc_task_record *record) {
  struct telling telling = {out, memory, record};
  *out = (mooncrew_task_info){
      .id = mc_memory_text(memory, record->id),
      .queue = mc_memory_text(memory, queue),
      .state = state == MC_TASK_STATES ? "unknown" : mc_state_name(state),
  };
  tell_place(&telling, state);
  if (record->fields->count == 0) {
    tell_problem(&telling, "there is no task with this id, though it stands here");
    return;
  }
  tell_message(&telling);
  tell_result(&telling);
  tell_crash(&telling);
  tell_extra(&telling);
  if (!out->problem && (state == MC_TASK_STATES || mc_task_record_state(record) != state))
    tell_problem(&telling, "the state that its hash names is another one, or none");
}

mc_task_state mc_task_record_state(const mc_task_record *record) {
  mc_task_state state = MC_TASK_STATES;
  mc_slice name;
  if (mc_task_record_field(record, "state", &name))
    mc_state_find(name, &state);
  return state;
}

static void tell_problem(const struct telling *telling, const char *text) {
  telling->out->problem = mc_memory_text(telling->memory, mc_slice_of(text));
}

/* ---- the message ---- */

static void *copy_bytes(mc_memory *memory, mc_slice bytes) {
  return bytes.size ? mc_memory_text(memory, bytes) : NULL;
}

static const mooncrew_header *copy_headers(mc_memory *memory, const mc_message *message) {
  mooncrew_header *headers = mc_memory_take(memory, message->header_count, sizeof *headers);
  for (size_t i = 0; i < message->header_count; i++)
    headers[i] = (mooncrew_header){
        .name = mc_memory_text(memory, message->headers[i].name),
        .value = mc_memory_text(memory, message->headers[i].value),
    };
  return headers;
}

static void copy_message(mooncrew_task_info *out, mc_memory *memory, const mc_message *message) {
  out->type = mc_memory_text(memory, message->type);
  out->payload = copy_bytes(memory, message->payload);
  out->payload_size = message->payload.size;
  out->max_retry = message->max_retry;
  out->retried = message->retried;
  out->last_error = mc_memory_text_or_null(memory, message->error_msg);
  out->last_failed_at_s = message->last_failed_at_s;
  out->timeout_s = message->timeout_s;
  out->deadline_s = message->deadline_s;
  out->unique_key = mc_memory_text_or_null(memory, message->unique_key);
  out->retention_s = message->retention_s;
  out->completed_at_s = message->completed_at_s;
  out->group = mc_memory_text_or_null(memory, message->group_key);
  out->headers = copy_headers(memory, message);
  out->header_count = message->header_count;
}

static void tell_message(const struct telling *telling) {
  mc_message_box box;
  mc_slice bytes;
  mc_err err;
  if (!mc_task_record_field(telling->record, "msg", &bytes)) {
    tell_problem(telling, "it has no message");
  } else if (mc_message_decode(bytes, &box, &err)) {
    tell_problem(telling, err.text);
  } else {
    copy_message(telling->out, telling->memory, &box.message);
    mc_message_free(&box);
  }
}

/* ---- what depends on the state ---- */

/* Scores of ours are whole seconds; what else may stand there is cut to something that can be shown. */
static int64_t seconds_of(mc_slice score) {
  char text[40];
  snprintf(text, sizeof text, "%.*s", MC_SLICE_PRINT(score));
  double value = strtod(text, NULL);
  return value > 0 && value < 9e15 ? (int64_t)value : 0;
}

static int64_t pending_since_ns(const mc_task_record *record) {
  mc_slice text = {0};
  int64_t since = 0;
  mc_task_record_field(record, "pending_since", &text);
  const mc_value value = {.kind = MC_VALUE_STRING, .text = text};
  mc_value_integer(&value, &since);
  return since;
}

static void tell_place(const struct telling *telling, mc_task_state state) {
  mooncrew_task_info *out = telling->out;
  int64_t score_s = seconds_of(telling->record->score);
  if (state == MC_TASK_SCHEDULED || state == MC_TASK_RETRY)
    out->next_process_at_s = score_s;
  if (state == MC_TASK_ARCHIVED)
    out->archived_at_s = score_s;
  if (state == MC_TASK_COMPLETED)
    out->expires_at_s = score_s;
  if (state == MC_TASK_ACTIVE) {
    out->lease_expires_s = score_s;
    out->orphaned = score_s > 0 && score_s <= mc_clock_wall_s();
  }
  if (state == MC_TASK_PENDING) {
    out->next_process_at_s = mc_clock_wall_s();
    out->pending_since_ns = pending_since_ns(telling->record);
  }
}

static void tell_result(const struct telling *telling) {
  mc_slice result;
  if (!mc_task_record_field(telling->record, "result", &result))
    return;
  telling->out->result = mc_memory_text(telling->memory, result);
  telling->out->result_size = result.size;
}

/* ---- what asynq does not know ---- */

static bool is_asynqs(const mc_value *name) {
  static const char *const names[] = {"msg", "state", "pending_since", "unique_key", "group", "result"};
  for (size_t i = 0; i < MC_COUNT(names); i++)
    if (mc_value_is_text(name, names[i]))
      return true;
  return false;
}

static char *copy_clean(mc_memory *memory, mc_slice text) {
  mc_buf clean = {0};
  if (mc_utf8_clean(text))
    return mc_memory_text(memory, text);
  mc_utf8_sanitize(text, 4 * text.size + 4, &clean);
  char *copy = mc_memory_text(memory, mc_buf_slice(&clean));
  mc_buf_deinit(&clean);
  return copy;
}

/* mc_last_crash: "<unix s> <why>". Whatever else stands there is told as if it had no time. */
static void tell_crash(const struct telling *telling) {
  mc_slice field, reason;
  if (!mc_task_record_field(telling->record, "mc_last_crash", &field))
    return;
  const char *space = field.size ? memchr(field.data, ' ', field.size) : NULL;
  size_t digits = space ? (size_t)(space - field.data) : 0;
  const mc_value time = {.kind = MC_VALUE_STRING, .text = {field.data, digits}};
  bool has_time = digits && mc_value_integer(&time, &telling->out->last_crash_at_s) == 0;
  reason = has_time ? (mc_slice){space + 1, field.size - digits - 1} : field;
  telling->out->last_crash = copy_clean(telling->memory, reason);
}

static void tell_extra(const struct telling *telling) {
  const mc_value *fields = telling->record->fields;
  mooncrew_header *extra = mc_memory_take(telling->memory, fields->count / 2, sizeof *extra);
  telling->out->extra = extra;
  for (size_t i = 0; i + 1 < fields->count; i += 2) {
    if (is_asynqs(fields->items[i]) || mc_value_is_text(fields->items[i], "mc_last_crash"))
      continue;
    extra[telling->out->extra_count++] = (mooncrew_header){
        .name = copy_clean(telling->memory, fields->items[i]->text),
        .value = copy_clean(telling->memory, fields->items[i + 1]->text),
    };
  }
}
