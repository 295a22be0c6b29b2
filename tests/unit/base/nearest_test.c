/* "Did you mean": base/nearest.c. */
#include "base/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const names[] = {"workers", "concurrency", "shutdown_timeout", "redis"};

static const char *nearest(const char *name) {
  return mc_name_nearest(name, names, 4);
}

static void a_mistyped_name_finds_the_one_meant(void **state) {
  (void)state;
  assert_string_equal(nearest("worker"), "workers");
  assert_string_equal(nearest("wrokers"), "workers");
  assert_string_equal(nearest("concurency"), "concurrency");
  assert_string_equal(nearest("reddis"), "redis");
}

static void dashes_and_case_do_not_matter(void **state) {
  (void)state;
  assert_string_equal(nearest("shutdown-timeout"), "shutdown_timeout");
  assert_string_equal(nearest("REDIS"), "redis");
}

static void a_name_that_is_far_from_all_finds_none(void **state) {
  (void)state;
  assert_null(nearest("colour"));
  assert_null(nearest("x"));
  assert_null(nearest(""));
  assert_null(mc_name_nearest("redis", names, 0));
}

static void a_long_name_is_not_compared(void **state) {
  char name[200];
  (void)state;
  memset(name, 'w', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  const char *const all[] = {name, "workers"};
  assert_null(mc_name_nearest(name, all, 2));
  assert_string_equal(mc_name_nearest("worker", all, 2), "workers");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_mistyped_name_finds_the_one_meant),
      cmocka_unit_test(dashes_and_case_do_not_matter),
      cmocka_unit_test(a_name_that_is_far_from_all_finds_none),
      cmocka_unit_test(a_long_name_is_not_compared),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
