/* protocol/backoff.c: asynq's default formula. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "protocol/backoff.h"

static void delays_follow_the_formula(void **state) {
  (void)state;
  assert_int_equal(mc_backoff_default_s(0, 0), 15);
  assert_int_equal(mc_backoff_default_s(0, 29), 15 + 29);
  assert_int_equal(mc_backoff_default_s(1, 3), 1 + 15 + 3 * 2);
  assert_int_equal(mc_backoff_default_s(24, 29), 24 * 24 * 24 * 24 + 15 + 29 * 25);
}

static void absurd_numbers_stay_in_range(void **state) {
  (void)state;
  assert_true(mc_backoff_default_s(INT32_MAX, 29) > 0);
  assert_true(mc_backoff_default_s(INT32_MAX, 0) >= mc_backoff_default_s(50000, 0));
  assert_int_equal(mc_backoff_default_s(-5, 0), 15);
}

static void folds_wait_twice_as_long_each_time_up_to_five_minutes(void **state) {
  (void)state;
  static const int64_t expected_s[] = {1, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300};
  for (uint32_t failures = 0; failures < sizeof expected_s / sizeof *expected_s; failures++)
    assert_int_equal(mc_backoff_fold_s(failures), expected_s[failures]);
  assert_int_equal(mc_backoff_fold_s(UINT32_MAX), 300);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(delays_follow_the_formula),
      cmocka_unit_test(absurd_numbers_stay_in_range),
      cmocka_unit_test(folds_wait_twice_as_long_each_time_up_to_five_minutes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
