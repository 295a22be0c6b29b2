/* Passwords in arguments: cli/scrub.c. */
#include "cli/scrub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void expect(const char *before, const char *after) {
  char arg[200], program[] = "redis://user:kept@mooncrew";
  char *argv[] = {program, arg, NULL};
  snprintf(arg, sizeof arg, "%s", before);
  mc_scrub_args(2, argv);
  assert_string_equal(arg, after);
  assert_string_equal(program, "redis://user:kept@mooncrew");
}

static void a_password_is_overwritten_in_place(void **state) {
  (void)state;
  expect("redis://user:secret@host:6379/0", "redis://user:xxxxxx@host:6379/0");
  expect("--redis=redis://:secret@host", "--redis=redis://:xxxxxx@host");
  expect("redis+unix://:secret@/run/r.sock", "redis+unix://:xxxxxx@/run/r.sock");
}

static void an_unescaped_password_is_overwritten_whole(void **state) {
  (void)state;
  expect("redis://u:a@b/c:d@host", "redis://u:xxxxxxx@host");
  expect("redis://secret@host", "redis://xxxxxx@host");
}

static void other_arguments_are_left_alone(void **state) {
  (void)state;
  expect("redis://host:6379/0", "redis://host:6379/0");
  expect("ada@example.org", "ada@example.org");
  expect("{\"to\":\"ada@example.org\"}", "{\"to\":\"ada@example.org\"}");
  expect("", "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_password_is_overwritten_in_place),
      cmocka_unit_test(an_unescaped_password_is_overwritten_whole),
      cmocka_unit_test(other_arguments_are_left_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
