/* Reading replies. */
#include "base/value.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static int read_text(const char *text, int64_t *out) {
  mc_value value = {.kind = MC_VALUE_STRING, .text = mc_slice_of(text)};
  return mc_value_integer(&value, out);
}

static void test_integers(void **state) {
  (void)state;
  int64_t number = 0;
  assert_int_equal(read_text("9223372036854775807", &number), 0);
  assert_true(number == INT64_MAX);
  assert_int_equal(read_text("-9223372036854775808", &number), 0);
  assert_true(number == INT64_MIN);
  assert_int_equal(read_text("0", &number), 0);
  assert_int_equal(number, 0);
  static const char *const bad[] = {"", "-", "9223372036854775808", "-9223372036854775809", "1x", " 1", "+1", "1.0"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(read_text(bad[i], &number), MC_EMALFORMED);
  assert_int_equal(mc_value_integer(NULL, &number), MC_EMALFORMED);
}

static int read_score(const char *text, double *out) {
  mc_value value = {.kind = MC_VALUE_STRING, .text = mc_slice_of(text)};
  return mc_value_score(&value, out);
}

static void test_scores(void **state) {
  (void)state;
  double score = 0;
  assert_int_equal(read_score("1700000000", &score), 0);
  assert_true(score == 1700000000);
  assert_int_equal(read_score("1795536224.0874686", &score), 0);
  assert_true(score == 1795536224.0874686);
  assert_int_equal(read_score("-inf", &score), 0);
  assert_true(score < -1e308);
  static const char *const bad[] = {"", "x", "1x", "1 "};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(read_score(bad[i], &score), MC_EMALFORMED);
  assert_int_equal(mc_value_score(NULL, &score), MC_EMALFORMED);
}

static void test_errors_by_their_first_word(void **state) {
  (void)state;
  mc_value value = {.kind = MC_VALUE_ERROR, .text = mc_slice_of("NOSCRIPT No matching script")};
  assert_true(mc_value_is_error(&value, "NOSCRIPT"));
  assert_false(mc_value_is_error(&value, "NOSCRIP"));
  value.kind = MC_VALUE_STRING;
  assert_false(mc_value_is_error(&value, "NOSCRIPT"));
}

static void test_items(void **state) {
  (void)state;
  mc_value one = {.kind = MC_VALUE_INTEGER, .integer = 1};
  mc_value *items[] = {&one};
  mc_value array = {.kind = MC_VALUE_ARRAY, .count = 1, .items = items};
  assert_ptr_equal(mc_value_item(&array, 0), &one);
  assert_null(mc_value_item(&array, 1));
  assert_null(mc_value_item(&one, 0));
  assert_null(mc_value_item(NULL, 0));
}

static void test_arrays_and_what_is_none(void **state) {
  (void)state;
  mc_err err;
  mc_value value = {.kind = MC_VALUE_ARRAY};
  assert_int_equal(mc_value_check_array(&value, "ask", &err), 0);
  value = (mc_value){.kind = MC_VALUE_ERROR, .text = mc_slice_of("OOM no memory")};
  assert_int_equal(mc_value_check_array(&value, "ask", &err), MC_ESERVER);
  assert_string_equal(err.text, "ask: Redis answered: OOM no memory");
  value.kind = MC_VALUE_STRING;
  assert_int_equal(mc_value_check_array(&value, "ask", &err), MC_EMALFORMED);
  assert_string_equal(err.text, "ask: the reply is no array");
  assert_int_equal(mc_value_check_array(NULL, "ask", &err), MC_EMALFORMED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_integers),
      cmocka_unit_test(test_scores),
      cmocka_unit_test(test_errors_by_their_first_word),
      cmocka_unit_test(test_items),
      cmocka_unit_test(test_arrays_and_what_is_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
