/* protocol/server_info.c: the wire, byte for byte. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "protocol/server_info.h"

static void assert_bytes(mc_buf *actual, const char *expected, size_t size) {
  assert_int_equal(actual->size, size);
  assert_memory_equal(actual->data, expected, size);
  mc_buf_deinit(actual);
}

static void a_server_is_encoded_as_asynq_encodes_it(void **state) {
  (void)state;
  static const char expected[] = "\x0a\x01h"
                                 "\x10\x07"
                                 "\x1a\x01u"
                                 "\x20\x0a"
                                 "\x2a\x07\x0a\x03low\x10\x01"
                                 "\x2a\x06\x0a\x02hi\x10\x06"
                                 "\x30\x01"
                                 "\x3a\x06"
                                 "active"
                                 "\x42\x08\x08\x80\xe2\xcf\xaa\x06\x10\x05"
                                 "\x48\x03";
  const mc_queue_weight queues[] = {{MC_SLICE_LITERAL("low"), 1}, {MC_SLICE_LITERAL("hi"), 6}};
  const mc_server_info info = {
      .host = MC_SLICE_LITERAL("h"),
      .server_id = MC_SLICE_LITERAL("u"),
      .pid = 7,
      .concurrency = 10,
      .active_workers = 3,
      .queues = queues,
      .queue_count = 2,
      .strict = true,
      .status = MC_SLICE_LITERAL("active"),
      .started_ns = 1700000000000000005,
  };
  mc_buf out = {0};
  mc_server_info_encode(&info, &out);
  assert_bytes(&out, expected, sizeof expected - 1);
}

static void a_server_without_queues_is_encoded(void **state) {
  (void)state;
  const mc_server_info info = {.host = MC_SLICE_LITERAL("h"), .started_ns = 1000000000};
  mc_buf out = {0};
  mc_server_info_encode(&info, &out);
  assert_bytes(&out, "\x0a\x01h\x42\x02\x08\x01", 7);
}

static const mc_worker_info worker = {
    .host = MC_SLICE_LITERAL("h"),
    .server_id = MC_SLICE_LITERAL("u"),
    .task_id = MC_SLICE_LITERAL("i"),
    .type = MC_SLICE_LITERAL("t"),
    .payload = MC_SLICE_LITERAL("p"),
    .queue = MC_SLICE_LITERAL("q"),
    .pid = 7,
    .started_ns = 1000000000,
};

static void a_worker_is_encoded_as_asynq_encodes_it(void **state) {
  (void)state;
  static const char expected[] = "\x0a\x01h\x10\x07\x1a\x01u\x22\x01i\x2a\x01t\x32\x01p\x3a\x01q"
                                 "\x42\x02\x08\x01"
                                 "\x4a\x04\x08\x02\x10\x03";
  mc_worker_info info = worker;
  info.deadline_ns = 2000000003;
  mc_buf out = {0};
  mc_worker_info_encode(&info, &out);
  assert_bytes(&out, expected, sizeof expected - 1);
}

static void no_deadline_is_gos_zero_time(void **state) {
  (void)state;
  static const char expected[] = "\x0a\x01h\x10\x07\x1a\x01u\x22\x01i\x2a\x01t\x32\x01p\x3a\x01q"
                                 "\x42\x02\x08\x01"
                                 "\x4a\x0b\x08\x80\x92\xb8\xc3\x98\xfe\xff\xff\xff\x01"; /* 1 January of the year 1 */
  mc_buf out = {0};
  mc_worker_info_encode(&worker, &out);
  assert_bytes(&out, expected, sizeof expected - 1);
}

/* ---- decoding ---- */

static void a_server_is_read_as_it_was_written(void **state) {
  (void)state;
  const mc_queue_weight queues[] = {{MC_SLICE_LITERAL("low"), 1}, {MC_SLICE_LITERAL("hi"), 6}};
  const mc_server_info info = {
      .host = MC_SLICE_LITERAL("h"),
      .server_id = MC_SLICE_LITERAL("u"),
      .pid = 7,
      .concurrency = 10,
      .active_workers = 3,
      .queues = queues,
      .queue_count = 2,
      .strict = true,
      .status = MC_SLICE_LITERAL("active"),
      .started_ns = 1700000000000000005,
  };
  mc_buf bytes = {0};
  mc_server_info_box box;
  mc_err err;
  mc_server_info_encode(&info, &bytes);
  assert_int_equal(mc_server_info_decode(mc_buf_slice(&bytes), &box, &err), 0);
  assert_true(mc_slice_equal(box.info.host, info.host) && mc_slice_equal(box.info.server_id, info.server_id));
  assert_true(mc_slice_equal(box.info.status, info.status));
  assert_int_equal(box.info.pid, 7);
  assert_int_equal(box.info.concurrency, 10);
  assert_int_equal(box.info.active_workers, 3);
  assert_true(box.info.strict);
  assert_true(box.info.started_ns == info.started_ns);
  assert_int_equal(box.info.queue_count, 2);
  assert_true(mc_slice_equal(box.info.queues[1].name, queues[1].name));
  assert_int_equal(box.info.queues[1].weight, 6);
  mc_server_info_free(&box);
  mc_buf_deinit(&bytes);
}

static void a_worker_is_read_as_it_was_written(void **state) {
  (void)state;
  mc_buf bytes = {0};
  mc_worker_info_box box;
  mc_err err;
  mc_worker_info_encode(&worker, &bytes);
  assert_int_equal(mc_worker_info_decode(mc_buf_slice(&bytes), &box, &err), 0);
  assert_true(mc_slice_equal(box.info.task_id, worker.task_id) && mc_slice_equal(box.info.type, worker.type));
  assert_true(mc_slice_equal(box.info.payload, worker.payload) && mc_slice_equal(box.info.queue, worker.queue));
  assert_true(box.info.started_ns == worker.started_ns);
  assert_true(box.info.deadline_ns == 0); /* Go's zero time */
  mc_worker_info_free(&box);
  mc_buf_deinit(&bytes);
}

static void what_is_neither_is_refused(void **state) {
  (void)state;
  static const mc_slice servers[] = {MC_SLICE_LITERAL("\xff"), MC_SLICE_LITERAL("\x0a\x01\xff"),
                                     MC_SLICE_LITERAL("\x3a\x01\0"), MC_SLICE_LITERAL("\x2a\x03\x0a\x01\xff")};
  static const mc_slice workers[] = {MC_SLICE_LITERAL("\xff"), MC_SLICE_LITERAL("\x22\x01\xff")};
  mc_err err = {""};
  for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++) {
    mc_server_info_box box;
    assert_int_equal(mc_server_info_decode(servers[i], &box, &err), MC_EMALFORMED);
    assert_true(err.text[0] != '\0');
  }
  for (size_t i = 0; i < sizeof workers / sizeof workers[0]; i++) {
    mc_worker_info_box box;
    assert_int_equal(mc_worker_info_decode(workers[i], &box, NULL), MC_EMALFORMED);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_server_is_encoded_as_asynq_encodes_it),
      cmocka_unit_test(a_server_without_queues_is_encoded),
      cmocka_unit_test(a_worker_is_encoded_as_asynq_encodes_it),
      cmocka_unit_test(no_deadline_is_gos_zero_time),
      cmocka_unit_test(a_server_is_read_as_it_was_written),
      cmocka_unit_test(a_worker_is_read_as_it_was_written),
      cmocka_unit_test(what_is_neither_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
