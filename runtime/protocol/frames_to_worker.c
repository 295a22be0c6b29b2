/* What the supervisor says to a worker: see frames_to_worker.h.
 *
 * Every encoder is: begin a frame, put its fields in order, end it. Every decoder is: a cursor over the body, the same
 * fields in the same order, and one check at the end.
 */
#include "protocol/frames_to_worker.h"

#include "base/mem.h"
#include "protocol/frame_fields.h"

#include <stdlib.h>

void mc_frame_settings_encode(mc_buf *out, const mc_frame_settings *settings) {
  size_t start = mc_frame_begin(out, MC_FRAME_SETTINGS);
  mc_put_slice(out, settings->scripts);
  mc_put_u32(out, settings->worker);
  mc_put_u32(out, settings->concurrency);
  mc_put_u32(out, settings->load_timeout_ms);
  mc_put_slice(out, settings->log_level);
  mc_put_slice(out, settings->log_format);
  mc_put_slice(out, settings->lua_path);
  mc_frame_end(out, start);
}

int mc_frame_settings_decode(mc_slice body, mc_frame_settings *out) {
  mc_cursor in = mc_cursor_over(body);
  mc_frame_settings settings = {0};
  settings.scripts = mc_read_slice(&in);
  settings.worker = mc_read_u32(&in);
  settings.concurrency = mc_read_u32(&in);
  settings.load_timeout_ms = mc_read_u32(&in);
  settings.log_level = mc_read_slice(&in);
  settings.log_format = mc_read_slice(&in);
  settings.lua_path = mc_read_slice(&in);
  if (!mc_cursor_done(&in))
    return MC_EMALFORMED;
  *out = settings;
  return 0;
}

void mc_frame_task_encode(mc_buf *out, const mc_frame_task *task) {
  size_t start = mc_frame_begin(out, MC_FRAME_TASK);
  mc_put_u64(out, task->attempt);
  mc_put_slice(out, task->id);
  mc_put_slice(out, task->type);
  mc_put_slice(out, task->queue);
  mc_put_slice(out, task->payload);
  mc_put_u32(out, (uint32_t)task->retried);
  mc_put_u32(out, (uint32_t)task->max_retry);
  mc_put_u64(out, (uint64_t)task->timeout_ms);
  mc_put_u64(out, (uint64_t)task->deadline_ms);
  mc_put_headers(out, task->headers, task->header_count);
  mc_frame_end(out, start);
}

int mc_frame_task_decode(mc_slice body, mc_frame_task *out) {
  mc_cursor in = mc_cursor_over(body);
  mc_frame_task task = {0};
  task.attempt = mc_read_u64(&in);
  task.id = mc_read_slice(&in);
  task.type = mc_read_slice(&in);
  task.queue = mc_read_slice(&in);
  task.payload = mc_read_slice(&in);
  task.retried = (int32_t)mc_read_u32(&in);
  task.max_retry = (int32_t)mc_read_u32(&in);
  task.timeout_ms = (int64_t)mc_read_u64(&in);
  task.deadline_ms = (int64_t)mc_read_u64(&in);
  mc_header *headers = mc_read_headers(&in, &task.header_count);
  if (!mc_cursor_done(&in)) {
    free(headers);
    return MC_EMALFORMED;
  }
  task.headers = headers;
  *out = task;
  return 0;
}

void mc_frame_cancel_encode(mc_buf *out, const mc_frame_attempt *cancel) {
  size_t start = mc_frame_begin(out, MC_FRAME_CANCEL);
  mc_put_u64(out, cancel->attempt);
  mc_frame_end(out, start);
}

int mc_frame_cancel_decode(mc_slice body, mc_frame_attempt *out) {
  mc_cursor in = mc_cursor_over(body);
  uint64_t attempt = mc_read_u64(&in);
  if (!mc_cursor_done(&in))
    return MC_EMALFORMED;
  out->attempt = attempt;
  return 0;
}

void mc_frame_drain_encode(mc_buf *out) {
  mc_frame_end(out, mc_frame_begin(out, MC_FRAME_DRAIN));
}

void mc_frame_enqueued_encode(mc_buf *out, const mc_frame_enqueued *enqueued) {
  size_t start = mc_frame_begin(out, MC_FRAME_ENQUEUED);
  mc_put_u64(out, enqueued->request);
  mc_put_u32(out, (uint32_t)enqueued->code);
  mc_put_slice(out, enqueued->id);
  mc_put_slice(out, enqueued->message);
  mc_put_u64(out, (uint64_t)enqueued->process_at_s);
  mc_frame_end(out, start);
}

int mc_frame_enqueued_decode(mc_slice body, mc_frame_enqueued *out) {
  mc_cursor in = mc_cursor_over(body);
  mc_frame_enqueued enqueued = {0};
  enqueued.request = mc_read_u64(&in);
  enqueued.code = (int32_t)mc_read_u32(&in);
  enqueued.id = mc_read_slice(&in);
  enqueued.message = mc_read_slice(&in);
  enqueued.process_at_s = (int64_t)mc_read_u64(&in);
  if (!mc_cursor_done(&in))
    return MC_EMALFORMED;
  *out = enqueued;
  return 0;
}

void mc_frame_fold_encode(mc_buf *out, const mc_frame_fold *fold) {
  size_t start = mc_frame_begin(out, MC_FRAME_FOLD);
  mc_put_u64(out, fold->attempt);
  mc_put_slice(out, fold->rule_queue);
  mc_put_slice(out, fold->pattern);
  mc_put_slice(out, fold->queue);
  mc_put_slice(out, fold->group);
  mc_put_u64(out, (uint64_t)fold->timeout_ms);
  mc_put_u32(out, (uint32_t)fold->count);
  for (size_t i = 0; i < fold->count; i++) {
    mc_put_slice(out, fold->tasks[i].id);
    mc_put_slice(out, fold->tasks[i].type);
    mc_put_slice(out, fold->tasks[i].payload);
    mc_put_headers(out, fold->tasks[i].headers, fold->tasks[i].header_count);
  }
  mc_frame_end(out, start);
}

int mc_frame_fold_decode(mc_slice body, mc_frame_fold *out) {
  mc_cursor in = mc_cursor_over(body);
  mc_frame_fold fold = {0};
  fold.attempt = mc_read_u64(&in);
  fold.rule_queue = mc_read_slice(&in);
  fold.pattern = mc_read_slice(&in);
  fold.queue = mc_read_slice(&in);
  fold.group = mc_read_slice(&in);
  fold.timeout_ms = (int64_t)mc_read_u64(&in);
  fold.count = mc_read_count(&in);
  mc_frame_fold_task *tasks = fold.count ? mc_zalloc(fold.count * sizeof *tasks) : NULL;
  for (size_t i = 0; i < fold.count; i++) {
    tasks[i].id = mc_read_slice(&in);
    tasks[i].type = mc_read_slice(&in);
    tasks[i].payload = mc_read_slice(&in);
    tasks[i].headers = mc_read_headers(&in, &tasks[i].header_count);
  }
  fold.tasks = tasks;
  if (!mc_cursor_done(&in)) {
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
  size_t start = mc_frame_begin(out, type);
  mc_put_u64(out, token->token);
  mc_frame_end(out, start);
}

int mc_frame_token_decode(mc_slice body, mc_frame_token *out) {
  mc_cursor in = mc_cursor_over(body);
  uint64_t token = mc_read_u64(&in);
  if (!mc_cursor_done(&in))
    return MC_EMALFORMED;
  out->token = token;
  return 0;
}
