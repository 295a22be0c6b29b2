/* Days and dates, against the C library's own calendar. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <time.h>

#include "base/calendar.h"

static void dates_are_those_of_the_c_library(void **state) {
  (void)state;
  for (int64_t day = -800000; day < 800000; day += 13) {
    time_t at = (time_t)(day * MC_DAY_S);
    struct tm parts;
    gmtime_r(&at, &parts);
    mc_date date = mc_date_of(day);
    assert_int_equal(date.year, parts.tm_year + 1900);
    assert_int_equal(date.month, parts.tm_mon + 1);
    assert_int_equal(date.day, parts.tm_mday);
    assert_int_equal(mc_weekday_of(day), parts.tm_wday);
    assert_int_equal(mc_days_of(date.year, date.month, date.day), day);
  }
}

static void months_and_days_beyond_their_range_count_on(void **state) {
  (void)state;
  assert_int_equal(mc_days_of(2024, 13, 1), mc_days_of(2025, 1, 1));
  assert_int_equal(mc_days_of(2024, 0, 1), mc_days_of(2023, 12, 1));
  assert_int_equal(mc_days_of(2024, -11, 1), mc_days_of(2023, 1, 1));
  assert_int_equal(mc_days_of(2024, 2, 30), mc_days_of(2024, 3, 1));
  assert_int_equal(mc_days_of(2023, 3, 0), mc_days_of(2023, 2, 28));
}

static void division_rounds_down(void **state) {
  (void)state;
  assert_int_equal(mc_floor_div(-1, 60), -1);
  assert_int_equal(mc_floor_mod(-1, 60), 59);
  assert_int_equal(mc_floor_div(-60, 60), -1);
  assert_int_equal(mc_floor_mod(-60, 60), 0);
  assert_int_equal(mc_floor_div(61, 60), 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dates_are_those_of_the_c_library),
      cmocka_unit_test(months_and_days_beyond_their_range_count_on),
      cmocka_unit_test(division_rounds_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
