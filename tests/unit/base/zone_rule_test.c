/* The rules that end the files of time zones. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/calendar.h"
#include "base/mem.h"
#include "base/zone_rule.h"

static mc_zone_rule rule_of(const char *text) {
  mc_zone_rule rule;
  if (!mc_zone_rule_parse(mc_slice_of(text), &rule))
    fail_msg("refused: %s", text);
  return rule;
}

static int64_t at(int64_t year, int month, int day, int hour) {
  return mc_days_of(year, month, day) * MC_DAY_S + hour * 3600;
}

static void assert_change(const char *text, int64_t at_s, int before_s, int after_s) {
  mc_zone_rule rule = rule_of(text);
  mc_zone_span before = mc_zone_rule_at(&rule, at_s - 1), after = mc_zone_rule_at(&rule, at_s);
  assert_int_equal(before.offset_s, before_s);
  assert_int_equal(after.offset_s, after_s);
  assert_int_equal(before.end_s, at_s);
  assert_int_equal(after.start_s, at_s);
}

static void a_rule_without_summer_time_is_one_offset_for_ever(void **state) {
  (void)state;
  mc_zone_rule rule = rule_of("<+0545>-5:45");
  mc_zone_span span = mc_zone_rule_at(&rule, 0);
  assert_int_equal(span.offset_s, 5 * 3600 + 45 * 60);
  assert_true(span.start_s == INT64_MIN && span.end_s == INT64_MAX);
}

static void changes_come_on_the_days_that_the_rule_names(void **state) {
  (void)state;
  assert_change("CET-1CEST,M3.5.0,M10.5.0/3", at(2050, 3, 27, 1), 3600, 7200);
  assert_change("CET-1CEST,M3.5.0,M10.5.0/3", at(2050, 10, 30, 1), 7200, 3600);
  assert_change("EST5EDT,M3.2.0,M11.1.0", at(2100, 3, 14, 7), -18000, -14400);
  assert_change("AAA3BBB,J60/0,J300/0", at(2044, 3, 1, 3), -10800, -7200);
  assert_change("AAA3BBB,59/0,300/0", at(2044, 2, 29, 3), -10800, -7200);
}

static void south_of_the_equator_summer_goes_over_new_year(void **state) {
  (void)state;
  const char *text = "AEST-10AEDT,M10.1.0,M4.1.0/3";
  assert_change(text, at(2060, 10, 2, 16), 36000, 39600);
  assert_change(text, at(2061, 4, 2, 16), 39600, 36000);
  mc_zone_rule rule = rule_of(text);
  assert_int_equal(mc_zone_rule_at(&rule, at(2061, 1, 1, 0)).offset_s, 39600);
}

static void a_change_may_lie_outside_of_its_day(void **state) {
  (void)state;
  assert_change("IST-2IDT,M3.4.4/26,M10.5.0", at(2050, 3, 25, 0), 7200, 10800);
  assert_change("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", at(2050, 3, 27, 1), -7200, -3600);
}

static void summer_time_may_be_the_one_that_lags(void **state) {
  (void)state;
  assert_change("IST-1GMT0,M10.5.0,M3.5.0/1", at(2050, 10, 30, 1), 3600, 0);
}

static void what_is_no_rule_is_refused(void **state) {
  (void)state;
  static const char *const texts[] = {"",
                                      "A1",
                                      "AAA",
                                      "AAA200",
                                      "AAA3BBB",
                                      "<+05",
                                      "AAA3BBB,M3",
                                      "AAA3BBB,M3.5.0",
                                      "AAA3BBB,M13.1.0,M1.1.0",
                                      "AAA3x",
                                      "AAA3BBB,J0,J1",
                                      "AAA3BBB,M3.5.0,M10.5.0x",
                                      "AAA3:60"};
  mc_zone_rule rule;
  for (size_t i = 0; i < MC_COUNT(texts); i++)
    if (mc_zone_rule_parse(mc_slice_of(texts[i]), &rule))
      fail_msg("accepted: '%s'", texts[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_rule_without_summer_time_is_one_offset_for_ever),
      cmocka_unit_test(changes_come_on_the_days_that_the_rule_names),
      cmocka_unit_test(south_of_the_equator_summer_goes_over_new_year),
      cmocka_unit_test(a_change_may_lie_outside_of_its_day),
      cmocka_unit_test(summer_time_may_be_the_one_that_lags),
      cmocka_unit_test(what_is_no_rule_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
