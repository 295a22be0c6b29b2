/* Limits of a queue: protocol/limits.c. What they do is tested in tests/unit/server/limits_test.c. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "protocol/limits.h"

#define QUEUE MC_SLICE_LITERAL("q")

static void assert_args(mc_args *args, const char *expected) {
  mc_buf text = {0};
  for (size_t i = 0; i < args->count; i++) {
    mc_buf_add_text(&text, i ? " " : "");
    mc_buf_add_slice(&text, mc_args_at(args, i));
  }
  mc_buf_add_char(&text, '\0');
  assert_string_equal(text.data, expected);
  mc_buf_deinit(&text);
  mc_args_deinit(args);
}

static void each_limit_is_set_and_cleared_by_itself(void **state) {
  (void)state;
  mc_args args = {0};
  mc_limits_ask(&args, QUEUE);
  assert_args(&args, "HMGET asynq:{q}:mc_limits concurrency rate interval_ms");
  mc_limits_set_concurrency(&args, QUEUE, 3);
  assert_args(&args, "HSET asynq:{q}:mc_limits concurrency 3");
  mc_limits_set_concurrency(&args, QUEUE, 0);
  assert_args(&args, "HDEL asynq:{q}:mc_limits concurrency");
  mc_limits_set_rate(&args, QUEUE, 10, 1000);
  assert_args(&args, "HSET asynq:{q}:mc_limits rate 10 interval_ms 1000");
  mc_limits_set_rate(&args, QUEUE, 0, 0);
  assert_args(&args, "HDEL asynq:{q}:mc_limits rate interval_ms");
}

static void numbers_out_of_range_are_refused(void **state) {
  (void)state;
  static const mc_limits good[] = {
      {0, 0, 0}, {1, 0, 0}, {MC_LIMIT_MAX, MC_LIMIT_MAX, MC_LIMIT_INTERVAL_MAX_MS}, {0, 1, 1}};
  static const mc_limits bad[] = {{-1, 0, 0}, {MC_LIMIT_MAX + 1, 0, 0},
                                  {0, -1, 1}, {0, MC_LIMIT_MAX + 1, 1},
                                  {0, 1, 0},  {0, 1, MC_LIMIT_INTERVAL_MAX_MS + 1}};
  mc_err err;
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    assert_int_equal(mc_limits_check(&good[i], &err), 0);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(mc_limits_check(&bad[i], &err), MC_EINVALID);
}

static void a_reply_is_read_and_nil_is_no_limit(void **state) {
  (void)state;
  mc_value three = {.kind = MC_VALUE_STRING, .text = MC_SLICE_LITERAL("3")}, nil = {.kind = MC_VALUE_NIL};
  mc_value *items[] = {&three, &nil, &nil};
  mc_value reply = {.kind = MC_VALUE_ARRAY, .count = 3, .items = items};
  mc_limits limits = {7, 7, 7};
  assert_int_equal(mc_limits_read(&nil, &limits), MC_EMALFORMED);
  assert_int_equal(limits.concurrency, 7);
  assert_int_equal(mc_limits_read(&reply, &limits), 0);
  assert_true(mc_limits_equal(&limits, &(mc_limits){3, 0, 0}));
  assert_false(mc_limits_equal(&limits, &(mc_limits){3, 1, 1000}));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_limit_is_set_and_cleared_by_itself),
      cmocka_unit_test(numbers_out_of_range_are_refused),
      cmocka_unit_test(a_reply_is_read_and_nil_is_no_limit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
