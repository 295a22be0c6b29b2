/* Reading schedules and finding their ticks. The great comparison with robfig/cron itself is in tests/interop. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "protocol/cron.h"

static mc_cron cron_of(const char *spec) {
  mc_cron cron;
  mc_err err;
  if (mc_cron_parse(mc_slice_of(spec), &cron, &err))
    fail_msg("%s: %s", spec, err.text);
  return cron;
}

static int64_t instant(const char *text) {
  struct tm parts = {0};
  if (!strptime(text, "%Y-%m-%d %H:%M:%S", &parts))
    fail_msg("no time: %s", text);
  return (int64_t)timegm(&parts);
}

static const char *text_of(int64_t at_s) {
  static char text[32];
  time_t at = (time_t)at_s;
  struct tm parts;
  strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", gmtime_r(&at, &parts));
  return text;
}

/* Times are UTC. */
static void assert_ticks(const char *spec, const char *after, const char *const *ticks, size_t count) {
  mc_cron cron = cron_of(spec);
  int64_t at_s = instant(after);
  for (size_t i = 0; i < count; i++) {
    assert_true(mc_cron_next(&cron, at_s, &at_s));
    assert_string_equal(text_of(at_s), ticks[i]);
  }
  mc_cron_deinit(&cron);
}

#define assert_next(spec, after, ...)                                                                                  \
  assert_ticks(spec, after, (const char *const[]){__VA_ARGS__}, MC_COUNT(((const char *const[]){__VA_ARGS__})))

static void fields_lists_ranges_steps_and_names(void **state) {
  (void)state;
  assert_next("*/15 9-17 * * mon-fri", "2026-01-02 17:40:00", "2026-01-02 17:45:00", "2026-01-05 09:00:00");
  assert_next("0 0 1 JAN,Jul ?", "2026-02-01 00:00:00", "2026-07-01 00:00:00", "2027-01-01 00:00:00");
  assert_next("5/20 * * * *", "2026-01-01 00:00:00", "2026-01-01 00:05:00", "2026-01-01 00:25:00",
              "2026-01-01 00:45:00", "2026-01-01 01:05:00");
  assert_next("0 0 29 2 *", "2026-01-01 00:00:00", "2028-02-29 00:00:00");
}

static void descriptors(void **state) {
  (void)state;
  assert_next("@yearly", "2026-06-01 00:00:00", "2027-01-01 00:00:00");
  assert_next("@monthly", "2026-06-01 00:00:00", "2026-07-01 00:00:00");
  assert_next("@weekly", "2026-06-01 00:00:00", "2026-06-07 00:00:00");
  assert_next("@midnight", "2026-06-01 00:00:00", "2026-06-02 00:00:00");
  assert_next("@hourly", "2026-06-01 00:00:00", "2026-06-01 01:00:00");
}

static void either_day_field_or_both(void **state) {
  (void)state;
  assert_next("0 0 13 * fri", "2026-03-01 00:00:00", "2026-03-06 00:00:00", "2026-03-13 00:00:00");
  assert_next("0 0 13 * *", "2026-03-01 00:00:00", "2026-03-13 00:00:00", "2026-04-13 00:00:00");
  assert_next("0 0 */1 * fri", "2026-03-01 00:00:00", "2026-03-06 00:00:00");                         /* still a star */
  assert_next("0 0 */10 * fri", "2026-03-02 00:00:00", "2026-03-06 00:00:00", "2026-03-11 00:00:00"); /* no star */
}

static void a_time_that_clocks_skip_has_no_tick_and_one_that_comes_twice_has_two(void **state) {
  (void)state;
  assert_next("CRON_TZ=Europe/Paris 30 2 * * *", "2026-03-28 00:00:00", "2026-03-28 01:30:00", "2026-03-30 00:30:00");
  assert_next("TZ=Europe/Paris 30 2 * * *", "2026-10-24 12:00:00", "2026-10-25 00:30:00", "2026-10-25 01:30:00",
              "2026-10-26 01:30:00");
  assert_next("TZ=Europe/Paris 0 * * * *", "2026-10-24 23:30:00", "2026-10-25 00:00:00", "2026-10-25 01:00:00",
              "2026-10-25 02:00:00");
}

static void intervals_are_multiples_since_1970(void **state) {
  (void)state;
  assert_next("@every 90s", "2026-01-01 00:00:01", "2026-01-01 00:01:30", "2026-01-01 00:03:00");
  assert_next("@every 1500ms", "2026-01-01 00:00:01", "2026-01-01 00:00:02", "2026-01-01 00:00:03");
  assert_next("CRON_TZ=Asia/Kathmandu @every 24h", "2026-01-01 00:00:01", "2026-01-02 00:00:00");
}

static void what_never_comes_is_said(void **state) {
  (void)state;
  static const char *const specs[] = {"0 0 30 2 *", ", * * * *", "* * * , *", "0 0 , * ,"};
  for (size_t i = 0; i < MC_COUNT(specs); i++) {
    mc_cron cron = cron_of(specs[i]);
    int64_t tick_s;
    assert_false(mc_cron_next(&cron, 1700000000, &tick_s));
    assert_false(mc_cron_last(&cron, 0, 1700000000, &tick_s));
    mc_cron_deinit(&cron);
  }
}

static void refusals_name_the_field_and_the_text(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"", "empty"},
      {"* * * *", "4 fields"},
      {"* * * * * *", "6 fields"},
      {"60 * * * *", "minute '60'"},
      {"* 24 * * *", "hour '24'"},
      {"* * 0 * *", "day of month '0'"},
      {"* * * 13 *", "month '13'"},
      {"* * * * 7", "day of week '7'"},
      {"5-1 * * * *", "ends before it begins"},
      {"1-2-3 * * * *", "two ends"},
      {"*/0 * * * *", "one step"},
      {"*/2/3 * * * *", "one step"},
      {"x * * * *", "not a number"},
      {"@reboot", "'@reboot' is unknown"},
      {"@daily ", "'@daily ' is unknown"},
      {"@every", "'@every' is unknown"},
      {"@every soon", "'soon'"},
      {"CRON_TZ=Europe/Paris", "no schedule"},
      {"CRON_TZ=Mars/Olympus @daily", "'Mars/Olympus'"},
  };
  for (size_t i = 0; i < MC_COUNT(cases); i++) {
    mc_cron cron;
    mc_err err = {""};
    assert_int_equal(mc_cron_parse(mc_slice_of(cases[i][0]), &cron, &err), MC_EINVALID);
    if (!strstr(err.text, cases[i][1]))
      fail_msg("'%s' gives: %s", cases[i][0], err.text);
  }
}

static void the_last_tick_is_the_one_that_walking_finds(void **state) {
  (void)state;
  static const char *const specs[] = {"* * * * *", "0 3 * * *", "0 0 1 * *", "0 0 29 2 *", "@every 7s", "@yearly"};
  int64_t until_s = instant("2026-08-08 12:34:56");
  for (size_t i = 0; i < MC_COUNT(specs); i++) {
    mc_cron cron = cron_of(specs[i]);
    int64_t last_s = 0, found_s = 0, next_s;
    assert_true(mc_cron_last(&cron, 0, until_s, &last_s));
    assert_true(last_s <= until_s && mc_cron_next(&cron, last_s, &next_s) && next_s > until_s);
    assert_true(mc_cron_next(&cron, last_s - 1, &next_s) && next_s == last_s);
    assert_false(mc_cron_last(&cron, last_s, until_s, &found_s));
    assert_true(mc_cron_last(&cron, last_s - 1, until_s, &found_s) && found_s == last_s);
    mc_cron_deinit(&cron);
  }
}

static void the_fields_stand_behind_the_zone(void **state) {
  (void)state;
  assert_true(mc_slice_equal(mc_cron_fields(mc_slice_of("CRON_TZ=UTC  0 3 * * * ")), mc_slice_of("0 3 * * *")));
  assert_true(mc_slice_equal(mc_cron_fields(mc_slice_of("@daily")), mc_slice_of("@daily")));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fields_lists_ranges_steps_and_names),
      cmocka_unit_test(descriptors),
      cmocka_unit_test(either_day_field_or_both),
      cmocka_unit_test(a_time_that_clocks_skip_has_no_tick_and_one_that_comes_twice_has_two),
      cmocka_unit_test(intervals_are_multiples_since_1970),
      cmocka_unit_test(what_never_comes_is_said),
      cmocka_unit_test(refusals_name_the_field_and_the_text),
      cmocka_unit_test(the_last_tick_is_the_one_that_walking_finds),
      cmocka_unit_test(the_fields_stand_behind_the_zone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
