/* The values of the options: config/config.c and the table in config/options.c. */
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int set_up(void **state) {
  mc_config *config = malloc(sizeof *config);
  mc_config_init(config);
  *state = config;
  return 0;
}

static int tear_down(void **state) {
  mc_config_deinit(*state);
  free(*state);
  return 0;
}

static void expect_refused(mc_config *config, const char *name, const char *value, int code, const char *text) {
  mc_err err;
  assert_int_equal(mc_config_set(config, name, value, &err), code);
  assert_string_equal(err.text, text);
}

static void every_option_has_its_default(void **state) {
  mc_config *config = *state;
  assert_string_equal(config->redis, "redis://127.0.0.1:6379/0");
  assert_string_equal(config->scripts, "scripts");
  assert_int_equal(config->workers, 2);
  assert_int_equal(config->concurrency, 100);
  assert_int_equal(config->prefetch, 32);
  assert_int_equal(config->queue_count, 3);
  assert_string_equal(config->queues[0].name, "critical");
  assert_int_equal(config->queues[0].weight, 6);
  assert_false(config->strict);
  assert_int_equal(config->shutdown_timeout_ms, 8000);
  assert_int_equal(config->kill_grace_ms, 5000);
  assert_int_equal(config->memory_limit, 0);
  assert_int_equal(config->task_check_interval_ms, 1000);
  assert_int_equal(config->max_crashes, 3);
  assert_int_equal(config->archive_max_age_s, 90 * 86400);
  assert_int_equal(config->archive_max_size, 10000);
  assert_string_equal(config->log_level, "info");
  assert_string_equal(config->log_format, "text");
}

static void expect_shown(mc_config *config, const char *name, const char *value, const char *shown) {
  mc_err err;
  mc_buf text = {0};
  size_t i = 0;
  while (strcmp(mc_options[i].name, name) != 0)
    i++;
  assert_int_equal(mc_config_set(config, name, value, &err), 0);
  mc_config_show(config, &mc_options[i], &text);
  mc_buf_add_char(&text, '\0');
  assert_string_equal(text.data, shown);
  assert_int_equal(mc_config_set(config, name, text.data, &err), 0);
  mc_buf_deinit(&text);
}

static void a_value_is_shown_in_one_form_however_it_was_written(void **state) {
  expect_shown(*state, "redis", "redis://h", "redis://h");
  expect_shown(*state, "log_level", "warn", "warn");
  expect_shown(*state, "workers", "03", "3");
  expect_shown(*state, "strict", "yes", "true");
  expect_shown(*state, "strict", "0", "false");
  expect_shown(*state, "shutdown_timeout", "3", "3s");
  expect_shown(*state, "shutdown_timeout", "0", "0s");
  expect_shown(*state, "kill_grace", "1.5s", "1500ms");
  expect_shown(*state, "archive_max_age", "48h", "2d");
  expect_shown(*state, "memory_limit", "0.25GiB", "256M");
  expect_shown(*state, "memory_limit", "0", "0");
  expect_shown(*state, "queues", " b = 2 , a", "b=2,a=1");
  expect_shown(*state, "queues", "t:*=03/archive_max_size=5/archive_max_age=120s,x",
               "t:*=3/archive_max_age=2m/archive_max_size=5,x=1");
}

static void a_value_of_each_type_is_set(void **state) {
  mc_config *config = *state;
  mc_err err;
  assert_int_equal(mc_config_set(config, "redis", "redis+unix:///run/r.sock", &err), 0);
  assert_int_equal(mc_config_set(config, "workers", "256", &err), 0);
  assert_int_equal(mc_config_set(config, "prefetch", "0", &err), 0);
  assert_int_equal(mc_config_set(config, "strict", "yes", &err), 0);
  assert_int_equal(mc_config_set(config, "kill_grace", "1.5", &err), 0);
  assert_int_equal(mc_config_set(config, "archive_max_age", "1h30m", &err), 0);
  assert_int_equal(mc_config_set(config, "queues", "mail=2,image", &err), 0);
  assert_int_equal(mc_config_set(config, "log_format", "json", &err), 0);
  assert_string_equal(config->redis, "redis+unix:///run/r.sock");
  assert_int_equal(config->workers, 256);
  assert_int_equal(config->prefetch, 0);
  assert_true(config->strict);
  assert_int_equal(config->kill_grace_ms, 1500);
  assert_int_equal(config->archive_max_age_s, 5400);
  assert_int_equal(config->queue_count, 2);
  assert_string_equal(config->queues[1].name, "image");
  assert_string_equal(config->log_format, "json");
}

static void a_value_may_be_set_from_itself(void **state) {
  mc_config *config = *state;
  assert_int_equal(mc_config_set(config, "scripts", config->scripts, NULL), 0);
  assert_string_equal(config->scripts, "scripts");
}

static void numbers_keep_to_their_limits(void **state) {
  mc_config *config = *state;
  expect_refused(config, "workers", "0", MC_EINVALID, "workers: must be a whole number from 1 to 256, not '0'");
  expect_refused(config, "workers", "257", MC_EINVALID, "workers: must be a whole number from 1 to 256, not '257'");
  expect_refused(config, "workers", " 3", MC_EINVALID, "workers: must be a whole number from 1 to 256, not ' 3'");
  expect_refused(config, "workers", "0x3", MC_EINVALID, "workers: must be a whole number from 1 to 256, not '0x3'");
  expect_refused(config, "workers", "", MC_EINVALID, "workers: must be a whole number from 1 to 256, not ''");
  expect_refused(config, "workers", "99999999999999999999", MC_EINVALID,
                 "workers: must be a whole number from 1 to 256, not '99999999999999999999'");
  assert_int_equal(config->workers, 2);
}

static void durations_keep_to_their_limits(void **state) {
  mc_config *config = *state;
  expect_refused(config, "kill_grace", "99ms", MC_EINVALID,
                 "kill_grace: must be a duration from 100ms to 1h, not '99ms'");
  expect_refused(config, "shutdown_timeout", "2h", MC_EINVALID,
                 "shutdown_timeout: must be a duration from 0s to 1h, not '2h'");
  expect_refused(config, "archive_max_age", "1", MC_EINVALID,
                 "archive_max_age: must be a duration from 1m to 3650d, not '1'");
  expect_refused(
      config, "shutdown_timeout", "soon", MC_EINVALID,
      "shutdown_timeout: 'soon' is no duration: write seconds or units such as \"90s\", \"1h30m\", \"250ms\"");
  assert_int_equal(config->shutdown_timeout_ms, 8000);
  assert_int_equal(config->kill_grace_ms, 5000);
}

static void sizes_keep_to_their_limits(void **state) {
  mc_config *config = *state;
  mc_err err;
  assert_int_equal(mc_config_set(config, "memory_limit", "64M", &err), 0);
  expect_refused(config, "memory_limit", "256", MC_EINVALID,
                 "memory_limit: must be a size from 1M to 1024T, or 0, not '256'");
  expect_refused(config, "memory_limit", "lots", MC_EINVALID,
                 "memory_limit: 'lots' is no size: write a number and a unit, such as \"256M\" or \"1.5G\"");
  assert_int_equal(config->memory_limit, 64 << 20);
  assert_int_equal(mc_config_set(config, "memory_limit", "0", &err), 0);
  assert_int_equal(config->memory_limit, 0);
}

static void words_must_be_known_whole(void **state) {
  mc_config *config = *state;
  expect_refused(config, "log_level", "warning", MC_EINVALID,
                 "log_level: must be one of: debug info warn error; not 'warning'");
  expect_refused(config, "log_level", "info warn", MC_EINVALID,
                 "log_level: must be one of: debug info warn error; not 'info warn'");
  expect_refused(config, "log_format", "", MC_EINVALID, "log_format: must be one of: text json; not ''");
  expect_refused(config, "strict", "maybe", MC_EINVALID, "strict: must be true or false, not 'maybe'");
  assert_string_equal(config->log_level, "info");
}

static void bad_queues_leave_the_old_ones(void **state) {
  mc_config *config = *state;
  expect_refused(config, "queues", "a,a", MC_EINVALID, "queues: queue 'a' is named twice");
  assert_int_equal(config->queue_count, 3);
}

static void texts_must_hold_something(void **state) {
  mc_config *config = *state;
  expect_refused(config, "scripts", "", MC_EINVALID, "scripts: must not be empty");
  assert_string_equal(config->scripts, "scripts");
}

static void an_error_about_a_secret_does_not_tell_it(void **state) {
  mc_err err;
  assert_int_equal(mc_config_set(*state, "redis", "redis://u:hunter2\xff@h", &err), MC_EINVALID);
  assert_null(strstr(err.text, "hunter2"));
}

static void an_unknown_name_is_refused_with_the_nearest_known_one(void **state) {
  expect_refused(*state, "worker", "1", MC_ENOT_FOUND, "unknown option 'worker': did you mean 'workers'?");
  expect_refused(*state, "colour", "1", MC_ENOT_FOUND,
                 "unknown option 'colour': `mooncrew config` lists the known ones");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(every_option_has_its_default, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_value_is_shown_in_one_form_however_it_was_written, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_value_of_each_type_is_set, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_value_may_be_set_from_itself, set_up, tear_down),
      cmocka_unit_test_setup_teardown(numbers_keep_to_their_limits, set_up, tear_down),
      cmocka_unit_test_setup_teardown(durations_keep_to_their_limits, set_up, tear_down),
      cmocka_unit_test_setup_teardown(sizes_keep_to_their_limits, set_up, tear_down),
      cmocka_unit_test_setup_teardown(words_must_be_known_whole, set_up, tear_down),
      cmocka_unit_test_setup_teardown(bad_queues_leave_the_old_ones, set_up, tear_down),
      cmocka_unit_test_setup_teardown(texts_must_hold_something, set_up, tear_down),
      cmocka_unit_test_setup_teardown(an_error_about_a_secret_does_not_tell_it, set_up, tear_down),
      cmocka_unit_test_setup_teardown(an_unknown_name_is_refused_with_the_nearest_known_one, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
