/* Durations as people write them. */
#include "base/duration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void test_good(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t ms;
  } cases[] = {{"10", 10000},      {"0", 0},          {"1.5", 1500},     {"90s", 90000},    {"250ms", 250},
               {"1h30m", 5400000}, {"2d", 172800000}, {"1.5h", 5400000}, {"1m0.5s", 60500}, {"0s", 0},
               {"0.1ms", 1},       {".0004s", 1},     {"1s0.4ms", 1000}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    int64_t ms = -1;
    mc_err err = {""};
    assert_int_equal(mc_duration_parse(cases[i].text, &ms, &err), 0);
    assert_int_equal(ms, cases[i].ms);
  }
}

static void test_bad_names_the_text_and_leaves_the_result_alone(void **state) {
  (void)state;
  static const char *const cases[] = {"",    "s",      "-5s",  "5x",   "1h 30m",
                                      "5 s", "1.2.3s", "5s5s", "10s5", "1e3s",
                                      "inf", "nan",    "ms5",  ".",    "99999999999999999999d"};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    int64_t ms = 77;
    mc_err err = {""};
    assert_int_equal(mc_duration_parse(cases[i], &ms, &err), MC_EINVALID);
    assert_int_equal(ms, 77);
    assert_non_null(strstr(err.text, cases[i]));
  }
}

static void test_a_negative_one_is_called_so(void **state) {
  (void)state;
  static const char *const cases[] = {"-1", "-5s", " -1h30m", "-.5"};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    int64_t ms = 77;
    mc_err err = {""};
    assert_int_equal(mc_duration_parse(cases[i], &ms, &err), MC_EINVALID);
    assert_non_null(strstr(err.text, "a duration must not be negative"));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_good),
      cmocka_unit_test(test_a_negative_one_is_called_so),
      cmocka_unit_test(test_bad_names_the_text_and_leaves_the_result_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
