/* Enqueueing: see enqueue.h. */
#include "protocol/enqueue.h"

#include <assert.h>

#include "base/mem.h"
#include "base/queue_name.h"
#include "base/utf8.h"
#include "protocol/keys.h"
#include "protocol/scripts.h"

/* Longer durations and later times are refused: Redis would refuse such a TTL too, but in the middle of a batch. */
#define DURATION_MAX_MS INT64_C(3155760000000) /* a hundred years */
#define TIME_MAX_S INT64_C(253402300799)       /* the end of the year 9999 */

#define VALUE_MAX (512u << 20) /* bytes: what Redis takes, unless its proto-max-bulk-len says otherwise */
#define MESSAGE_ROOM 65536     /* for numbers, the lock's name, and the text of an error later on */
#define HEADER_ROOM 32         /* lengths and tags */

/* What the enqueue script answers per task. */
enum { ANSWER_ACCEPTED = 1, ANSWER_CONFLICT = 0, ANSWER_DUPLICATE = -1, ANSWER_DUPLICATE_OF_ITSELF = -2 };

static int check_texts(const mc_enqueue_options *options, mc_err *err);
static int check_size(const mc_enqueue_options *options, mc_err *err);
static int check_numbers(const mc_enqueue_options *options, mc_err *err);
static void fill_message(mc_message *message, const mc_enqueue_options *options, mc_slice id);
static int64_t unique_ttl_s(const mc_enqueue_options *options, bool scheduled, int64_t now_ms);
static void lay_out(mc_enqueue *out, const mc_message *message);

static int64_t ceil_s(int64_t ms) {
  return ms / 1000 + (ms % 1000 > 0);
}

void mc_enqueue_options_init(mc_enqueue_options *options) {
  *options = (mc_enqueue_options){
      .max_retry = MC_DEFAULT_MAX_RETRY,
      .timeout_ms = -1,
      .deadline_s = -1,
      .unique_ms = -1,
      .process_at_ms = -1,
  };
}

int mc_enqueue_init(mc_enqueue *out, const mc_enqueue_options *options, int64_t now_ms, mc_err *err) {
  char uuid[MC_UUID_SIZE];
  mc_buf key = {0};
  mc_message message;
  bool scheduled = options->process_at_ms > now_ms;
  int code;
  if ((code = check_texts(options, err)) != 0 || (code = check_numbers(options, err)) != 0 ||
      (code = check_size(options, err)) != 0)
    return code;
  if (!options->has_id)
    mc_random_uuid(uuid);
  fill_message(&message, options, options->has_id ? options->id : mc_slice_of(uuid));
  if (options->unique_ms >= 0) {
    /* No payload and an empty one are the same on the wire; they take the lock of Go's nil payload, whoever asks. */
    code = mc_key_unique(&key, message.queue, message.type, message.payload.size ? message.payload : (mc_slice){0});
    if (code != 0) {
      mc_fail(err, code, "unique: OpenSSL has no MD5 here (FIPS mode?), and the lock's name is made of it");
      goto done;
    }
    message.unique_key = mc_buf_slice(&key);
  }
  *out = (mc_enqueue){
      .kind = scheduled                ? MC_ENQUEUE_SCHEDULED
              : message.group_key.size ? MC_ENQUEUE_GROUP
                                       : MC_ENQUEUE_PENDING,
      .process_at_s = scheduled ? ceil_s(options->process_at_ms) : 0,
      .unique_ttl_s = options->unique_ms >= 0 ? unique_ttl_s(options, scheduled, now_ms) : 0,
      .id_is_callers = options->has_id,
  };
  lay_out(out, &message);
done:
  mc_buf_deinit(&key);
  return code;
}

void mc_enqueue_deinit(mc_enqueue *enqueue) {
  mc_buf_deinit(&enqueue->bytes);
  *enqueue = (mc_enqueue){0};
}

void mc_enqueue_add(mc_args *args, const mc_enqueue *task, int64_t now_ns) {
  static const char *const states[] = {
      [MC_ENQUEUE_PENDING] = "pending",
      [MC_ENQUEUE_SCHEDULED] = "scheduled",
      [MC_ENQUEUE_GROUP] = "aggregating",
  };
  mc_args_add_text(args, states[task->kind]);
  mc_args_add(args, task->id);
  mc_args_add(args, task->message);
  mc_args_add(args, task->unique_key);
  mc_args_add_int(args, task->unique_ttl_s);
  switch (task->kind) {
  case MC_ENQUEUE_PENDING:
    mc_args_add_int(args, now_ns);
    break;
  case MC_ENQUEUE_SCHEDULED:
    mc_args_add_int(args, task->process_at_s);
    break;
  case MC_ENQUEUE_GROUP:
    mc_args_add(args, task->group);
    break;
  }
}

void mc_call_enqueue(mc_call *call, const mc_enqueue *const *tasks, size_t count, int64_t now_ns) {
  static const mc_queue_key keys[] = {MC_KEY_PENDING, MC_KEY_SCHEDULED, MC_KEY_GROUPS};
  assert(count > 0 && count <= MC_ENQUEUE_BATCH);
  mc_args *args = &call->args;
  mc_slice queue = tasks[0]->queue;
  call->script = &mc_server_script_enqueue;
  mc_args_clear(args);
  for (size_t i = 0; i < MC_COUNT(keys); i++) {
    mc_key_queue_arg(args, queue, keys[i]);
  }
  mc_key_task_prefix_arg(args, queue);
  mc_key_group_prefix_arg(args, queue);
  mc_args_add_int(args, now_ns / 1000000000);
  for (size_t i = 0; i < count; i++)
    mc_enqueue_add(args, tasks[i], now_ns);
}

int mc_enqueue_answer(const mc_value *reply, size_t i, const mc_enqueue *task, bool resent) {
  const mc_value *answer = reply && reply->kind == MC_VALUE_ERROR ? reply : mc_value_item(reply, i);
  if (!answer)
    return MC_EMALFORMED;
  if (answer->kind == MC_VALUE_ERROR)
    return MC_ESERVER;
  if (answer->kind != MC_VALUE_INTEGER)
    return MC_EMALFORMED;
  /* What this very task met when it was sent again is most likely itself, accepted the first time. */
  int met_itself = task->id_is_callers ? MC_EUNKNOWN : 0;
  switch (answer->integer) {
  case ANSWER_ACCEPTED:
    return 0;
  case ANSWER_CONFLICT:
    return resent ? met_itself : MC_ECONFLICT;
  case ANSWER_DUPLICATE:
    return MC_EDUPLICATE;
  case ANSWER_DUPLICATE_OF_ITSELF:
    return resent ? met_itself : MC_EDUPLICATE;
  default:
    return MC_EMALFORMED;
  }
}

static int check_texts(const mc_enqueue_options *options, mc_err *err) {
  const struct {
    const char *name;
    mc_slice text;
    bool needed;
  } fields[] = {
      {"type", options->type, true},
      {"queue", options->queue, options->has_queue},
      {"task_id", options->id, options->has_id},
      {"group", options->group, options->has_group},
  };
  for (size_t i = 0; i < MC_COUNT(fields); i++) {
    if (fields[i].needed && mc_text_is_blank(fields[i].text))
      return mc_fail(err, MC_EINVALID, "%s is blank: give it a name, or leave it out where that is allowed",
                     fields[i].name);
    if (!mc_utf8_clean(fields[i].text))
      return mc_fail(err, MC_EINVALID, "%s is not UTF-8 text without NUL: give it one that is", fields[i].name);
  }
  if (options->has_queue && !mc_queue_name_usable(options->queue))
    return mc_fail(err, MC_EINVALID, "queue is no queue name: " MC_QUEUE_NAME_RULE);
  for (size_t i = 0; i < options->header_count; i++)
    if (!mc_utf8_clean(options->headers[i].name) || !mc_utf8_clean(options->headers[i].value))
      return mc_fail(err, MC_EINVALID, "headers: name or value %zu is not UTF-8 text without NUL: encode it as text",
                     i + 1);
  return 0;
}

/* Redis ends the connection of who sends it a larger value, which others' commands would share. */
static int check_size(const mc_enqueue_options *options, mc_err *err) {
  size_t size = options->type.size + options->payload.size + options->queue.size + options->id.size +
                options->group.size + MESSAGE_ROOM;
  for (size_t i = 0; i < options->header_count; i++)
    size += options->headers[i].name.size + options->headers[i].value.size + HEADER_ROOM;
  if (size > VALUE_MAX)
    return mc_fail(err, MC_EINVALID,
                   "payload and headers take %zu bytes, and Redis holds less than %u MB of them: store the payload "
                   "elsewhere and hand on where it is",
                   size - MESSAGE_ROOM, VALUE_MAX >> 20);
  return 0;
}

static int check_numbers(const mc_enqueue_options *options, mc_err *err) {
  const struct {
    const char *name;
    int64_t value, none, min, max;
    const char *wanted;
  } fields[] = {
      {"timeout", options->timeout_ms, -1, 0, DURATION_MAX_MS, "0 (none) or a duration of at most a hundred years"},
      {"deadline", options->deadline_s, -1, 0, TIME_MAX_S, "a unix time in seconds, before the year 10000"},
      {"unique", options->unique_ms, -1, 1000, DURATION_MAX_MS, "a duration from one second to a hundred years"},
      {"process_at", options->process_at_ms, -1, INT64_MIN, TIME_MAX_S * 1000, "a time before the year 10000"},
      {"retention", options->retention_ms, 0, 0, DURATION_MAX_MS, "0 (none) or a duration of at most a hundred years"},
  };
  for (size_t i = 0; i < MC_COUNT(fields); i++)
    if (fields[i].value != fields[i].none && (fields[i].value < fields[i].min || fields[i].value > fields[i].max))
      return mc_fail(err, MC_EINVALID, "%s is out of range (%lld): give %s", fields[i].name, (long long)fields[i].value,
                     fields[i].wanted);
  return 0;
}

static void fill_message(mc_message *message, const mc_enqueue_options *options, mc_slice id) {
  int64_t deadline_s = options->deadline_s > 0 ? options->deadline_s : 0;
  *message = (mc_message){
      .type = options->type,
      .payload = options->payload,
      .id = id,
      .queue = options->queue.size ? options->queue : mc_slice_of(MC_DEFAULT_QUEUE),
      .max_retry = options->max_retry > 0 ? options->max_retry : 0,
      .timeout_s = options->timeout_ms >= 0 ? ceil_s(options->timeout_ms)
                   : deadline_s             ? 0
                                            : MC_DEFAULT_TIMEOUT_S,
      .deadline_s = deadline_s,
      .retention_s = ceil_s(options->retention_ms),
      .group_key = options->group,
      .headers = options->headers,
      .header_count = options->header_count,
  };
}

/* The lock of a scheduled task also lasts while it waits. */
static int64_t unique_ttl_s(const mc_enqueue_options *options, bool scheduled, int64_t now_ms) {
  return ceil_s(options->unique_ms + (scheduled ? options->process_at_ms - now_ms : 0));
}

/* Copies the texts and the encoded message into out->bytes, and points the slices there. */
static void lay_out(mc_enqueue *out, const mc_message *message) {
  const mc_slice texts[] = {message->id, message->queue, message->type, message->group_key, message->unique_key};
  mc_slice *const places[] = {&out->id, &out->queue, &out->type, &out->group, &out->unique_key};
  for (size_t i = 0; i < MC_COUNT(texts); i++)
    mc_buf_add_slice(&out->bytes, texts[i]);
  mc_message_encode(message, &out->bytes);
  const char *at = out->bytes.data;
  for (size_t i = 0; i < MC_COUNT(texts); at += texts[i].size, i++)
    *places[i] = (mc_slice){at, texts[i].size};
  out->message = (mc_slice){at, out->bytes.size - (size_t)(at - out->bytes.data)};
}
