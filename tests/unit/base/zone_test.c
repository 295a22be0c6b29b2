/* Time zones: the system's files, against the C library that reads the same ones, and files that are damaged. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/zone.h"

static mc_zone *zone_of(const char *name) {
  mc_zone *zone = NULL;
  mc_err err;
  if (mc_zone_open(mc_slice_of(name), &zone, &err))
    fail_msg("%s", err.text);
  return zone;
}

static void offsets_are_those_of_the_c_library(void **state) {
  (void)state;
  static const char *const names[] = {"Europe/Paris",      "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu",
                                      "Africa/Casablanca", "Europe/Dublin",    "Antarctica/Troll"};
  for (size_t i = 0; i < MC_COUNT(names); i++) {
    mc_zone *zone = zone_of(names[i]);
    setenv("TZ", names[i], 1);
    tzset();
    for (int64_t at_s = 0; at_s < INT64_C(4000000000); at_s += 1800 * 61) { /* 1970 … 2096 */
      time_t at = (time_t)at_s;
      struct tm parts;
      localtime_r(&at, &parts);
      if (mc_zone_at(zone, at_s).offset_s != parts.tm_gmtoff)
        fail_msg("%s at %lld", names[i], (long long)at_s);
    }
    mc_zone_free(zone);
  }
  unsetenv("TZ");
}

static void a_span_ends_where_the_next_one_begins(void **state) {
  (void)state;
  mc_zone *zone = zone_of("Europe/Paris");
  int changes = 0;
  for (int64_t at_s = 0; at_s < INT64_C(4000000000); changes++) {
    mc_zone_span span = mc_zone_at(zone, at_s);
    assert_true(span.start_s <= at_s && at_s < span.end_s);
    assert_int_equal(mc_zone_at(zone, span.end_s - 1).offset_s, span.offset_s);
    at_s = span.end_s;
  }
  assert_in_range(changes, 230, 250); /* two a year since 1976 */
  mc_zone_free(zone);
}

static void local_times_that_are_skipped_or_come_twice_get_one_of_the_two_offsets(void **state) {
  (void)state;
  mc_zone *zone = zone_of("Europe/Paris");
  assert_int_equal(mc_zone_instant(zone, 1774751400), 1774747800); /* 2026-03-29 02:30 is skipped: 03:30 summer time */
  assert_int_equal(mc_zone_instant(zone, 1792895400), 1792891800); /* 2026-10-25 02:30: the second of the two */
  assert_int_equal(mc_zone_instant(zone, 1782871200), 1782864000); /* 2026-07-01 02:00 */
  mc_zone_free(zone);
}

static void utc_needs_no_file(void **state) {
  (void)state;
  static const char *const names[] = {"", "UTC"};
  for (size_t i = 0; i < MC_COUNT(names); i++) {
    mc_zone *zone = zone_of(names[i]);
    assert_string_equal(mc_zone_name(zone), "UTC");
    assert_int_equal(mc_zone_at(zone, 1700000000).offset_s, 0);
    mc_zone_free(zone);
  }
}

static void local_is_the_zone_that_tz_names(void **state) {
  (void)state;
  static const char *const values[] = {"Asia/Tokyo", ":Asia/Tokyo"};
  for (size_t i = 0; i < MC_COUNT(values); i++) {
    setenv("TZ", values[i], 1);
    mc_zone *zone = zone_of("Local");
    assert_string_equal(mc_zone_name(zone), "Asia/Tokyo");
    assert_int_equal(mc_zone_at(zone, 1700000000).offset_s, 9 * 3600);
    mc_zone_free(zone);
  }
  unsetenv("TZ");
}

static void an_unknown_zone_is_refused_by_name(void **state) {
  (void)state;
  static const char *const names[] = {"Mars/Olympus", "../etc/passwd", "/etc/passwd", "Europe/../UTC", "Europe", ".",
                                      "zone.tab"};
  for (size_t i = 0; i < MC_COUNT(names); i++) {
    mc_zone *zone = NULL;
    mc_err err = {""};
    assert_int_equal(mc_zone_open(mc_slice_of(names[i]), &zone, &err), MC_EINVALID);
    assert_non_null(strstr(err.text, names[i]));
    assert_null(zone);
  }
}

static mc_buf file_of(const char *path) {
  mc_buf bytes = {0};
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  bytes.size = fread(mc_buf_reserve(&bytes, 100000), 1, 100000, file);
  fclose(file);
  return bytes;
}

static void a_file_cut_short_anywhere_is_refused(void **state) {
  (void)state;
  mc_buf bytes = file_of(MC_ZONE_FOLDER "/Europe/Paris");
  mc_slice name = MC_SLICE_LITERAL("cut");
  mc_zone *zone;
  mc_err err;
  for (size_t size = 0; size < bytes.size; size++) {
    char *copy = mc_strndup(bytes.data, size); /* in memory of just that size, for the sanitizer */
    int rc = mc_zone_parse(name, (mc_slice){copy, size}, &zone, &err);
    if (rc == 0)
      mc_zone_free(zone); /* cut off with its whole last line: a file without a rule */
    else
      assert_int_equal(rc, MC_EINVALID);
    assert_true(rc != 0 || bytes.data[size] == '\n');
    free(copy);
  }
  mc_buf_deinit(&bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(offsets_are_those_of_the_c_library),
      cmocka_unit_test(a_span_ends_where_the_next_one_begins),
      cmocka_unit_test(local_times_that_are_skipped_or_come_twice_get_one_of_the_two_offsets),
      cmocka_unit_test(utc_needs_no_file),
      cmocka_unit_test(local_is_the_zone_that_tz_names),
      cmocka_unit_test(an_unknown_zone_is_refused_by_name),
      cmocka_unit_test(a_file_cut_short_anywhere_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
