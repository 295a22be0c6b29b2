/* The frames between supervisor and worker: there and back, and what does not fit is refused. */
#include "protocol/frames.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#define TEXT(literal) MC_SLICE_LITERAL(literal)

static const mc_header headers[] = {{TEXT("trace"), TEXT("a\0b")}, {TEXT(""), TEXT("\xff")}};

static const mc_frame_settings settings = {.scripts = TEXT("/srv/scripts"),
                                           .worker = 3,
                                           .concurrency = 4294967295u,
                                           .load_timeout_ms = 3600000,
                                           .log_level = TEXT("info"),
                                           .log_format = TEXT("json"),
                                           .lua_path = TEXT("")};
static const mc_frame_task task = {.attempt = 0xfedcba9876543210,
                                   .id = TEXT("id-1"),
                                   .type = TEXT("mail:send"),
                                   .queue = TEXT("low"),
                                   .payload = TEXT("\0\1\2"),
                                   .retried = 2,
                                   .max_retry = 2147483647,
                                   .timeout_ms = 1800000,
                                   .deadline_ms = -1,
                                   .headers = headers,
                                   .header_count = 2};
static const mc_frame_attempt cancel = {42};
static const mc_frame_enqueued enqueued = {
    .request = 9, .code = MC_EDUPLICATE, .id = TEXT("x"), .message = TEXT("taken"), .process_at_s = 1700000000};
static const mc_frame_token token = {1ull << 63};
static const mc_frame_manifest_entry entries[] = {{TEXT("a"), TEXT("")}, {TEXT("image:*"), TEXT("low")}};
static const mc_cron_entry cron[] = {
    {.id = TEXT("nightly"),
     .spec = TEXT("0 3 * * *"),
     .source = TEXT("a.lua:3"),
     .missed = MC_CRON_LATEST,
     .process_in_ms = 5000,
     .options = {.type = TEXT("report"), .max_retry = 25, .timeout_ms = -1, .headers = headers, .header_count = 2}},
    {.spec = TEXT("@every 1s"), .source = TEXT("a.lua:4"), .options = {.type = TEXT("t"), .payload = TEXT("{}")}},
};
static const mc_frame_group_rule rules[] = {
    {.queue = TEXT(""), .pattern = TEXT("mail:*"), .grace_s = 10, .max_delay_s = 60, .max_size = 20, .timeout_ms = 1},
    {.queue = TEXT("low"), .pattern = TEXT("g"), .grace_s = 1ll << 40}};
static const mc_frame_ready ready = {
    .entries = entries, .count = 2, .cron = cron, .cron_count = 2, .rules = rules, .rule_count = 2};
static const mc_frame_fold_task folds[] = {
    {.id = TEXT("a"), .type = TEXT("t"), .payload = TEXT("\0"), .headers = headers, .header_count = 2},
    {.id = TEXT("b"), .type = TEXT("t")}};
static const mc_frame_fold fold = {.attempt = 11,
                                   .rule_queue = TEXT("low"),
                                   .pattern = TEXT("mail:*"),
                                   .queue = TEXT("low"),
                                   .group = TEXT("mail:ada"),
                                   .timeout_ms = 60000,
                                   .tasks = folds,
                                   .count = 2};
static const mc_frame_load_failed load_failed = {TEXT("scripts/a.lua:3: boom")};
static const mc_frame_result result = {.attempt = 7,
                                       .outcome = MC_OUTCOME_NOT_STARTED,
                                       .has_result = true,
                                       .text = TEXT("{}"),
                                       .trace = TEXT("stack"),
                                       .delay_ms = -1,
                                       .duration_us = 123456789012};
static const mc_frame_enqueue enqueue = {.request = 5,
                                         .attempt = 6,
                                         .options = {.type = TEXT("t"),
                                                     .payload = TEXT("p"),
                                                     .queue = TEXT("q"),
                                                     .id = TEXT("i"),
                                                     .has_id = true,
                                                     .has_group = true,
                                                     .max_retry = -1,
                                                     .timeout_ms = -1,
                                                     .deadline_s = 1,
                                                     .unique_ms = 2,
                                                     .process_at_ms = 3,
                                                     .retention_ms = 4,
                                                     .group = TEXT("g"),
                                                     .headers = headers,
                                                     .header_count = 2}};

static const uint64_t unfit[] = {0, 7};
static const mc_frame_progress progress = {
    .attempt = 13, .fraction = 0.4, .at_ms = 1700000000123, .has_text = true, .text = TEXT("400 of 1000")};
static const mc_frame_folded folded = {.attempt = 12,
                                       .duration_us = 345,
                                       .unfit = unfit,
                                       .unfit_count = 2,
                                       .options = {.type = TEXT("t"),
                                                   .payload = TEXT("p"),
                                                   .max_retry = 3,
                                                   .unique_ms = 2000,
                                                   .headers = headers,
                                                   .header_count = 2}};

/* ---- one row per frame: encode the sample, decode a body and free what that allocated ---- */

#define ROW(name, struct_type, sample, release)                                                                        \
  static void encode_##name(mc_buf *out) {                                                                             \
    mc_frame_##name##_encode(out, &sample);                                                                            \
  }                                                                                                                    \
  static int decode_##name(mc_slice body, mc_buf *again) {                                                             \
    struct_type frame;                                                                                                 \
    memset(&frame, 0x5a, sizeof frame);                                                                                \
    struct_type before = frame;                                                                                        \
    int rc = mc_frame_##name##_decode(body, &frame);                                                                   \
    if (rc == 0) {                                                                                                     \
      mc_frame_##name##_encode(again, &frame);                                                                         \
      release;                                                                                                         \
    } else {                                                                                                           \
      assert_memory_equal(&frame, &before, sizeof frame);                                                              \
    }                                                                                                                  \
    return rc;                                                                                                         \
  }

ROW(settings, mc_frame_settings, settings, (void)frame)
ROW(task, mc_frame_task, task, free((void *)frame.headers))
ROW(cancel, mc_frame_attempt, cancel, (void)frame)
ROW(enqueued, mc_frame_enqueued, enqueued, (void)frame)
ROW(fold, mc_frame_fold, fold, mc_frame_fold_free(&frame))
ROW(ready, mc_frame_ready, ready, mc_frame_ready_free(&frame))
ROW(load_failed, mc_frame_load_failed, load_failed, (void)frame)
ROW(result, mc_frame_result, result, (void)frame)
ROW(enqueue, mc_frame_enqueue, enqueue, free((void *)frame.options.headers))
ROW(folded, mc_frame_folded, folded, mc_frame_folded_free(&frame))
ROW(progress, mc_frame_progress, progress, (void)frame)

static void encode_ping(mc_buf *out) {
  mc_frame_token_encode(out, MC_FRAME_PING, &token);
}

static int decode_ping(mc_slice body, mc_buf *again) {
  mc_frame_token frame;
  int rc = mc_frame_token_decode(body, &frame);
  if (rc == 0)
    mc_frame_token_encode(again, MC_FRAME_PING, &frame);
  return rc;
}

static void encode_drain(mc_buf *out) {
  mc_frame_drain_encode(out);
}

static const struct row {
  mc_frame_type type;
  void (*encode)(mc_buf *out);
  int (*decode)(mc_slice body, mc_buf *again); /* on success encodes again what it read */
} rows[] = {
    {MC_FRAME_SETTINGS, encode_settings, decode_settings},
    {MC_FRAME_TASK, encode_task, decode_task},
    {MC_FRAME_CANCEL, encode_cancel, decode_cancel},
    {MC_FRAME_DRAIN, encode_drain, NULL},
    {MC_FRAME_ENQUEUED, encode_enqueued, decode_enqueued},
    {MC_FRAME_PING, encode_ping, decode_ping},
    {MC_FRAME_FOLD, encode_fold, decode_fold},
    {MC_FRAME_READY, encode_ready, decode_ready},
    {MC_FRAME_LOAD_FAILED, encode_load_failed, decode_load_failed},
    {MC_FRAME_RESULT, encode_result, decode_result},
    {MC_FRAME_ENQUEUE, encode_enqueue, decode_enqueue},
    {MC_FRAME_FOLDED, encode_folded, decode_folded},
    {MC_FRAME_PROGRESS, encode_progress, decode_progress},
};

static mc_slice body_of(const mc_buf *frame) {
  return (mc_slice){frame->data + MC_FRAME_HEAD_SIZE, frame->size - MC_FRAME_HEAD_SIZE};
}

static void test_every_frame_comes_back_as_it_went(void **state) {
  (void)state;
  for (size_t i = 0; i < MC_COUNT(rows); i++) {
    mc_frame_reader reader = {0};
    mc_frame frame;
    mc_buf out = {0}, again = {0};
    rows[i].encode(&out);
    mc_frame_reader_feed(&reader, out.data, out.size);
    assert_int_equal(mc_frame_reader_next(&reader, &frame, NULL), 1);
    assert_int_equal(frame.type, rows[i].type);
    if (rows[i].decode) {
      assert_int_equal(rows[i].decode(frame.body, &again), 0);
      assert_true(mc_slice_equal(mc_buf_slice(&out), mc_buf_slice(&again)));
    } else {
      assert_int_equal(frame.body.size, 0);
    }
    assert_int_equal(mc_frame_reader_next(&reader, &frame, NULL), 0);
    mc_frame_reader_deinit(&reader);
    mc_buf_deinit(&out);
    mc_buf_deinit(&again);
  }
}

static void assert_slice(mc_slice actual, mc_slice wanted) {
  assert_true(mc_slice_equal(actual, wanted));
}

static void test_a_task_keeps_every_field(void **state) {
  (void)state;
  mc_buf out = {0};
  mc_frame_task got;
  mc_frame_task_encode(&out, &task);
  assert_int_equal(mc_frame_task_decode(body_of(&out), &got), 0);
  assert_true(got.attempt == task.attempt && got.retried == 2 && got.max_retry == 2147483647);
  assert_true(got.timeout_ms == 1800000 && got.deadline_ms == -1 && got.header_count == 2);
  assert_slice(got.id, task.id);
  assert_slice(got.type, task.type);
  assert_slice(got.queue, task.queue);
  assert_slice(got.payload, task.payload);
  assert_slice(got.headers[0].value, headers[0].value);
  assert_slice(got.headers[1].name, headers[1].name);
  free((void *)got.headers);
  mc_buf_deinit(&out);
}

static void test_an_enqueue_keeps_every_option(void **state) {
  (void)state;
  mc_buf out = {0};
  mc_frame_enqueue got;
  mc_frame_enqueue_encode(&out, &enqueue);
  assert_int_equal(mc_frame_enqueue_decode(body_of(&out), &got), 0);
  assert_true(got.request == 5 && got.attempt == 6);
  assert_true(got.options.has_id && !got.options.has_queue && got.options.has_group);
  assert_true(got.options.max_retry == -1 && got.options.timeout_ms == -1 && got.options.deadline_s == 1);
  assert_true(got.options.unique_ms == 2 && got.options.process_at_ms == 3 && got.options.retention_ms == 4);
  assert_slice(got.options.type, enqueue.options.type);
  assert_slice(got.options.payload, enqueue.options.payload);
  assert_slice(got.options.queue, enqueue.options.queue);
  assert_slice(got.options.id, enqueue.options.id);
  assert_slice(got.options.group, enqueue.options.group);
  free((void *)got.options.headers);
  mc_buf_deinit(&out);
}

static void test_a_result_keeps_every_field(void **state) {
  (void)state;
  mc_buf out = {0};
  mc_frame_result got;
  mc_frame_result_encode(&out, &result);
  assert_int_equal(mc_frame_result_decode(body_of(&out), &got), 0);
  assert_true(got.attempt == 7 && got.outcome == MC_OUTCOME_NOT_STARTED && got.has_result);
  assert_true(got.delay_ms == -1 && got.duration_us == 123456789012);
  assert_slice(got.text, result.text);
  assert_slice(got.trace, result.trace);
  mc_buf_deinit(&out);
}

/* Each cut body is copied to memory of its own size, so that a sanitizer sees a read past its end. */
static void test_bodies_cut_short_or_too_long_are_refused(void **state) {
  (void)state;
  for (size_t i = 0; i < MC_COUNT(rows); i++) {
    mc_buf out = {0}, again = {0};
    rows[i].encode(&out);
    mc_slice body = body_of(&out);
    for (size_t size = 0; rows[i].decode && size < body.size; size++) {
      char *cut = mc_strndup(body.data, size);
      assert_int_equal(rows[i].decode((mc_slice){cut, size}, &again), MC_EMALFORMED);
      free(cut);
    }
    mc_buf_add_char(&out, '\0');
    body = body_of(&out);
    if (rows[i].decode)
      assert_int_equal(rows[i].decode(body, &again), MC_EMALFORMED);
    mc_buf_deinit(&out);
    mc_buf_deinit(&again);
  }
}

static void test_counts_sizes_and_values_out_of_range_are_refused(void **state) {
  (void)state;
  mc_buf again = {0};
  const mc_slice many_entries = TEXT("\xff\xff\xff\xff\0\0\0\0\0\0\0\0");
  assert_int_equal(decode_ready(many_entries, &again), MC_EMALFORMED);
  const mc_slice long_text = TEXT("\xff\xff\xff\xff"
                                  "abc");
  assert_int_equal(decode_load_failed(long_text, &again), MC_EMALFORMED);
  mc_frame_result bad = result;
  for (int outcome = 0; outcome <= MC_OUTCOME_NOT_STARTED + 1; outcome += MC_OUTCOME_NOT_STARTED + 1) {
    mc_buf out = {0};
    bad.outcome = (mc_outcome)outcome;
    mc_frame_result_encode(&out, &bad);
    assert_int_equal(decode_result(body_of(&out), &again), MC_EMALFORMED);
    mc_buf_deinit(&out);
  }
}

static void test_frames_arrive_in_pieces(void **state) {
  (void)state;
  mc_frame_reader reader = {0};
  mc_buf out = {0};
  size_t count = 0;
  for (int repeat = 0; repeat < 100; repeat++)
    for (size_t i = 0; i < MC_COUNT(rows); i++)
      rows[i].encode(&out);
  for (size_t at = 0, piece = 1; at < out.size; at += piece, piece = piece % 97 + 1) {
    mc_frame frame;
    int rc;
    mc_frame_reader_feed(&reader, out.data + at, piece < out.size - at ? piece : out.size - at);
    while ((rc = mc_frame_reader_next(&reader, &frame, NULL)) == 1)
      assert_int_equal(frame.type, rows[count++ % MC_COUNT(rows)].type);
    assert_int_equal(rc, 0);
  }
  assert_int_equal(count, 100 * MC_COUNT(rows));
  mc_frame_reader_deinit(&reader);
  mc_buf_deinit(&out);
}

static void expect_refused(const char *head, const char *wanted) {
  mc_frame_reader reader = {0};
  mc_frame frame;
  mc_err err;
  mc_frame_reader_feed(&reader, head, MC_FRAME_HEAD_SIZE);
  assert_int_equal(mc_frame_reader_next(&reader, &frame, &err), MC_EMALFORMED);
  assert_non_null(strstr(err.text, wanted));
  mc_frame_reader_deinit(&reader);
}

static void test_heads_that_make_no_sense_are_refused(void **state) {
  (void)state;
  expect_refused("\0\0\0\0\1\6\0\0", "version 1 where 6 is spoken");
  expect_refused("\0\0\0\0\6\10\0\0", "type 8");
  expect_refused("\0\0\0\0\6\0\0\0", "type 0");
  expect_refused("\0\0\0\0\6\6\0\1", "malformed");
  expect_refused("\1\0\200\45\6\6\0\0", "629145601 bytes"); /* one byte above MC_FRAME_MAX_BODY */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_frame_comes_back_as_it_went),
      cmocka_unit_test(test_a_task_keeps_every_field),
      cmocka_unit_test(test_an_enqueue_keeps_every_option),
      cmocka_unit_test(test_a_result_keeps_every_field),
      cmocka_unit_test(test_bodies_cut_short_or_too_long_are_refused),
      cmocka_unit_test(test_counts_sizes_and_values_out_of_range_are_refused),
      cmocka_unit_test(test_frames_arrive_in_pieces),
      cmocka_unit_test(test_heads_that_make_no_sense_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
