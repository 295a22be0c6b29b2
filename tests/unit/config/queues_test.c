/* The queues to serve, as text: config/queues.c. */
#include "config/queues.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void expect_queues(const char *text, const char *expected) {
  mc_config_queue *queues;
  size_t count;
  mc_err err;
  char seen[200] = "";
  assert_int_equal(mc_queues_parse(text, &queues, &count, &err), 0);
  for (size_t i = 0; i < count; i++)
    snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s:%d ", queues[i].name, queues[i].weight);
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
      cmocka_unit_test(blank_names_are_refused),
      cmocka_unit_test(doubled_names_are_refused),
      cmocka_unit_test(weights_are_whole_numbers_from_one),
      cmocka_unit_test(names_that_would_break_a_key_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
