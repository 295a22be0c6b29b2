/* Log lines, as a program and as a person read them. */
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

static int ends[2];
static char line[4096];

static int open_log(void **state) {
  (void)state;
  return pipe(ends);
}

static int close_log(void **state) {
  (void)state;
  mc_log_configure(STDERR_FILENO, MC_LOG_TEXT, MC_LOG_INFO);
  close(ends[0]);
  close(ends[1]);
  return 0;
}

static const char *written(void) {
  mc_log_flush();
  ssize_t size = read(ends[0], line, sizeof line - 1);
  line[size > 0 ? size : 0] = '\0';
  return line;
}

static void write_line(void) {
  mc_log_begin(MC_LOG_WARN, "task failed");
  mc_log_text("type", "a:b");
  mc_log_slice("error", (mc_slice){"say \"no\"\n\x01\xff", 11});
  mc_log_int("retried", -3);
  mc_log_float("duration_ms", 1.5);
  mc_log_text("absent", NULL);
  mc_log_end();
}

static void test_json(void **state) {
  (void)state;
  mc_log_configure(ends[1], MC_LOG_JSON, MC_LOG_INFO);
  write_line();
  const char *after_time = strstr(written(), "Z\"");
  assert_non_null(after_time);
  assert_string_equal(after_time, "Z\",\"level\":\"warn\",\"event\":\"task failed\",\"type\":\"a:b\",\"error\":\"say "
                                  "\\\"no\\\"\\n\\u0001\xef\xbf\xbd\",\"retried\":-3,\"duration_ms\":1.500}\n");
}

static void test_text(void **state) {
  (void)state;
  mc_log_configure(ends[1], MC_LOG_TEXT, MC_LOG_INFO);
  write_line();
  assert_string_equal(strstr(written(), " warn "), " warn task failed type=a:b error=\"say "
                                                   "\\\"no\\\"\\n\\u0001\xef\xbf\xbd\" retried=-3 duration_ms=1.500\n");
}

static void test_below_the_level_nothing_is_written(void **state) {
  (void)state;
  mc_log_configure(ends[1], MC_LOG_TEXT, MC_LOG_ERROR);
  write_line();
  mc_log_event(MC_LOG_INFO, "quiet", "%d", 1);
  mc_log_event(MC_LOG_ERROR, "loud", "%d", 2);
  assert_string_equal(strstr(written(), " error "), " error loud detail=2\n");
  assert_null(strstr(line, "quiet"));
}

static void test_names(void **state) {
  (void)state;
  assert_int_equal(mc_log_level_parse("warn"), MC_LOG_WARN);
  assert_int_equal(mc_log_level_parse("loud"), -1);
  assert_int_equal(mc_log_format_parse("json"), MC_LOG_JSON);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_json, open_log, close_log),
      cmocka_unit_test_setup_teardown(test_text, open_log, close_log),
      cmocka_unit_test_setup_teardown(test_below_the_level_nothing_is_written, open_log, close_log),
      cmocka_unit_test(test_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
