/* Sizes as people write them. */
#include "base/size.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void test_good(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t bytes;
    const char *shown;
  } cases[] = {{"0", 0, "0"},
               {"10", 10, "10"},
               {"10B", 10, "10"},
               {"256M", 256 << 20, "256M"},
               {"256mb", 256 << 20, "256M"},
               {"1KiB", 1024, "1K"},
               {"1.5G", 1536LL << 20, "1536M"},
               {"2048K", 2 << 20, "2M"},
               {"1T", 1LL << 40, "1T"},
               {"1025", 1025, "1025"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    int64_t bytes = -1;
    char shown[32];
    mc_err err = {""};
    assert_int_equal(mc_size_parse(cases[i].text, &bytes, &err), 0);
    assert_int_equal(bytes, cases[i].bytes);
    mc_size_show(bytes, shown, sizeof shown);
    assert_string_equal(shown, cases[i].shown);
  }
}

static void test_bad_names_the_text_and_leaves_the_result_alone(void **state) {
  (void)state;
  static const char *const cases[] = {"",     "M",   "-5M", "5X",  "5 M", "1.2.3M", "5MM", "5M5",  "1e3M",
                                      "inf",  "nan", "BB",  "5BB", ".",   "5Mi",    "0x5", "5MBx", "99999999999999T",
                                      "5BiB", "5@"};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    int64_t bytes = 77;
    mc_err err = {""};
    assert_int_equal(mc_size_parse(cases[i], &bytes, &err), MC_EINVALID);
    assert_int_equal(bytes, 77);
    assert_non_null(strstr(err.text, cases[i]));
  }
}

static void test_rounded_for_people(void **state) {
  (void)state;
  char text[32];
  mc_size_round(263LL * 1024 * 1024 + 500000, text, sizeof text);
  assert_string_equal(text, "263M");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_good),
      cmocka_unit_test(test_bad_names_the_text_and_leaves_the_result_alone),
      cmocka_unit_test(test_rounded_for_people),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
