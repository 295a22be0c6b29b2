/* The queues to serve, as text: config/queues.c. */
#include "config/queues.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void show(const mc_config_queue *queue, char *out, size_t size) {
  int used = snprintf(out, size, "%s:%d", queue->name, queue->weight);
  if (queue->archive_max_age_s || queue->archive_max_size)
    used += snprintf(out + used, size - (size_t)used, "/%d/%d", (int)queue->archive_max_age_s,
                     (int)queue->archive_max_size);
  snprintf(out + used, size - (size_t)used, " ");
}

static void expect_queues(const char *text, const char *expected) {
  mc_config_queue *queues;
  size_t count;
  mc_err err;
  char seen[200] = "";
  assert_int_equal(mc_queues_parse(text, &queues, &count, &err), 0);
  for (size_t i = 0; i < count; i++)
    show(&queues[i], seen + strlen(seen), sizeof seen - strlen(seen));
  mc_queues_free(queues, count);
  assert_string_equal(seen, expected);
}

static void expect_refused(const char *text, const char *reason) {
  mc_config_queue *queues = (mc_config_queue *)1;
  size_t count = 77;
  mc_err err;
  assert_int_equal(mc_queues_parse(text, &queues, &count, &err), MC_EINVALID);
  assert_non_null(strstr(err.text, reason));
  assert_ptr_equal(queues, (mc_config_queue *)1); /* out-parameters stay untouched on failure */
  assert_int_equal(count, 77);
}

static void names_and_weights_are_read_in_order(void **state) {
  (void)state;
  expect_queues("critical=6,default=3,low=1", "critical:6 default:3 low:1 ");
  expect_queues(" mail = 2 , image:resize ", "mail:2 image:resize:1 ");
  expect_queues("größe=1000000", "größe:1000000 ");
}

static void a_trailing_star_makes_a_pattern(void **state) {
  (void)state;
  expect_queues("tenant:*=2,*", "tenant:*:2 *:1 ");
  expect_refused("ten*ant=1", "* only at its end");
  expect_refused("**=1", "is no queue name");
}

static void settings_stand_behind_the_weight(void **state) {
  (void)state;
  expect_queues("a=2/archive_max_age=7d/archive_max_size=100,b=1", "a:2/604800/100 b:1 ");
  expect_queues("a= 2 / archive_max_size = 5 ", "a:2/0/5 ");
  expect_queues("a/b=3/archive_max_age=90", "a/b:3/90/0 ");
  expect_refused("a=1/", "queue 'a': '' is no setting of a queue");
  expect_refused("a=1/size=5", "'size=5' is no setting of a queue");
  expect_refused("a=1/archive_max_age", "'archive_max_age' is no setting");
  expect_refused("a=1/archive_max_age=7d/archive_max_age=8d", "archive_max_age is given twice");
  expect_refused("a=1/archive_max_age=5s", "queue 'a': archive_max_age must be a duration from 1m to 3650d, not '5s'");
  expect_refused("a=1/archive_max_age=soon", "not 'soon'");
  expect_refused("a=1/archive_max_size=0", "archive_max_size must be a whole number from 1 to 10000000, not '0'");
  expect_refused("a=1/archive_max_size=-1", "not '-1'");
  expect_refused("a=1/archive_max_size=99999999999999999999", "archive_max_size must be");
}

static void blank_names_are_refused(void **state) {
  (void)state;
  expect_refused("", "a queue name is blank");
  expect_refused("a,,b", "a queue name is blank");
  expect_refused("a=1,", "a queue name is blank");
  expect_refused(" =3", "a queue name is blank");
}

static void doubled_names_are_refused(void **state) {
  (void)state;
  expect_refused("a=1,b=2,a=3", "queue 'a' is named twice");
}

static void weights_are_whole_numbers_from_one(void **state) {
  (void)state;
  expect_refused("a=0", "the weight of queue 'a' must be a whole number from 1 to 1000000, not '0'");
  expect_refused("a=-1", "not '-1'");
  expect_refused("a=1.5", "not '1.5'");
  expect_refused("a=", "not ''");
  expect_refused("a=99999999999999999999", "not '99999999999999999999'");
}

static void names_that_would_break_a_key_are_refused(void **state) {
  (void)state;
  expect_refused("a{b}=1", "is no queue name");
  expect_refused("a b=1", "is no queue name");
  expect_refused("a\x01=1", "is no queue name");
  expect_refused("a\xff=1", "is no queue name");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_and_weights_are_read_in_order),
      cmocka_unit_test(a_trailing_star_makes_a_pattern),
      cmocka_unit_test(settings_stand_behind_the_weight),
      cmocka_unit_test(blank_names_are_refused),
      cmocka_unit_test(doubled_names_are_refused),
      cmocka_unit_test(weights_are_whole_numbers_from_one),
      cmocka_unit_test(names_that_would_break_a_key_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
