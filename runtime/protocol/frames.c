/* The frames between supervisor and worker: see frames.h.
 *
 * Every encoder is: begin a frame, put its fields in order, end it (which fills in the size). Every decoder is: a
 * cursor over the body, the same fields in the same order, and one check at the end. A cursor that runs out of bytes
 * remembers it and gives zeroes from then on, so that decoders need no check per field. Bytes left over are an error
 * too: then the two ends do not mean the same layout.
 */
#include "protocol/frames.h"

#include "base/mem.h"

#include <stdlib.h>

#define COMPACT_AT_BYTES 65536 /* what was read is moved away once so much of it has gathered */
#define KEEP_BYTES (1u << 20)  /* a larger buffer gives its memory back once it is empty */

/* ---- numbers and texts out ---- */

static void put_u32(mc_buf *out, uint32_t number) {
  char *at = mc_buf_reserve(out, 4);
  for (int i = 0; i < 4; i++)
    at[i] = (char)(number >> (8 * i));
  out->size += 4;
}

static void put_u64(mc_buf *out, uint64_t number) {
  put_u32(out, (uint32_t)number);
  put_u32(out, (uint32_t)(number >> 32));
}

static void put_slice(mc_buf *out, mc_slice slice) {
  put_u32(out, (uint32_t)slice.size);
  mc_buf_add_slice(out, slice);
}

static void put_headers(mc_buf *out, const mc_header *headers, size_t count) {
  put_u32(out, (uint32_t)count);
  for (size_t i = 0; i < count; i++) {
    put_slice(out, headers[i].name);
    put_slice(out, headers[i].value);
  }
}

static void put_options(mc_buf *out, const mc_enqueue_options *options) {
  put_slice(out, options->type);
  put_slice(out, options->payload);
  put_slice(out, options->queue);
  put_slice(out, options->id);
  put_slice(out, options->group);
  put_u32(out, options->has_id);
  put_u32(out, options->has_queue);
  put_u32(out, options->has_group);
  put_u32(out, (uint32_t)options->max_retry);
  put_u64(out, (uint64_t)options->timeout_ms);
  put_u64(out, (uint64_t)options->deadline_s);
  put_u64(out, (uint64_t)options->unique_ms);
  put_u64(out, (uint64_t)options->process_at_ms);
  put_u64(out, (uint64_t)options->retention_ms);
  put_headers(out, options->headers, options->header_count);
}

/* The offset of the new frame, for frame_end. */
static size_t frame_begin(mc_buf *out, mc_frame_type type) {
  size_t start = out->size;
  put_u32(out, 0);
  mc_buf_add(out, (char[]){MC_FRAME_VERSION, (char)type, 0, 0}, 4);
  return start;
}

static void frame_end(mc_buf *out, size_t start) {
  uint32_t size = (uint32_t)(out->size - start - MC_FRAME_HEAD_SIZE);
  for (int i = 0; i < 4; i++)
    out->data[start + (size_t)i] = (char)(size >> (8 * i));
}

/* ---- numbers and texts in ---- */

typedef struct cursor {
  const unsigned char *at;
  size_t left;
  bool failed;
} cursor;

static cursor cursor_over(mc_slice body) {
  return (cursor){(const unsigned char *)body.data, body.size, false};
}

/* The next size bytes, or NULL (and the cursor has failed). */
static const unsigned char *take_bytes(cursor *in, size_t size) {
  if (in->failed || in->left < size) {
    in->failed = true;
    return NULL;
  }
  const unsigned char *bytes = in->at;
  in->at += size;
  in->left -= size;
  return bytes;
}

static uint32_t read_u32(const unsigned char *at) {
  return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint32_t take_u32(cursor *in) {
  const unsigned char *at = take_bytes(in, 4);
  return at ? read_u32(at) : 0;
}

static uint64_t take_u64(cursor *in) {
  uint64_t low = take_u32(in);
  return low | (uint64_t)take_u32(in) << 32;
}

static bool take_bool(cursor *in) {
  uint32_t value = take_u32(in);
  in->failed = in->failed || value > 1;
  return value == 1;
}

static mc_slice take_slice(cursor *in) {
  uint32_t size = take_u32(in);
  const unsigned char *bytes = take_bytes(in, size);
  return bytes ? (mc_slice){(const char *)bytes, size} : (mc_slice){0};
}

/* A count of items that take at least 8 bytes each, so that a wrong one cannot make us allocate without bound. */
static size_t take_count(cursor *in) {
  size_t count = take_u32(in);
  in->failed = in->failed || count > in->left / 8;
  return in->failed ? 0 : count;
}

/* NULL when there are none. */
static mc_header *take_headers(cursor *in, size_t *out_count) {
  size_t count = take_count(in);
  mc_header *headers = count ? mc_alloc(count * sizeof *headers) : NULL;
  for (size_t i = 0; i < count; i++) {
    headers[i].name = take_slice(in);
    headers[i].value = take_slice(in);
  }
  *out_count = count;
  return headers;
}

/* Its headers are allocated, NULL when there are none. */
static mc_enqueue_options take_options(cursor *in) {
  mc_enqueue_options options = {0};
  options.type = take_slice(in);
  options.payload = take_slice(in);
  options.queue = take_slice(in);
  options.id = take_slice(in);
  options.group = take_slice(in);
  options.has_id = take_bool(in);
  options.has_queue = take_bool(in);
  options.has_group = take_bool(in);
  options.max_retry = (int32_t)take_u32(in);
  options.timeout_ms = (int64_t)take_u64(in);
  options.deadline_s = (int64_t)take_u64(in);
  options.unique_ms = (int64_t)take_u64(in);
  options.process_at_ms = (int64_t)take_u64(in);
  options.retention_ms = (int64_t)take_u64(in);
  options.headers = take_headers(in, &options.header_count);
  return options;
}

/* True when all was there and nothing is left. */
static bool cursor_done(const cursor *in) {
  return !in->failed && in->left == 0;
}

/* ---- the reader ---- */

static bool type_known(int type) {
  return (type >= MC_FRAME_SETTINGS && type <= MC_FRAME_FOLD) || (type >= MC_FRAME_READY && type <= MC_FRAME_PROGRESS);
}

void mc_frame_reader_feed(mc_frame_reader *reader, const char *bytes, size_t size) {
  if (reader->at == reader->bytes.size || reader->at >= COMPACT_AT_BYTES) {
    mc_buf_consume(&reader->bytes, reader->at);
    reader->at = 0;
    if (reader->bytes.size == 0 && reader->bytes.capacity > KEEP_BYTES)
      mc_buf_deinit(&reader->bytes);
  }
  mc_buf_add(&reader->bytes, bytes, size);
}

int mc_frame_reader_next(mc_frame_reader *reader, mc_frame *out, mc_err *err) {
  size_t left = reader->bytes.size - reader->at;
  if (left < MC_FRAME_HEAD_SIZE)
    return 0;
  const unsigned char *head = (const unsigned char *)reader->bytes.data + reader->at;
  uint32_t size = read_u32(head);
  int version = head[4], type = head[5];
  if (version != MC_FRAME_VERSION)
    return mc_fail(err, MC_EMALFORMED, "a frame of version %d where %d is spoken: both ends must be the same binary",
                   version, MC_FRAME_VERSION);
  if (size > MC_FRAME_MAX_BODY || !type_known(type) || head[6] || head[7])
    return mc_fail(err, MC_EMALFORMED, "a malformed frame: type %d, %u bytes", type, size);
  if (left - MC_FRAME_HEAD_SIZE < size)
    return 0;
  *out = (mc_frame){(mc_frame_type)type, {(const char *)head + MC_FRAME_HEAD_SIZE, size}};
  reader->at += MC_FRAME_HEAD_SIZE + size;
  return 1;
}

void mc_frame_reader_deinit(mc_frame_reader *reader) {
  mc_buf_deinit(&reader->bytes);
  reader->at = 0;
}

/* ---- supervisor → worker ---- */

void mc_frame_settings_encode(mc_buf *out, const mc_frame_settings *settings) {
  size_t start = frame_begin(out, MC_FRAME_SETTINGS);
  put_slice(out, settings->scripts);
  put_u32(out, settings->worker);
  put_u32(out, settings->concurrency);
  put_u32(out, settings->load_timeout_ms);
  put_slice(out, settings->log_level);
  put_slice(out, settings->log_format);
  put_slice(out, settings->lua_path);
  frame_end(out, start);
}

int mc_frame_settings_decode(mc_slice body, mc_frame_settings *out) {
  cursor in = cursor_over(body);
  mc_frame_settings settings = {0};
  settings.scripts = take_slice(&in);
  settings.worker = take_u32(&in);
  settings.concurrency = take_u32(&in);
  settings.load_timeout_ms = take_u32(&in);
  settings.log_level = take_slice(&in);
  settings.log_format = take_slice(&in);
  settings.lua_path = take_slice(&in);
  if (!cursor_done(&in))
    return MC_EMALFORMED;
  *out = settings;
  return 0;
}

void mc_frame_task_encode(mc_buf *out, const mc_frame_task *task) {
  size_t start = frame_begin(out, MC_FRAME_TASK);
  put_u64(out, task->attempt);
  put_slice(out, task->id);
  put_slice(out, task->type);
  put_slice(out, task->queue);
  put_slice(out, task->payload);
  put_u32(out, (uint32_t)task->retried);
  put_u32(out, (uint32_t)task->max_retry);
  put_u64(out, (uint64_t)task->timeout_ms);
  put_u64(out, (uint64_t)task->deadline_ms);
  put_headers(out, task->headers, task->header_count);
  frame_end(out, start);
}

int mc_frame_task_decode(mc_slice body, mc_frame_task *out) {
  cursor in = cursor_over(body);
  mc_frame_task task = {0};
  task.attempt = take_u64(&in);
  task.id = take_slice(&in);
  task.type = take_slice(&in);
  task.queue = take_slice(&in);
  task.payload = take_slice(&in);
  task.retried = (int32_t)take_u32(&in);
  task.max_retry = (int32_t)take_u32(&in);
  task.timeout_ms = (int64_t)take_u64(&in);
  task.deadline_ms = (int64_t)take_u64(&in);
  mc_header *headers = take_headers(&in, &task.header_count);
  if (!cursor_done(&in)) {
    free(headers);
    return MC_EMALFORMED;
  }
  task.headers = headers;
  *out = task;
  return 0;
}

void mc_frame_cancel_encode(mc_buf *out, const mc_frame_attempt *cancel) {
  size_t start = frame_begin(out, MC_FRAME_CANCEL);
  put_u64(out, cancel->attempt);
  frame_end(out, start);
}

int mc_frame_cancel_decode(mc_slice body, mc_frame_attempt *out) {
  cursor in = cursor_over(body);
  uint64_t attempt = take_u64(&in);
  if (!cursor_done(&in))
    return MC_EMALFORMED;
  out->attempt = attempt;
  return 0;
}

void mc_frame_drain_encode(mc_buf *out) {
  frame_end(out, frame_begin(out, MC_FRAME_DRAIN));
}

void mc_frame_enqueued_encode(mc_buf *out, const mc_frame_enqueued *enqueued) {
  size_t start = frame_begin(out, MC_FRAME_ENQUEUED);
  put_u64(out, enqueued->request);
  put_u32(out, (uint32_t)enqueued->code);
  put_slice(out, enqueued->id);
  put_slice(out, enqueued->message);
  put_u64(out, (uint64_t)enqueued->process_at_s);
  frame_end(out, start);
}

int mc_frame_enqueued_decode(mc_slice body, mc_frame_enqueued *out) {
  cursor in = cursor_over(body);
  mc_frame_enqueued enqueued = {0};
  enqueued.request = take_u64(&in);
  enqueued.code = (int32_t)take_u32(&in);
  enqueued.id = take_slice(&in);
  enqueued.message = take_slice(&in);
  enqueued.process_at_s = (int64_t)take_u64(&in);
  if (!cursor_done(&in))
    return MC_EMALFORMED;
  *out = enqueued;
  return 0;
}

void mc_frame_fold_encode(mc_buf *out, const mc_frame_fold *fold) {
  size_t start = frame_begin(out, MC_FRAME_FOLD);
  put_u64(out, fold->attempt);
  put_slice(out, fold->rule_queue);
  put_slice(out, fold->pattern);
  put_slice(out, fold->queue);
  put_slice(out, fold->group);
  put_u64(out, (uint64_t)fold->timeout_ms);
  put_u32(out, (uint32_t)fold->count);
  for (size_t i = 0; i < fold->count; i++) {
    put_slice(out, fold->tasks[i].id);
    put_slice(out, fold->tasks[i].type);
    put_slice(out, fold->tasks[i].payload);
    put_headers(out, fold->tasks[i].headers, fold->tasks[i].header_count);
  }
  frame_end(out, start);
}

int mc_frame_fold_decode(mc_slice body, mc_frame_fold *out) {
  cursor in = cursor_over(body);
  mc_frame_fold fold = {0};
  fold.attempt = take_u64(&in);
  fold.rule_queue = take_slice(&in);
  fold.pattern = take_slice(&in);
  fold.queue = take_slice(&in);
  fold.group = take_slice(&in);
  fold.timeout_ms = (int64_t)take_u64(&in);
  fold.count = take_count(&in);
  mc_frame_fold_task *tasks = fold.count ? mc_zalloc(fold.count * sizeof *tasks) : NULL;
  for (size_t i = 0; i < fold.count; i++) {
    tasks[i].id = take_slice(&in);
    tasks[i].type = take_slice(&in);
    tasks[i].payload = take_slice(&in);
    tasks[i].headers = take_headers(&in, &tasks[i].header_count);
  }
  fold.tasks = tasks;
  if (!cursor_done(&in)) {
    mc_frame_fold_free(&fold);
    return MC_EMALFORMED;
  }
  *out = fold;
  return 0;
}

void mc_frame_fold_free(mc_frame_fold *fold) {
  for (size_t i = 0; i < fold->count; i++)
    free((void *)fold->tasks[i].headers);
  free((void *)fold->tasks);
  fold->tasks = NULL;
  fold->count = 0;
}

void mc_frame_token_encode(mc_buf *out, mc_frame_type type, const mc_frame_token *token) {
  size_t start = frame_begin(out, type);
  put_u64(out, token->token);
  frame_end(out, start);
}

int mc_frame_token_decode(mc_slice body, mc_frame_token *out) {
  cursor in = cursor_over(body);
  uint64_t token = take_u64(&in);
  if (!cursor_done(&in))
    return MC_EMALFORMED;
  out->token = token;
  return 0;
}

/* ---- worker → supervisor ---- */

static void put_cron(mc_buf *out, const mc_cron_entry *entries, size_t count) {
  put_u32(out, (uint32_t)count);
  for (size_t i = 0; i < count; i++) {
    put_slice(out, entries[i].id);
    put_slice(out, entries[i].spec);
    put_slice(out, entries[i].source);
    put_u32(out, entries[i].missed);
    put_u64(out, (uint64_t)entries[i].process_in_ms);
    put_options(out, &entries[i].options);
  }
}

static mc_cron_entry *take_cron(cursor *in, size_t *out_count) {
  size_t count = take_count(in);
  mc_cron_entry *entries = count ? mc_zalloc(count * sizeof *entries) : NULL;
  for (size_t i = 0; i < count; i++) {
    entries[i].id = take_slice(in);
    entries[i].spec = take_slice(in);
    entries[i].source = take_slice(in);
    entries[i].missed = take_bool(in) ? MC_CRON_LATEST : MC_CRON_SKIP;
    entries[i].process_in_ms = (int64_t)take_u64(in);
    entries[i].options = take_options(in);
  }
  *out_count = count;
  return entries;
}

static void put_rules(mc_buf *out, const mc_frame_group_rule *rules, size_t count) {
  put_u32(out, (uint32_t)count);
  for (size_t i = 0; i < count; i++) {
    put_slice(out, rules[i].queue);
    put_slice(out, rules[i].pattern);
    put_u64(out, (uint64_t)rules[i].grace_s);
    put_u64(out, (uint64_t)rules[i].max_delay_s);
    put_u32(out, rules[i].max_size);
    put_u64(out, (uint64_t)rules[i].timeout_ms);
  }
}

static mc_frame_group_rule *take_rules(cursor *in, size_t *out_count) {
  size_t count = take_count(in);
  mc_frame_group_rule *rules = count ? mc_alloc(count * sizeof *rules) : NULL;
  for (size_t i = 0; i < count; i++) {
    rules[i].queue = take_slice(in);
    rules[i].pattern = take_slice(in);
    rules[i].grace_s = (int64_t)take_u64(in);
    rules[i].max_delay_s = (int64_t)take_u64(in);
    rules[i].max_size = take_u32(in);
    rules[i].timeout_ms = (int64_t)take_u64(in);
  }
  *out_count = count;
  return rules;
}

void mc_frame_ready_encode(mc_buf *out, const mc_frame_ready *ready) {
  size_t start = frame_begin(out, MC_FRAME_READY);
  put_u32(out, (uint32_t)ready->count);
  for (size_t i = 0; i < ready->count; i++) {
    put_slice(out, ready->entries[i].type);
    put_slice(out, ready->entries[i].queue);
  }
  put_cron(out, ready->cron, ready->cron_count);
  put_rules(out, ready->rules, ready->rule_count);
  frame_end(out, start);
}

int mc_frame_ready_decode(mc_slice body, mc_frame_ready *out) {
  cursor in = cursor_over(body);
  mc_frame_ready ready = {0};
  ready.count = take_count(&in);
  mc_frame_manifest_entry *entries = ready.count ? mc_alloc(ready.count * sizeof *entries) : NULL;
  for (size_t i = 0; i < ready.count; i++) {
    entries[i].type = take_slice(&in);
    entries[i].queue = take_slice(&in);
  }
  ready.entries = entries;
  ready.cron = take_cron(&in, &ready.cron_count);
  ready.rules = take_rules(&in, &ready.rule_count);
  if (!cursor_done(&in)) {
    mc_frame_ready_free(&ready);
    return MC_EMALFORMED;
  }
  *out = ready;
  return 0;
}

void mc_frame_ready_free(mc_frame_ready *ready) {
  for (size_t i = 0; i < ready->cron_count; i++)
    free((void *)ready->cron[i].options.headers);
  free((void *)ready->cron);
  free((void *)ready->rules);
  free((void *)ready->entries);
  *ready = (mc_frame_ready){0};
}

void mc_frame_load_failed_encode(mc_buf *out, const mc_frame_load_failed *failed) {
  size_t start = frame_begin(out, MC_FRAME_LOAD_FAILED);
  put_slice(out, failed->message);
  frame_end(out, start);
}

int mc_frame_load_failed_decode(mc_slice body, mc_frame_load_failed *out) {
  cursor in = cursor_over(body);
  mc_slice message = take_slice(&in);
  if (!cursor_done(&in))
    return MC_EMALFORMED;
  out->message = message;
  return 0;
}

void mc_frame_result_encode(mc_buf *out, const mc_frame_result *result) {
  size_t start = frame_begin(out, MC_FRAME_RESULT);
  put_u64(out, result->attempt);
  put_u32(out, (uint32_t)result->outcome);
  put_u32(out, result->has_result);
  put_slice(out, result->text);
  put_slice(out, result->trace);
  put_u64(out, (uint64_t)result->delay_ms);
  put_u64(out, result->duration_us);
  frame_end(out, start);
}

int mc_frame_result_decode(mc_slice body, mc_frame_result *out) {
  cursor in = cursor_over(body);
  mc_frame_result result = {0};
  result.attempt = take_u64(&in);
  uint32_t outcome = take_u32(&in);
  result.has_result = take_bool(&in);
  result.text = take_slice(&in);
  result.trace = take_slice(&in);
  result.delay_ms = (int64_t)take_u64(&in);
  result.duration_us = take_u64(&in);
  if (!cursor_done(&in) || outcome < MC_OUTCOME_DONE || outcome > MC_OUTCOME_NOT_STARTED)
    return MC_EMALFORMED;
  result.outcome = (mc_outcome)outcome;
  *out = result;
  return 0;
}

void mc_frame_enqueue_encode(mc_buf *out, const mc_frame_enqueue *enqueue) {
  size_t start = frame_begin(out, MC_FRAME_ENQUEUE);
  put_u64(out, enqueue->request);
  put_u64(out, enqueue->attempt);
  put_options(out, &enqueue->options);
  frame_end(out, start);
}

int mc_frame_enqueue_decode(mc_slice body, mc_frame_enqueue *out) {
  cursor in = cursor_over(body);
  mc_frame_enqueue enqueue = {0};
  enqueue.request = take_u64(&in);
  enqueue.attempt = take_u64(&in);
  enqueue.options = take_options(&in);
  if (!cursor_done(&in)) {
    free((void *)enqueue.options.headers);
    return MC_EMALFORMED;
  }
  *out = enqueue;
  return 0;
}

void mc_frame_folded_encode(mc_buf *out, const mc_frame_folded *folded) {
  size_t start = frame_begin(out, MC_FRAME_FOLDED);
  put_u64(out, folded->attempt);
  put_u64(out, folded->duration_us);
  put_u32(out, (uint32_t)folded->unfit_count);
  for (size_t i = 0; i < folded->unfit_count; i++)
    put_u64(out, folded->unfit[i]);
  put_options(out, &folded->options);
  frame_end(out, start);
}

int mc_frame_folded_decode(mc_slice body, mc_frame_folded *out) {
  cursor in = cursor_over(body);
  mc_frame_folded folded = {0};
  folded.attempt = take_u64(&in);
  folded.duration_us = take_u64(&in);
  folded.unfit_count = take_count(&in);
  uint64_t *unfit = folded.unfit_count ? mc_alloc(folded.unfit_count * sizeof *unfit) : NULL;
  for (size_t i = 0; i < folded.unfit_count; i++)
    unfit[i] = take_u64(&in);
  folded.unfit = unfit;
  folded.options = take_options(&in);
  if (!cursor_done(&in)) {
    mc_frame_folded_free(&folded);
    return MC_EMALFORMED;
  }
  *out = folded;
  return 0;
}

void mc_frame_folded_free(mc_frame_folded *folded) {
  free((void *)folded->unfit);
  free((void *)folded->options.headers);
  folded->unfit = NULL;
  folded->options.headers = NULL;
}

static uint64_t bits_of(double number) {
  uint64_t bits;
  memcpy(&bits, &number, sizeof bits);
  return bits;
}

static double number_of(uint64_t bits) {
  double number;
  memcpy(&number, &bits, sizeof number);
  return number;
}

void mc_frame_progress_encode(mc_buf *out, const mc_frame_progress *progress) {
  size_t start = frame_begin(out, MC_FRAME_PROGRESS);
  put_u64(out, progress->attempt);
  put_u64(out, bits_of(progress->fraction));
  put_u64(out, (uint64_t)progress->at_ms);
  put_u32(out, progress->has_text);
  put_slice(out, progress->text);
  frame_end(out, start);
}

int mc_frame_progress_decode(mc_slice body, mc_frame_progress *out) {
  cursor in = cursor_over(body);
  mc_frame_progress progress = {0};
  progress.attempt = take_u64(&in);
  progress.fraction = number_of(take_u64(&in));
  progress.at_ms = (int64_t)take_u64(&in);
  progress.has_text = take_bool(&in);
  progress.text = take_slice(&in);
  bool fits = progress.fraction >= 0 && progress.fraction <= 1; /* false for what is no number */
  if (!cursor_done(&in) || !fits)
    return MC_EMALFORMED;
  *out = progress;
  return 0;
}
