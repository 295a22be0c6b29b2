/* What a worker says to the supervisor: see frames_to_supervisor.h.
 *
 * Every encoder is: begin a frame, put its fields in order, end it. Every decoder is: a cursor over the body, the same
 * fields in the same order, and one check at the end.
 */
#include "protocol/frames_to_supervisor.h"

#include "base/mem.h"
#include "protocol/frame_fields.h"

#include <stdlib.h>

static void put_cron(mc_buf *out, const mc_cron_entry *entries, size_t count) {
  mc_put_u32(out, (uint32_t)count);
  for (size_t i = 0; i < count; i++) {
    mc_put_slice(out, entries[i].id);
    mc_put_slice(out, entries[i].spec);
    mc_put_slice(out, entries[i].source);
    mc_put_u32(out, entries[i].missed);
    mc_put_u64(out, (uint64_t)entries[i].process_in_ms);
    mc_put_options(out, &entries[i].options);
  }
}

static mc_cron_entry *take_cron(mc_cursor *in, size_t *out_count) {
  size_t count = mc_read_count(in);
  mc_cron_entry *entries = count ? mc_zalloc(count * sizeof *entries) : NULL;
  for (size_t i = 0; i < count; i++) {
    entries[i].id = mc_read_slice(in);
    entries[i].spec = mc_read_slice(in);
    entries[i].source = mc_read_slice(in);
    entries[i].missed = mc_read_bool(in) ? MC_CRON_LATEST : MC_CRON_SKIP;
    entries[i].process_in_ms = (int64_t)mc_read_u64(in);
    entries[i].options = mc_read_options(in);
  }
  *out_count = count;
  return entries;
}

static void put_rules(mc_buf *out, const mc_frame_group_rule *rules, size_t count) {
  mc_put_u32(out, (uint32_t)count);
  for (size_t i = 0; i < count; i++) {
    mc_put_slice(out, rules[i].queue);
    mc_put_slice(out, rules[i].pattern);
    mc_put_u64(out, (uint64_t)rules[i].grace_s);
    mc_put_u64(out, (uint64_t)rules[i].max_delay_s);
    mc_put_u32(out, rules[i].max_size);
    mc_put_u64(out, (uint64_t)rules[i].timeout_ms);
  }
}

static mc_frame_group_rule *take_rules(mc_cursor *in, size_t *out_count) {
  size_t count = mc_read_count(in);
  mc_frame_group_rule *rules = count ? mc_alloc(count * sizeof *rules) : NULL;
  for (size_t i = 0; i < count; i++) {
    rules[i].queue = mc_read_slice(in);
    rules[i].pattern = mc_read_slice(in);
    rules[i].grace_s = (int64_t)mc_read_u64(in);
    rules[i].max_delay_s = (int64_t)mc_read_u64(in);
    rules[i].max_size = mc_read_u32(in);
    rules[i].timeout_ms = (int64_t)mc_read_u64(in);
  }
  *out_count = count;
  return rules;
}

void mc_frame_ready_encode(mc_buf *out, const mc_frame_ready *ready) {
  size_t start = mc_frame_begin(out, MC_FRAME_READY);
  mc_put_u32(out, (uint32_t)ready->count);
  for (size_t i = 0; i < ready->count; i++) {
    mc_put_slice(out, ready->entries[i].type);
    mc_put_slice(out, ready->entries[i].queue);
  }
  put_cron(out, ready->cron, ready->cron_count);
  put_rules(out, ready->rules, ready->rule_count);
  mc_frame_end(out, start);
}

int mc_frame_ready_decode(mc_slice body, mc_frame_ready *out) {
  mc_cursor in = mc_cursor_over(body);
  mc_frame_ready ready = {0};
  ready.count = mc_read_count(&in);
  mc_frame_manifest_entry *entries = ready.count ? mc_alloc(ready.count * sizeof *entries) : NULL;
  for (size_t i = 0; i < ready.count; i++) {
    entries[i].type = mc_read_slice(&in);
    entries[i].queue = mc_read_slice(&in);
  }
  ready.entries = entries;
  ready.cron = take_cron(&in, &ready.cron_count);
  ready.rules = take_rules(&in, &ready.rule_count);
  if (!mc_cursor_done(&in)) {
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
  size_t start = mc_frame_begin(out, MC_FRAME_LOAD_FAILED);
  mc_put_slice(out, failed->message);
  mc_frame_end(out, start);
}

int mc_frame_load_failed_decode(mc_slice body, mc_frame_load_failed *out) {
  mc_cursor in = mc_cursor_over(body);
  mc_slice message = mc_read_slice(&in);
  if (!mc_cursor_done(&in))
    return MC_EMALFORMED;
  out->message = message;
  return 0;
}

void mc_frame_result_encode(mc_buf *out, const mc_frame_result *result) {
  size_t start = mc_frame_begin(out, MC_FRAME_RESULT);
  mc_put_u64(out, result->attempt);
  mc_put_u32(out, (uint32_t)result->outcome);
  mc_put_u32(out, result->has_result);
  mc_put_slice(out, result->text);
  mc_put_slice(out, result->trace);
  mc_put_u64(out, (uint64_t)result->delay_ms);
  mc_put_u64(out, result->duration_us);
  mc_frame_end(out, start);
}

int mc_frame_result_decode(mc_slice body, mc_frame_result *out) {
  mc_cursor in = mc_cursor_over(body);
  mc_frame_result result = {0};
  result.attempt = mc_read_u64(&in);
  uint32_t outcome = mc_read_u32(&in);
  result.has_result = mc_read_bool(&in);
  result.text = mc_read_slice(&in);
  result.trace = mc_read_slice(&in);
  result.delay_ms = (int64_t)mc_read_u64(&in);
  result.duration_us = mc_read_u64(&in);
  if (!mc_cursor_done(&in) || outcome < MC_OUTCOME_DONE || outcome > MC_OUTCOME_NOT_STARTED)
    return MC_EMALFORMED;
  result.outcome = (mc_outcome)outcome;
  *out = result;
  return 0;
}

void mc_frame_enqueue_encode(mc_buf *out, const mc_frame_enqueue *enqueue) {
  size_t start = mc_frame_begin(out, MC_FRAME_ENQUEUE);
  mc_put_u64(out, enqueue->request);
  mc_put_u64(out, enqueue->attempt);
  mc_put_options(out, &enqueue->options);
  mc_frame_end(out, start);
}

int mc_frame_enqueue_decode(mc_slice body, mc_frame_enqueue *out) {
  mc_cursor in = mc_cursor_over(body);
  mc_frame_enqueue enqueue = {0};
  enqueue.request = mc_read_u64(&in);
  enqueue.attempt = mc_read_u64(&in);
  enqueue.options = mc_read_options(&in);
  if (!mc_cursor_done(&in)) {
    free((void *)enqueue.options.headers);
    return MC_EMALFORMED;
  }
  *out = enqueue;
  return 0;
}

void mc_frame_folded_encode(mc_buf *out, const mc_frame_folded *folded) {
  size_t start = mc_frame_begin(out, MC_FRAME_FOLDED);
  mc_put_u64(out, folded->attempt);
  mc_put_u64(out, folded->duration_us);
  mc_put_u32(out, (uint32_t)folded->unfit_count);
  for (size_t i = 0; i < folded->unfit_count; i++)
    mc_put_u64(out, folded->unfit[i]);
  mc_put_options(out, &folded->options);
  mc_frame_end(out, start);
}

int mc_frame_folded_decode(mc_slice body, mc_frame_folded *out) {
  mc_cursor in = mc_cursor_over(body);
  mc_frame_folded folded = {0};
  folded.attempt = mc_read_u64(&in);
  folded.duration_us = mc_read_u64(&in);
  folded.unfit_count = mc_read_count(&in);
  uint64_t *unfit = folded.unfit_count ? mc_alloc(folded.unfit_count * sizeof *unfit) : NULL;
  for (size_t i = 0; i < folded.unfit_count; i++)
    unfit[i] = mc_read_u64(&in);
  folded.unfit = unfit;
  folded.options = mc_read_options(&in);
  if (!mc_cursor_done(&in)) {
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

void mc_frame_progress_encode(mc_buf *out, const mc_frame_progress *progress) {
  size_t start = mc_frame_begin(out, MC_FRAME_PROGRESS);
  mc_put_u64(out, progress->attempt);
  mc_put_double(out, progress->fraction);
  mc_put_u64(out, (uint64_t)progress->at_ms);
  mc_put_u32(out, progress->has_text);
  mc_put_slice(out, progress->text);
  mc_frame_end(out, start);
}

int mc_frame_progress_decode(mc_slice body, mc_frame_progress *out) {
  mc_cursor in = mc_cursor_over(body);
  mc_frame_progress progress = {0};
  progress.attempt = mc_read_u64(&in);
  progress.fraction = mc_read_double(&in);
  progress.at_ms = (int64_t)mc_read_u64(&in);
  progress.has_text = mc_read_bool(&in);
  progress.text = mc_read_slice(&in);
  bool fits = progress.fraction >= 0 && progress.fraction <= 1; /* false for what is no number */
  if (!mc_cursor_done(&in) || !fits)
    return MC_EMALFORMED;
  *out = progress;
  return 0;
}
